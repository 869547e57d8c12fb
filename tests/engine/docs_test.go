package engine_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	"github.com/pulumi/pulumi/sdk/v3/go/common/workspace"
)

// TestDocumentedSource: what the documentation has its readers add is the
// provider's directory in the repository, as Pulumi reads it.
func TestDocumentedSource(t *testing.T) {
	t.Parallel()
	command := regexp.MustCompile(`pulumi package add (github\.com/\S+)`)
	for _, file := range []string{
		"docs/languages.md", "docs/installation-configuration.md",
		"examples/yaml/Pulumi.yaml", "examples/typescript/index.ts", "examples/python/__main__.py",
	} {
		found := command.FindSubmatch(readFile(t, root+"/"+file))
		if found == nil {
			t.Errorf("%s does not say what to add", file)
			continue
		}
		source, err := workspace.NewPluginDescriptor(t.Context(), string(found[1])+"@v1.2.3", apitype.ResourcePlugin, nil, "", nil)
		if err != nil {
			t.Fatal(err)
		}
		if source.PluginDownloadURL != "git://"+modulePath+".git/cmd/"+providerName || source.SubDir() != "cmd/"+providerName || source.Version.String() != "1.2.3" {
			t.Errorf("%s: Pulumi reads %s in %s at %v", file, source.PluginDownloadURL, source.SubDir(), source.Version)
		}
	}
}

// TestRegistryPageShowsExamples: each line of the programs on the page of
// Pulumi's Registry is one of the tested example in that language.
func TestRegistryPageShowsExamples(t *testing.T) {
	t.Parallel()
	page := string(readFile(t, root+"/docs/_index.md"))
	for language, file := range map[string]string{
		"typescript": "typescript/index.ts", "python": "python/__main__.py", "go": "go-minimal/main.go", "yaml": "yaml/Pulumi.yaml",
	} {
		example := strings.Split(string(readFile(t, root+"/examples/"+file)), "\n")
		_, block, found := strings.Cut(page, "```"+language+"\n")
		block, _, closed := strings.Cut(block, "```")
		if !found || !closed {
			t.Errorf("the page has no program in %s", language)
		}
		for line := range strings.Lines(block) {
			if !slices.Contains(example, strings.TrimSuffix(line, "\n")) {
				t.Errorf("%s is not in examples/%s", line, file)
			}
		}
	}
}
