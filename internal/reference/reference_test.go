package reference_test

import (
	"os"
	"strings"
	"testing"

	"github.com/streaming-service/streaming-service/internal/reference"
)

func TestSettingsPageIsCurrent(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/settings.md")
	if err != nil {
		t.Fatal(err)
	}
	if reference.Page(structs(t)) != string(page) {
		t.Error("docs/settings.md is not what the source says; run go generate ./internal/reference")
	}
}

func TestEverySettingIsDocumented(t *testing.T) {
	t.Parallel()
	all := structs(t)
	settings := 0
	for name, s := range all {
		if s.Doc == "" {
			t.Errorf("%s has no documentation", name)
		}
		for _, f := range s.Fields {
			path := name + "." + f.Name
			if f.Type == "" {
				t.Errorf("%s has a type that the page cannot name", path)
			}
			if !strings.HasPrefix(f.Doc, f.Name) {
				t.Errorf("%s: documentation %q does not begin with its name", path, f.Doc)
			}
			if strings.HasSuffix(name, "Settings") {
				settings++
				if !strings.Contains(f.Doc, "Default") {
					t.Errorf("%s does not state its default: %q", path, f.Doc)
				}
			}
		}
	}
	if settings < 50 {
		t.Errorf("found %d settings, want all of them", settings)
	}
}

// TestSettingsAreNamedAsUsersNameThem: a comment in Go may use the names of Go.
func TestSettingsAreNamedAsUsersNameThem(t *testing.T) {
	t.Parallel()
	all := structs(t)
	for path, want := range map[[2]string]string{
		{"SiteSettings", "domain"}:                     "Set together with certificateArn.",
		{"SiteSettings", "enabled"}:                    "whatever auth.allowedOrigins are",
		{"StreamingServiceArgs", "functionArchiveDir"}: "built for functions.architecture",
		{"ThrottleSettings", "webSocketRateLimit"}:     "of the WebSocket API",
	} {
		found := false
		for _, f := range all[path[0]].Fields {
			found = found || f.Name == path[1] && strings.Contains(f.Doc, want)
		}
		if !found {
			t.Errorf("%s.%s does not say %q", path[0], path[1], want)
		}
	}
}

func structs(t *testing.T) map[string]reference.Struct {
	t.Helper()
	all, err := reference.Read(os.DirFS("../../components"))
	if err != nil {
		t.Fatal(err)
	}
	return all
}
