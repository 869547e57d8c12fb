package components

import (
	"reflect"
	"strconv"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// plain returns the Go value of an input: string, int, float64, bool,
// []string, map[string]string, or nil if nothing is set. It returns false if
// the input is, or holds, an Output.
func plain(input any) (v any, known bool) {
	if input == nil {
		return nil, true
	}
	if _, ok := input.(pulumi.Output); ok {
		return nil, false
	}
	r := reflect.ValueOf(input)
	switch r.Kind() {
	case reflect.Pointer:
		if r.IsNil() {
			return nil, true
		}
		return plain(r.Elem().Interface())
	case reflect.Slice:
		return plainSlice(r)
	case reflect.Map:
		return plainMap(r)
	case reflect.Int:
		return int(r.Int()), true
	case reflect.Float64:
		return r.Float(), true
	case reflect.Bool:
		return r.Bool(), true
	default:
		if r.String() == "" && r.Type() == reflect.TypeFor[string]() {
			return nil, true // a plain string that is empty is not given
		}
		return r.String(), true
	}
}

func plainSlice(r reflect.Value) (any, bool) {
	list := make([]string, r.Len())
	for i := range list {
		v, known := plain(r.Index(i).Interface())
		if !known {
			return nil, false
		}
		list[i], _ = v.(string)
	}
	return list, true
}

func plainMap(r reflect.Value) (any, bool) {
	entries := make(map[string]string, r.Len())
	for _, key := range r.MapKeys() {
		v, known := plain(r.MapIndex(key).Interface())
		if !known {
			return nil, false
		}
		entries[key.String()], _ = v.(string)
	}
	return entries, true
}

// asOutput returns the Output that an input is or, for collections that hold
// Outputs, becomes.
func asOutput(input any) pulumi.Output {
	switch in := input.(type) {
	case pulumi.Output:
		return in
	case pulumi.StringArrayInput:
		return in.ToStringArrayOutput()
	case pulumi.StringMapInput:
		return in.ToStringMapOutput()
	default:
		return pulumi.ToOutput(input)
	}
}

// text returns a setting as the text of an environment variable: lists are
// joined by commas. A plain setting stays plain.
func text(input pulumi.Input) pulumi.StringInput {
	if v, known := plain(input); known {
		return pulumi.String(textOf(v))
	}
	return asOutput(input).ApplyT(func(v any) string { return textOf(orDefault(v, nil)) }).(pulumi.StringOutput)
}

func textOf(v any) string {
	switch v := v.(type) {
	case int:
		return strconv.Itoa(v)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case bool:
		return strconv.FormatBool(v)
	case []string:
		return strings.Join(v, ",")
	case string:
		return v
	default:
		return ""
	}
}

// required turns an optional setting that has a value into the input of a
// property that needs one.
func required(input pulumi.StringPtrInput) pulumi.StringInput { return text(input) }
