package provision

import (
	"context"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// operational is a kind that only operates a service on AWS. It is accepted
// with any property, keeps its name and changes nothing on one machine.
type operational struct {
	name autoname
	// outputs are what the resource has beyond its inputs, by its id; may be nil.
	outputs func(id string, inputs resource.PropertyMap) Outputs
	// id is the property that is the physical id; "" for the name.
	id resource.PropertyKey
	// replacing are the further properties whose change needs another resource.
	replacing []string
}

func (k operational) check(r Resource, seed []byte, inputs resource.PropertyMap) (resource.PropertyMap, error) {
	checked := inputs.Copy()
	return checked, k.name.complete(r, seed, checked)
}

func (k operational) replaces(property string) bool {
	return property == string(k.name.property) || property == string(k.id) || slices.Contains(k.replacing, property)
}

func (k operational) create(_ context.Context, r Resource, inputs resource.PropertyMap) (string, Outputs, error) {
	name := r.Name
	for _, key := range []resource.PropertyKey{k.name.property, k.id} {
		if v, ok := inputs[key]; ok && v.IsString() {
			name = v.StringValue()
		}
	}
	return k.identify(name, inputs), k.outputsOf(inputs, name), nil
}

// identify returns the physical id: a replacement stands for a moment beside
// what it replaces, and so differs from it.
func (k operational) identify(name string, inputs resource.PropertyMap) string {
	parts := []string{name}
	for _, key := range k.replacing {
		if v, ok := inputs[resource.PropertyKey(key)]; ok && v.IsString() {
			parts = append(parts, v.StringValue())
		}
	}
	return strings.Join(parts, ",")
}

func (k operational) outputsOf(inputs resource.PropertyMap, name string) Outputs {
	if k.outputs == nil {
		return nil
	}
	return k.outputs(name, inputs)
}

func (k operational) update(_ context.Context, id string, _, inputs resource.PropertyMap) (Outputs, error) {
	name, _, _ := strings.Cut(id, ",")
	return k.outputsOf(inputs, name), nil
}

func (k operational) remove(context.Context, string, resource.PropertyMap) error { return nil }

func (k operational) effect() bool { return false }

func (k operational) named() resource.PropertyKey { return k.name.property }

var _ kind = operational{}
