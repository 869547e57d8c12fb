package engine_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/streaming-service/streaming-service/components"
)

// data are the resources that hold what cannot be made again.
var data = []string{
	"streaming-quota-table", "streaming-requests-table", "streaming-connections-table",
	"streaming-user-pool", "streaming-user-pool-client", "streaming-queue", "streaming-dead-letter-queue",
}

// TestUpdatesOfSettings changes one setting after the other and keeps the table
// of the documentation.
func TestUpdatesOfSettings(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes a minute")
	}
	for _, group := range []struct {
		name    string
		base    settings
		changes []change
	}{
		{"dev", nil, changesOfDev},
		{"featured", featured, changesOfFeatured},
	} {
		t.Run(group.name, func(t *testing.T) {
			t.Parallel()
			s := startCloud(t).newStack(t, group.name, group.base)
			// The other tests have the engine save its state after every change.
			s.Workspace().SetEnvVar("PULUMI_SKIP_CHECKPOINTS", "true")
			s.up("up")
			table := "| setting | change | what happens |\n|---|---|---|\n"
			for _, c := range group.changes {
				table += fmt.Sprintf("| `%s` | %s | %s |\n", c.setting, exampleOf(s, group.base, c), s.effectOf(group.base, c))
			}
			keepSection(t, group.name, table)
			s.updateTogether(group.base, group.changes)
		})
	}
}

// effectOf describes what a change does. A preview tells it exactly unless other
// resources are made on which those that stay depend; such a change is done and
// taken back.
func (s *testStack) effectOf(base settings, c change) string {
	s.t.Helper()
	s.configure(base, c.settings())
	did := s.preview(c.setting)
	if made := len(did.creates) + len(did.replaces); made > 0 && len(did.updates) > 0 && !c.unserved {
		did = s.up(c.setting)
		s.configure(base)
		s.up("back")
	}
	for _, name := range slices.Concat(did.replaces, did.deletes) {
		if slices.Contains(data, name) && !c.losesData {
			s.t.Errorf("%s: the change would lose %s", c.setting, name)
		}
	}
	return did.described()
}

// updateTogether makes all changes at once that leave everything in its place,
// and checks that the cloud takes them and the service still answers.
func (s *testStack) updateTogether(base settings, changes []change) {
	s.t.Helper()
	together := []settings{base}
	for _, c := range changes {
		if !c.unserved && c.setting != "auth.selfSignUp" { // the test signs up
			together = append(together, c.settings())
		}
	}
	s.configure(together...)
	s.up("all changes")
	if drifted := s.refresh("refresh"); drifted != 0 {
		s.t.Errorf("%d resources drifted", drifted)
	}
	s.stream("ada@example.com")
	s.configure(base)
	s.up("all changes back")
	if again := s.up("again"); !again.nothing() {
		s.t.Errorf("the second update did %s", again.described())
	}
	s.destroy("destroy")
	for service, names := range s.cloud.Declared() {
		for _, name := range names {
			if !strings.HasPrefix(name, "streaming-api-gateway-log-role-") { // kept, as documented
				s.t.Errorf("the destroyed stack left %s in %s", name, service)
			}
		}
	}
}

// exampleOf shows the change of a setting.
func exampleOf(s *testStack, base settings, c change) string {
	s.t.Helper()
	from, ok := base[c.setting]
	if !ok {
		return fmt.Sprintf("to `%s`", shown(c.to))
	}
	return fmt.Sprintf("`%s` to `%s`", shown(from), shown(c.to))
}

// shown is a value as in a table; of an ARN only its end.
func shown(value any) string {
	if text, ok := value.(string); ok {
		if strings.HasPrefix(text, "arn:") {
			return "…" + text[strings.LastIndex(text, ":"):]
		}
		return text
	}
	encoded, err := json.Marshal(value)
	if err != nil {
		return fmt.Sprint(value)
	}
	return string(encoded)
}

// TestEverySettingIsChanged fails when a setting has no row in the table.
func TestEverySettingIsChanged(t *testing.T) {
	t.Parallel()
	changed := map[string]bool{"functionArchiveDir": true} // TestUpdatesOfCode
	for _, c := range slices.Concat(changesOfDev, changesOfFeatured) {
		for path := range c.settings() {
			changed[strings.Replace(path, "tiers.pro.", "tiers.*.", 1)] = true
		}
	}
	for _, path := range pathsOf("", reflect.TypeFor[components.StreamingServiceArgs]()) {
		// The ids of models hold dots, so that their prices change together.
		if !changed[path] && !strings.HasPrefix(path, "model.prices.*.") {
			t.Errorf("no test changes %s", path)
		}
	}
}

// pathsOf returns the path of every setting in a struct of settings.
func pathsOf(prefix string, settings reflect.Type) []string {
	var paths []string
	for _, field := range reflect.VisibleFields(settings) {
		name, _, _ := strings.Cut(field.Tag.Get("pulumi"), ",")
		switch {
		case name == "":
		case field.Type.Kind() == reflect.Pointer && field.Type.Elem().Kind() == reflect.Struct:
			paths = append(paths, pathsOf(prefix+name+".", field.Type.Elem())...)
		case field.Type.Kind() == reflect.Map && field.Type.Elem().Kind() == reflect.Struct:
			paths = append(append(paths, prefix+name), pathsOf(prefix+name+".*.", field.Type.Elem())...)
		default:
			paths = append(paths, prefix+name)
		}
	}
	return paths
}

// keepSection compares a section of docs/updates.md with what a test found, or
// rewrites it.
func keepSection(t testing.TB, name, text string) {
	t.Helper()
	begin, end := fmt.Sprintf("<!-- begin %s -->\n", name), fmt.Sprintf("<!-- end %s -->\n", name)
	page.Lock()
	defer page.Unlock()
	path := filepath.Join(root, "docs", "updates.md")
	content := string(readFile(t, path))
	before, rest, ok := strings.Cut(content, begin)
	kept, after, okEnd := strings.Cut(rest, end)
	if !ok || !okEnd {
		t.Fatalf("%s has no section %s", path, name)
	}
	if kept == text {
		return
	}
	if !*update {
		t.Errorf("section %s of docs/updates.md is not current; run go test -update in tests/engine and read the difference. It should be:\n%s", name, text)
		return
	}
	if err := os.WriteFile(path, []byte(before+begin+text+end+after), 0o644); err != nil {
		t.Fatal(err)
	}
}
