package stack

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// decoder puts configuration into settings and collects what is wrong with it.
type decoder struct {
	problems []string
	secret   bool // whether the key being decoded is a secret
}

// topLevel decodes a key: an object is JSON, a scalar is its own text.
func (d *decoder) topLevel(name, text string, target reflect.Value) {
	if target.Kind() == reflect.String {
		target.SetString(text)
		return
	}
	v, err := parse(text)
	if err != nil {
		v = text
	}
	d.value(name, v, target)
}

func parse(text string) (v any, err error) {
	decoder := json.NewDecoder(bytes.NewReader([]byte(text)))
	decoder.UseNumber()
	if err := decoder.Decode(&v); err != nil {
		return nil, fmt.Errorf("parsing configuration: %w", err)
	}
	return v, nil
}

// value decodes v into target by target's type. Null is as good as absent.
func (d *decoder) value(path string, v any, target reflect.Value) {
	if v == nil {
		return
	}
	if target.Kind() == reflect.Map && target.Type().Elem().Kind() == reflect.Struct {
		d.structures(path, v, target)
		return
	}
	switch target.Type() {
	case reflect.TypeFor[pulumi.StringArrayInput]():
		d.list(path, v, target)
	case reflect.TypeFor[pulumi.StringMapInput]():
		d.stringMap(path, v, target)
	default:
		if target.Kind() == reflect.Pointer && target.Type().Elem().Kind() == reflect.Struct {
			target.Set(reflect.New(target.Type().Elem()))
			d.structure(path, v, target.Elem())
			return
		}
		d.scalar(path, v, target)
	}
}

func (d *decoder) structure(path string, v any, target reflect.Value) {
	object, ok := v.(map[string]any)
	if !ok {
		d.wrong(path, "an object", v)
		return
	}
	fields := fieldsOf(target.Type())
	for name, element := range object {
		if index, known := fields[name]; known {
			d.value(path+"."+name, element, target.Field(index))
		} else {
			d.unknown(path+".", name, fields)
		}
	}
}

// structures decodes an object of which each member is a structure.
func (d *decoder) structures(path string, v any, target reflect.Value) {
	object, ok := v.(map[string]any)
	if !ok {
		d.wrong(path, "an object", v)
		return
	}
	target.Set(reflect.MakeMap(target.Type()))
	for name, members := range object {
		element := reflect.New(target.Type().Elem()).Elem()
		d.structure(path+"."+name, members, element)
		target.SetMapIndex(reflect.ValueOf(name), element)
	}
}

func (d *decoder) list(path string, v any, target reflect.Value) {
	elements, ok := v.([]any)
	if !ok {
		d.wrong(path, "a list of strings", v)
		return
	}
	list := make([]string, len(elements))
	for i, element := range elements {
		if list[i], ok = stringOf(element); !ok {
			d.wrong(path+"["+strconv.Itoa(i)+"]", "a string", element)
		}
	}
	d.set(target, pulumi.ToStringArray(list))
}

func (d *decoder) stringMap(path string, v any, target reflect.Value) {
	object, ok := v.(map[string]any)
	if !ok {
		d.wrong(path, "an object", v)
		return
	}
	entries := map[string]string{}
	for key, element := range object {
		if entries[key], ok = stringOf(element); !ok {
			d.wrong(path+"."+key, "a string", element)
		}
	}
	d.set(target, pulumi.ToStringMap(entries))
}

// scalar decodes a leaf. Numbers and booleans may be written as strings and
// the other way round: `pulumi config set --path` turns 10 into a number but
// leaves 0.5 a string.
func (d *decoder) scalar(path string, v any, target reflect.Value) {
	text, ok := stringOf(v)
	var err error
	switch target.Type() {
	case reflect.TypeFor[pulumi.IntPtrInput](), reflect.TypeFor[*int]():
		var n int
		if n, err = strconv.Atoi(text); !ok || err != nil {
			d.wrong(path, "an integer", v)
			return
		}
		if target.Kind() == reflect.Pointer {
			target.Set(reflect.ValueOf(&n))
			return
		}
		d.set(target, pulumi.Int(n))
	case reflect.TypeFor[pulumi.BoolPtrInput](), reflect.TypeFor[*bool]():
		if text != "true" && text != "false" {
			d.wrong(path, "true or false", v)
			return
		}
		b := text == "true"
		if target.Kind() == reflect.Pointer {
			target.Set(reflect.ValueOf(&b))
			return
		}
		d.set(target, pulumi.Bool(b))
	case reflect.TypeFor[pulumi.Float64PtrInput]():
		var n float64
		if n, err = strconv.ParseFloat(text, 64); !ok || err != nil {
			d.wrong(path, "a number", v)
			return
		}
		d.set(target, pulumi.Float64(n))
	default:
		if !ok {
			d.wrong(path, "a string", v)
			return
		}
		if target.Kind() == reflect.String {
			target.SetString(text)
			return
		}
		d.set(target, pulumi.String(text))
	}
}

// set gives a setting its value, hidden in the state if the key is a secret.
func (d *decoder) set(target reflect.Value, input pulumi.Input) {
	if d.secret {
		input = pulumi.ToSecret(input).(pulumi.Input)
	}
	target.Set(reflect.ValueOf(input))
}

// stringOf returns the text of a scalar.
func stringOf(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case json.Number:
		return v.String(), true
	case bool:
		return strconv.FormatBool(v), true
	default:
		return "", false
	}
}

func (d *decoder) wrong(path, want string, got any) {
	shown, err := json.Marshal(got)
	if err != nil {
		shown = []byte(fmt.Sprint(got))
	}
	if d.secret {
		shown = []byte("[secret]")
	}
	d.problems = append(d.problems, fmt.Sprintf("%s must be %s, got %s", path, want, shown))
}

// unknown refuses a key, naming the valid one that is spelled most alike.
func (d *decoder) unknown(prefix, name string, fields map[string]int) {
	nearest := slices.MinFunc(slices.Sorted(maps.Keys(fields)), func(a, b string) int {
		return distance(name, a) - distance(name, b)
	})
	problem := "unknown config key " + prefix + name
	if distance(name, nearest) <= max(2, len(name)/2) {
		problem += ", did you mean " + prefix + nearest + "?"
	} else {
		problem += ", valid are " + strings.Join(slices.Sorted(maps.Keys(fields)), ", ")
	}
	d.problems = append(d.problems, problem)
}

// distance is the number of letters to insert, delete or replace to make one
// word of another, whatever their case.
func distance(a, b string) int {
	a, b = strings.ToLower(a), strings.ToLower(b)
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replaced := diagonal
			if a[i] != b[j] {
				replaced++
			}
			diagonal = row[j+1]
			row[j+1] = min(replaced, row[j+1]+1, row[j]+1)
		}
	}
	return row[len(b)]
}
