package provision

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// Provider creates, updates and deletes resources in the services of the local
// cloud. It may be used concurrently.
type Provider struct {
	kinds map[string]kind

	mu   sync.Mutex
	live map[liveKey]liveResource
}

// liveKey is an id and the URN that it belongs to: two resources of one URN
// stand beside each other during a replacement, and the ids of some types, such
// as stages, are not unique.
type liveKey struct{ urn, id string }

// liveResource is a resource that exists.
type liveResource struct {
	token   string
	outputs resource.PropertyMap
}

// New returns a provider of the services.
func New(services Services) *Provider {
	return &Provider{kinds: kinds(services), live: map[liveKey]liveResource{}}
}

// Types lists the resource types that the provider knows and whether each
// changes what the local cloud does; the others only operate a service on AWS.
func (p *Provider) Types() map[string]bool {
	types := make(map[string]bool, len(p.kinds))
	for token, k := range p.kinds {
		types[token] = k.effect()
	}
	return types
}

// Check returns the inputs with the physical name and the defaults that the
// provider chooses. The same seed gives the same name.
func (p *Provider) Check(r Resource, seed []byte, inputs resource.PropertyMap) (resource.PropertyMap, error) {
	k, err := p.kind(r.Type)
	if err != nil {
		return nil, err
	}
	checked, err := k.check(r, seed, inputs)
	if err != nil {
		return nil, fmt.Errorf("checking %s %q: %w", r.Type, r.Name, err)
	}
	return checked, nil
}

// Change is what a difference between inputs leads to.
type Change struct {
	Properties []string // that differ, sorted
	Replaces   []string // those of them that need another resource
}

// Diff compares the inputs of a resource before and after.
func (p *Provider) Diff(token string, old, inputs resource.PropertyMap) (Change, error) {
	k, err := p.kind(token)
	if err != nil {
		return Change{}, err
	}
	var change Change
	keys := maps.Clone(old)
	maps.Copy(keys, inputs)
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		if same(old[key], inputs[key]) {
			continue
		}
		change.Properties = append(change.Properties, string(key))
		if k.replaces(string(key)) {
			change.Replaces = append(change.Replaces, string(key))
		}
	}
	return change, nil
}

// Create makes a resource real. Outputs hold its inputs too.
func (p *Provider) Create(ctx context.Context, r Resource, inputs resource.PropertyMap) (string, resource.PropertyMap, error) {
	k, err := p.kind(r.Type)
	if err != nil {
		return "", nil, err
	}
	id, extra, err := k.create(ctx, r, inputs)
	if err != nil {
		return "", nil, fmt.Errorf("creating %s %q: %w", r.Type, r.Name, err)
	}
	outputs := merge(inputs, extra)
	p.remember(r, id, outputs)
	return id, outputs, nil
}

// Update changes a resource in place.
func (p *Provider) Update(ctx context.Context, r Resource, id string, old, inputs resource.PropertyMap) (resource.PropertyMap, error) {
	k, err := p.kind(r.Type)
	if err != nil {
		return nil, err
	}
	extra, err := k.update(ctx, id, old, inputs)
	if err != nil {
		return nil, fmt.Errorf("updating %s %q: %w", r.Type, r.Name, err)
	}
	outputs, _ := p.Read(r.URN, id)
	outputs = outputs.Copy()
	for key := range old {
		delete(outputs, key)
	}
	maps.Copy(outputs, merge(inputs, extra))
	p.remember(r, id, outputs)
	return outputs, nil
}

// Delete ends a resource. What is gone already is no error.
func (p *Provider) Delete(ctx context.Context, r Resource, id string, inputs resource.PropertyMap) error {
	k, err := p.kind(r.Type)
	if err != nil {
		return err
	}
	if _, ok := p.Read(r.URN, id); !ok {
		return nil
	}
	if err := k.remove(ctx, id, inputs); err != nil {
		return fmt.Errorf("deleting %s %q: %w", r.Type, r.Name, err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.live, liveKey{r.URN, id})
	return nil
}

// Read returns the outputs of a resource that exists.
func (p *Provider) Read(urn, id string) (resource.PropertyMap, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	found, ok := p.live[liveKey{urn, id}]
	return found.outputs, ok
}

// Find returns the outputs of a resource of any program by its type and id.
func (p *Provider) Find(token, id string) (resource.PropertyMap, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for key, found := range p.live {
		if found.token == token && key.id == id {
			return found.outputs, true
		}
	}
	return nil, false
}

func (p *Provider) remember(r Resource, id string, outputs resource.PropertyMap) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.live[liveKey{r.URN, id}] = liveResource{r.Type, outputs}
}

// nameOf returns the property that holds the physical name of a type; "" when
// there is none.
func (p *Provider) nameOf(token string) resource.PropertyKey {
	k, err := p.kind(token)
	if err != nil {
		return ""
	}
	return k.named()
}

func (p *Provider) kind(token string) (kind, error) {
	k, ok := p.kinds[token]
	if !ok {
		return nil, fmt.Errorf("resource type %s has no counterpart in the local cloud", token)
	}
	return k, nil
}

// merge returns the inputs that are set, overlaid with the outputs.
func merge(inputs resource.PropertyMap, extra Outputs) resource.PropertyMap {
	merged := resource.PropertyMap{}
	for key, value := range inputs {
		if !value.IsNull() {
			merged[key] = value
		}
	}
	maps.Copy(merged, resource.NewPropertyMapFromMap(extra))
	return merged
}

// same compares two values as a provider sees them: without secretness, and an
// archive by its contents.
func same(a, b resource.PropertyValue) bool {
	a, b = bare(a), bare(b)
	if a.IsArchive() && b.IsArchive() {
		return a.ArchiveValue().Hash == b.ArchiveValue().Hash
	}
	return a.DeepEquals(b)
}

func bare(value resource.PropertyValue) resource.PropertyValue {
	switch {
	case value.IsSecret():
		return bare(value.SecretValue().Element)
	case value.IsOutput() && value.OutputValue().Known:
		return bare(value.OutputValue().Element)
	}
	return value
}
