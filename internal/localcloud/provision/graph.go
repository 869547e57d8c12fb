package provision

import (
	"slices"
	"sync"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// Node is a resource of a run program.
type Node struct {
	URN    string `json:"urn"`
	Type   string `json:"type"`
	Name   string `json:"name"`
	Parent string `json:"parent"` // URN; empty for the stack
	ID     string `json:"id"`     // physical id; empty for a component
	// Effect is false for what only operates a service on AWS, such as an
	// alarm: it is accepted and changes nothing here.
	Effect bool `json:"effect"`
}

// Graph is what a program declared, in the order of its registrations, and the
// outputs of its stack.
type Graph struct {
	mu      sync.Mutex
	nodes   []Node
	outputs resource.PropertyMap
}

// Nodes returns the resources registered so far.
func (g *Graph) Nodes() []Node {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.nodes)
}

// Outputs returns the stack outputs as plain values, secrets included.
func (g *Graph) Outputs() map[string]any {
	g.mu.Lock()
	defer g.mu.Unlock()
	plain, err := plainMap(g.outputs)
	if err != nil {
		return map[string]any{}
	}
	return plain
}

func (g *Graph) add(node Node) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.nodes = append(g.nodes, node)
}

func (g *Graph) setOutputs(outputs resource.PropertyMap) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.outputs = outputs
}
