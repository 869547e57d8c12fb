package engine_test

import (
	"regexp"
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
