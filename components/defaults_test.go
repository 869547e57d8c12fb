package components_test

import (
	"fmt"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/streaming-service/streaming-service/components"
	"github.com/streaming-service/streaming-service/internal/reference"
)

// The documentation of every setting states the default that the component
// applies, by its value; settings.md and the schema's descriptions are made from
// it.
func TestDocumentationStatesTheDefaults(t *testing.T) {
	t.Parallel()
	structs, err := reference.Read(os.DirFS("."))
	if err != nil {
		t.Fatal(err)
	}
	documented := map[string]string{} // by Struct.setting
	for name, s := range structs {
		for _, field := range s.Fields {
			_, documented[name+"."+field.Name], _ = strings.Cut(field.Doc, "Default: ")
		}
	}
	compared := 0
	for name, value := range defaultsOf(t) {
		if value == "" {
			if literal.MatchString(documented[name]) {
				t.Errorf("%s has no default, and its documentation says %q", name, documented[name])
			}
			continue
		}
		compared++
		if rest, ok := strings.CutPrefix(documented[name], value); !ok || rest != "" && !strings.ContainsAny(rest[:1], " ,.;:") {
			t.Errorf("%s is %s by default, and its documentation says %q", name, value, documented[name])
		}
	}
	if compared < 40 {
		t.Errorf("compared %d defaults, want all of them", compared)
	}
}

// literal is a value other than those that a setting has when it is off.
var literal = regexp.MustCompile(`^([1-9][0-9]*|true)\b`)

// defaultsOf returns the value of every setting by Struct.setting, "" where there
// is none.
func defaultsOf(t *testing.T) map[string]string {
	t.Helper()
	values := map[string]string{}
	args := reflect.ValueOf(components.Defaults()).Elem()
	add := func(of reflect.Value) {
		for i := range of.NumField() {
			field := of.Type().Field(i)
			name, _, _ := strings.Cut(field.Tag.Get("pulumi"), ",")
			if name == "" {
				continue
			}
			values[of.Type().Name()+"."+name] = ""
			if value, _ := components.Plain(of.Field(i).Interface()); value != nil && !of.Field(i).IsZero() {
				values[of.Type().Name()+"."+name] = fmt.Sprint(value)
			}
		}
	}
	add(args)
	for i := range args.NumField() {
		if topic := args.Field(i); topic.Kind() == reflect.Pointer && topic.Elem().Kind() == reflect.Struct {
			delete(values, args.Type().Name()+"."+strings.Split(args.Type().Field(i).Tag.Get("pulumi"), ",")[0])
			add(topic.Elem())
		}
	}
	return values
}
