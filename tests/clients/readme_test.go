package clients_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/streaming-service/streaming-service/internal/localcloud/localcloudtest"
)

// TestReadme runs the programs of the README as they stand there.
func TestReadme(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("installs packages from npm and PyPI")
	}
	cloud := start(t)
	key := newKey(t, cloud, cloud.SignUp(t, newEmail()).IDToken)
	run := func(name, language, setUp string, command *exec.Cmd) {
		t.Run(language, func(t *testing.T) {
			t.Parallel()
			program := filepath.Join(command.Dir, name)
			if err := os.WriteFile(program, []byte(fmt.Sprintf(setUp, cloud.Config.OpenAIURL, key)+snippet(t, language)), 0o600); err != nil {
				t.Fatal(err)
			}
			command.Args = append(command.Args[:1], program)
			var stderr bytes.Buffer
			command.Stderr = &stderr
			if answer, err := command.Output(); err != nil || len(strings.Fields(string(answer))) < 20 {
				t.Errorf("%v, answered %q\n%s", err, answer, &stderr)
			}
		})
	}
	inPython := python("")(t)
	inPython.Dir = t.TempDir()
	run("readme.py", "python", "open_ai_url, key = %q, %q\n", inPython)
	run("readme.mjs", "js", "const openAiUrl = %q, key = %q;\n", node("")(t))
	t.Run("sh", func(t *testing.T) {
		t.Parallel()
		checkShell(t, cloud)
	})
}

// snippet is the program in a language below the heading for these clients.
func snippet(t *testing.T, language string) string {
	t.Helper()
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(readme), "\n## Use any OpenAI client\n")
	section, _, _ = strings.Cut(section, "\n## ")
	found := regexp.MustCompile("(?s)```" + language + "\n(.*?)```").FindStringSubmatch(section)
	if found == nil {
		t.Fatalf("the README has no program in %s for OpenAI's clients", language)
	}
	return found[1]
}

// checkShell runs the call with curl, with the variables of the README's
// protocol by example.
func checkShell(t *testing.T, cloud *localcloudtest.Harness) {
	t.Helper()
	setUp := fmt.Sprintf("token=%q\nvalue() { echo %q; }\n", cloud.Demo(t).IDToken, cloud.Config.OpenAIURL)
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("curl is not installed")
	}
	answer, err := exec.CommandContext(t.Context(), "sh", "-c", setUp+snippet(t, "sh")).Output()
	if err != nil || !strings.HasSuffix(string(answer), "data: [DONE]\n\n") {
		t.Errorf("%v, answered %q", err, answer)
	}
}

// TestDocumentedVersions: docs/openai.md names the versions that are tested.
func TestDocumentedVersions(t *testing.T) {
	t.Parallel()
	read := func(path string) string {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return string(content)
	}
	_, table, _ := strings.Cut(read("../../docs/openai.md"), "| client | version |")
	table, _, _ = strings.Cut(table, "\n\n")
	versions := regexp.MustCompile(`[0-9]+\.[0-9]+\.[0-9]+`).FindAllString(table, -1)
	tested := read("package.json") + read("requirements.txt")
	if len(versions) != 7 {
		t.Errorf("the table has the versions %q", versions)
	}
	for _, version := range versions {
		if !strings.Contains(tested, "@"+version+`"`) && !strings.Contains(tested, `: "`+version+`"`) && !strings.Contains(tested, "=="+version+"\n") {
			t.Errorf("version %s is not tested", version)
		}
	}
}
