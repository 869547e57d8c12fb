package provision

import (
	"context"
	"slices"

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
	if k.outputs == nil {
		return name, nil, nil
	}
	return name, k.outputs(name, inputs), nil
}

func (k operational) update(context.Context, string, resource.PropertyMap, resource.PropertyMap) (Outputs, error) {
	return nil, nil
}

func (k operational) remove(context.Context, string, resource.PropertyMap) error { return nil }

func (k operational) effect() bool { return false }

func (k operational) named() resource.PropertyKey { return k.name.property }

var _ kind = operational{}
