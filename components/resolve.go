package components

import (
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// resolve returns a copy of args in which every setting has its value or its
// default. It fails, naming every problem, if a plain value breaks a rule;
// Outputs are held to the same rules as soon as they are known, before any
// resource receives them.
func resolve(name string, args *StreamingServiceArgs) (*StreamingServiceArgs, error) {
	if args == nil {
		args = &StreamingServiceArgs{}
	}
	resolved := *args
	found := settings{values: values{}}
	found.structure("", "", reflect.ValueOf(&resolved).Elem(), reflect.ValueOf(defaults()).Elem())
	found.values["name"] = value{v: name, rule: "name", known: true, given: true}
	if err := validate(found.values); err != nil {
		return nil, err
	}
	found.canonicalize()
	found.gate()
	found.fill()
	return &resolved, nil
}

// settings are the leaves of a StreamingServiceArgs.
type settings struct {
	values  values
	outputs []outputSetting
	lists   []listSetting
	maps    []mapSetting
}

// mapSetting is a map of settings structs, of which entries are copies.
type mapSetting struct {
	field   reflect.Value
	entries map[string]reflect.Value
}

// listSetting is a list whose value is known and has a canonical form.
type listSetting struct {
	form  func([]string) []string
	value []string
	field reflect.Value
}

// outputSetting is a setting whose value is known later.
type outputSetting struct {
	path     string
	rule     string
	field    reflect.Value // holds the Output
	fallback any           // the plain default, or nil
}

// structure collects the leaves of a settings struct and puts defaults where
// nothing is given. Nested structs are copied, so that the caller's stay as
// they are. Path is that of the struct; rule is the path under which the table
// of checks has it, where '*' stands for the name of a tier or the id of
// a model.
func (s *settings) structure(path, rule string, target, defaults reflect.Value) {
	for i := range target.NumField() {
		name, ok := settingName(target.Type().Field(i))
		if !ok {
			continue
		}
		path, rule := join(path, name), join(rule, name)
		var fallback reflect.Value
		if defaults.IsValid() {
			fallback = defaults.Field(i)
		}
		switch field := target.Field(i); {
		case isSettings(field.Type()):
			copied := reflect.New(field.Type().Elem())
			if !field.IsNil() {
				copied.Elem().Set(field.Elem())
			}
			field.Set(copied)
			s.structure(path, rule, copied.Elem(), fallback.Elem())
		case isSettingsMap(field.Type()):
			s.mapOf(path, rule, field)
		default:
			s.leaf(path, rule, field, fallback)
		}
	}
}

// mapOf collects the leaves of the structs in a map.
func (s *settings) mapOf(path, rule string, field reflect.Value) {
	copied := mapSetting{field, map[string]reflect.Value{}}
	for _, key := range field.MapKeys() {
		entry := reflect.New(field.Type().Elem()).Elem()
		entry.Set(field.MapIndex(key))
		copied.entries[key.String()] = entry
		s.values[join(path, key.String())] = value{v: key.String(), rule: join(rule, "*"), known: true, given: true}
		s.structure(join(path, key.String()), join(rule, "*"), entry, reflect.Value{})
	}
	s.maps = append(s.maps, copied)
}

// fill puts the maps together again, in place of the caller's.
func (s *settings) fill() {
	for _, m := range s.maps {
		m.field.Set(reflect.MakeMap(m.field.Type()))
		for key, entry := range m.entries {
			m.field.SetMapIndex(reflect.ValueOf(key), entry)
		}
	}
}

func (s *settings) leaf(path, rule string, field, fallback reflect.Value) {
	given := !field.IsZero()
	if !given && fallback.IsValid() && !fallback.IsZero() {
		field.Set(fallback)
	}
	v, known := plain(field.Interface())
	switch {
	case !known:
		setting := outputSetting{path: path, rule: rule, field: field}
		if fallback.IsValid() {
			setting.fallback, _ = plain(fallback.Interface())
		}
		s.outputs = append(s.outputs, setting)
		s.values[path] = value{rule: rule, given: true}
	case v != nil:
		s.values[path] = value{v: v, rule: rule, known: true, given: given}
		if form, ok := canonicalForms[path]; ok {
			s.lists = append(s.lists, listSetting{form, v.([]string), field})
		}
	}
}

// canonicalize puts lists into their canonical form once they are valid.
func (s *settings) canonicalize() {
	for _, l := range s.lists {
		l.field.Set(reflect.ValueOf(pulumi.ToStringArray(l.form(l.value))))
	}
}

// gate makes every Output among the settings wait for the validation of them
// all, and gives those that resolve to nothing their default.
func (s *settings) gate() {
	if len(s.outputs) == 0 {
		return
	}
	inputs := make([]any, len(s.outputs))
	for i, o := range s.outputs {
		inputs[i] = asOutput(o.field.Interface())
	}
	checked := pulumi.Unsecret(pulumi.All(inputs...).ApplyT(func(resolved []any) (bool, error) {
		known := maps.Clone(s.values)
		for i, o := range s.outputs {
			delete(known, o.path)
			v := orDefault(resolved[i], o.fallback)
			if v == nil && decides[o.path] {
				v = "" // which its check refuses
			}
			if v != nil {
				known[o.path] = value{v: v, rule: o.rule, known: true, given: true}
			}
		}
		return true, validate(known)
	}))
	for i, o := range s.outputs {
		o.field.Set(reflect.ValueOf(gated(inputs[i], checked, o)))
	}
}

// gated returns the setting that input is once checked holds, as an Output of a
// type that its field takes.
func gated(input any, checked pulumi.Output, o outputSetting) pulumi.Output {
	both, fallback := pulumi.All(input, checked), o.fallback
	switch o.field.Type() {
	case reflect.TypeFor[pulumi.StringPtrInput]():
		return both.ApplyT(func(v []any) *string { return pointer[string](orDefault(v[0], fallback)) })
	case reflect.TypeFor[pulumi.IntPtrInput]():
		return both.ApplyT(func(v []any) *int { return pointer[int](orDefault(v[0], fallback)) })
	case reflect.TypeFor[pulumi.Float64PtrInput]():
		return both.ApplyT(func(v []any) *float64 { return pointer[float64](orDefault(v[0], fallback)) })
	case reflect.TypeFor[pulumi.BoolPtrInput]():
		return both.ApplyT(func(v []any) *bool { return pointer[bool](orDefault(v[0], fallback)) })
	case reflect.TypeFor[pulumi.StringMapInput]():
		return both.ApplyT(func(v []any) map[string]string { return v[0].(map[string]string) })
	default:
		form, ok := canonicalForms[o.path]
		if !ok {
			form = slices.Clone[[]string]
		}
		return both.ApplyT(func(v []any) []string { return form(v[0].([]string)) })
	}
}

func pointer[T any](v any) *T {
	if v == nil {
		return nil
	}
	return new(v.(T))
}

// orDefault dereferences a resolved Output; nil stands for its default.
func orDefault(v, fallback any) any {
	r := reflect.ValueOf(v)
	if r.Kind() == reflect.Pointer {
		if r.IsNil() {
			return fallback
		}
		return r.Elem().Interface()
	}
	if v == nil {
		return fallback
	}
	return v
}

// decides are the settings whose presence decides which resources exist; an
// Output given for one of them must have a value.
var decides = map[string]bool{
	"auth.userPoolId":             true,
	"auth.userPoolClientId":       true,
	"auth.sesSourceArn":           true,
	"auth.fromEmailAddress":       true,
	"protection.kmsKeyArn":        true,
	"protection.webAclArn":        true,
	"domain.rest":                 true,
	"domain.webSocket":            true,
	"domain.certificateArn":       true,
	"domain.hostedZoneId":         true,
	"site.domain":                 true,
	"site.certificateArn":         true,
	"observability.alarmTopicArn": true,
}

// settingName returns the name by which users know a field, and false for
// fields that are not settings.
func settingName(field reflect.StructField) (string, bool) {
	tag, ok := field.Tag.Lookup("pulumi")
	name, _, _ := strings.Cut(tag, ",")
	return name, ok
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

func isSettingsMap(t reflect.Type) bool {
	return t.Kind() == reflect.Map && t.Elem().Kind() == reflect.Struct
}

func isSettings(t reflect.Type) bool {
	return t.Kind() == reflect.Pointer && t.Elem().Kind() == reflect.Struct
}
