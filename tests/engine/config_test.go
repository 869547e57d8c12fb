package engine_test

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

// settings are values by path, such as quota.monthlyRequests. A nil value
// removes what is there.
type settings map[string]any

// configFile is the file with the configuration of the stack.
func (s *testStack) configFile() string {
	return filepath.Join(s.Workspace().WorkDir(), "Pulumi."+s.Name()+".yaml")
}

// configure writes the configuration anew: what the stack began with, changed
// by each of the settings in turn.
func (s *testStack) configure(changes ...settings) {
	s.t.Helper()
	if s.initial == nil {
		s.initial = readFile(s.t, s.configFile())
	}
	var file map[string]any
	if err := yaml.Unmarshal(s.initial, &file); err != nil {
		s.t.Fatal(err)
	}
	config, _ := file["config"].(map[string]any)
	for _, change := range changes {
		for _, path := range slices.Sorted(maps.Keys(change)) { // objects before what is in them
			value := change[path]
			setPath(config, project+":"+path, ownCopy(s.t, value))
		}
	}
	encoded, err := yaml.Marshal(file)
	if err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(s.configFile(), encoded, 0o644); err != nil {
		s.t.Fatal(err)
	}
}

// setPath sets a value in nested objects, which it makes where there are none.
func setPath(object map[string]any, path string, value any) {
	key, rest, nested := strings.Cut(path, ".")
	switch {
	case nested:
		inner, ok := object[key].(map[string]any)
		if !ok {
			inner = map[string]any{}
			object[key] = inner
		}
		setPath(inner, rest, value)
	case value == nil:
		delete(object, key)
	default:
		object[key] = value
	}
}

// ownCopy returns a copy of a value as YAML knows it.
func ownCopy(t testing.TB, value any) (own any) {
	t.Helper()
	encoded, err := yaml.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(encoded, &own); err != nil {
		t.Fatal(err)
	}
	return own
}

func readFile(t testing.TB, path string) []byte {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return content
}
