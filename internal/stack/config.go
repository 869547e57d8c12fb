package stack

import (
	"errors"
	"reflect"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/streaming-service/streaming-service/components"
)

// argsOf reads the settings from the configuration of the stack: a key for
// each field of StreamingServiceArgs, by the names of the schema.
func argsOf(ctx *pulumi.Context, config map[string]string) (*components.StreamingServiceArgs, error) {
	args := &components.StreamingServiceArgs{}
	d := &decoder{}
	target := reflect.ValueOf(args).Elem()
	fields := fieldsOf(target.Type())
	d.unknownKeys(ctx.Project(), config, fields)
	for name, index := range fields {
		key := ctx.Project() + ":" + name
		text, ok := ctx.GetConfig(key)
		if !ok {
			continue
		}
		d.secret = ctx.IsConfigSecret(key)
		d.topLevel(name, text, target.Field(index))
	}
	if len(d.problems) > 0 {
		slices.Sort(d.problems)
		return nil, errors.New("the stack's configuration is not valid:\n" + strings.Join(d.problems, "\n"))
	}
	return args, nil
}

// unknownKeys refuses keys of this project that no field has. Keys of other
// namespaces, such as aws:region, belong to others.
func (d *decoder) unknownKeys(project string, config map[string]string, fields map[string]int) {
	for key := range config {
		if name, ok := strings.CutPrefix(key, project+":"); ok {
			if _, known := fields[name]; !known {
				d.unknown("", name, fields)
			}
		}
	}
}

// fieldsOf returns the index of each field by its name in the schema.
func fieldsOf(t reflect.Type) map[string]int {
	fields := map[string]int{}
	for i := range t.NumField() {
		if tag, ok := t.Field(i).Tag.Lookup("pulumi"); ok {
			name, _, _ := strings.Cut(tag, ",")
			fields[name] = i
		}
	}
	return fields
}
