package provision

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// Outputs are the properties that a resource has beyond its inputs.
type Outputs map[string]any

// kind is what the table holds for a resource type.
type kind interface {
	// check returns the inputs with the name and defaults that the provider
	// chooses, or what is wrong with them.
	check(r Resource, seed []byte, inputs resource.PropertyMap) (resource.PropertyMap, error)
	// named is the property that is the physical name; "" when there is none.
	named() resource.PropertyKey
	// replaces lists the properties whose change needs another resource.
	replaces(property string) bool
	create(ctx context.Context, r Resource, inputs resource.PropertyMap) (id string, outputs Outputs, err error)
	// update returns the outputs that changed beside the inputs.
	update(ctx context.Context, id string, old, inputs resource.PropertyMap) (Outputs, error)
	remove(ctx context.Context, id string, inputs resource.PropertyMap) error
	// effect tells whether the resource changes what the local cloud does.
	effect() bool
}

// Resource is the identity of a declared resource.
type Resource struct {
	URN  string
	Type string // type token
	Name string // logical name
	Seed []byte // of stable ids; none under an engine
}

// realised is a kind that a service of the local cloud makes real. I is the
// struct of its inputs: the json tags name the properties; a field tagged
// change:"replace" needs another resource when it changes.
type realised[I any] struct {
	name      autoname // how the resource gets a physical name
	defaults  resource.PropertyMap
	onCreate  func(ctx context.Context, r Resource, in I) (id string, out Outputs, err error)
	onUpdate  func(ctx context.Context, id string, old, in I) (Outputs, error) // nil: every change replaces
	onDelete  func(ctx context.Context, id string, in I) error                 // nil: goes with its owner
	validate  func(in I) error                                                 // nil: the service validates
	replacing []string                                                         // filled by newKind
}

// newKind completes a table entry from the tags of its inputs.
func newKind[I any](k realised[I]) kind {
	for _, field := range reflect.VisibleFields(reflect.TypeFor[I]()) {
		if field.Tag.Get("change") == "replace" {
			name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
			k.replacing = append(k.replacing, name)
		}
	}
	return k
}

func (k realised[I]) check(r Resource, seed []byte, inputs resource.PropertyMap) (resource.PropertyMap, error) {
	checked := inputs.Copy()
	for key, value := range k.defaults {
		if v, ok := checked[key]; !ok || v.IsNull() {
			checked[key] = value
		}
	}
	if err := k.name.complete(r, seed, checked); err != nil {
		return nil, err
	}
	if checked.ContainsUnknowns() {
		return checked, nil // a preview: the values come with the update
	}
	in, err := decode[I](checked)
	if err == nil && k.validate != nil {
		err = k.validate(in)
	}
	return checked, err
}

func (k realised[I]) replaces(property string) bool {
	return k.onUpdate == nil || slices.Contains(k.replacing, property)
}

func (k realised[I]) create(ctx context.Context, r Resource, inputs resource.PropertyMap) (string, Outputs, error) {
	in, err := decode[I](inputs)
	if err != nil {
		return "", nil, err
	}
	return k.onCreate(ctx, r, in)
}

func (k realised[I]) update(ctx context.Context, id string, old, inputs resource.PropertyMap) (Outputs, error) {
	if k.onUpdate == nil {
		return nil, fmt.Errorf("updating %s: only a replacement changes it", id)
	}
	before, err := decode[I](old)
	if err != nil {
		return nil, err
	}
	after, err := decode[I](inputs)
	if err != nil {
		return nil, err
	}
	return k.onUpdate(ctx, id, before, after)
}

func (k realised[I]) remove(ctx context.Context, id string, inputs resource.PropertyMap) error {
	if k.onDelete == nil {
		return nil
	}
	in, err := decode[I](inputs)
	if err != nil {
		return err
	}
	return k.onDelete(ctx, id, in)
}

func (k realised[I]) effect() bool { return true }

func (k realised[I]) named() resource.PropertyKey { return k.name.property }

var _ kind = realised[struct{}]{}
