package restapi

import (
	"maps"
	"slices"
	"strings"
)

// methodAny is the method that serves what no other method of its resource does.
const methodAny = "ANY"

// snapshot is a deployment: an API as it was when it was deployed.
type snapshot struct {
	definition
	root *node
}

// node is a resource in the tree of paths.
type node struct {
	path     string
	name     string           // of its variable
	literals map[string]*node // by path part
	variable *node            // {name}
	greedy   *node            // {name+}
}

// route is what serves a request.
type route struct {
	method       method
	resourcePath string
	params       map[string]string
}

func (a *api) deploy() (*snapshot, error) {
	if len(a.methods) == 0 {
		return nil, badRequest("The REST API doesn't contain any methods")
	}
	for key, m := range a.methods {
		if m.integration == nil {
			return nil, badRequest("No integration defined for method %s %s", key.httpMethod, key.path)
		}
	}
	snap := &snapshot{definition: a.definition}
	snap.root = snap.tree("/")
	return snap, nil
}

func (d definition) tree(path string) *node {
	_, part := splitPath(path)
	n := &node{path: path, name: strings.TrimSuffix(strings.Trim(part, "{}"), "+"), literals: map[string]*node{}}
	for _, child := range d.childrenOf(path) {
		below := d.tree(strings.TrimSuffix(path, "/") + "/" + child)
		switch {
		case isGreedy(child):
			n.greedy = below
		case isVariable(child):
			n.variable = below
		default:
			n.literals[child] = below
		}
	}
	return n
}

// match finds the most specific resource for a path, then the method: the
// resource's own or its ANY. Resources without methods are no candidates.
func (s *snapshot) match(httpMethod, path string) (route, bool) {
	var segments []string
	if trimmed := strings.Trim(path, "/"); trimmed != "" {
		segments = strings.Split(trimmed, "/")
	}
	params := map[string]string{}
	found := s.find(s.root, segments, params)
	if found == nil {
		return route{}, false
	}
	for _, name := range []string{httpMethod, methodAny} {
		if m, ok := s.methods[methodKey{found.path, name}]; ok {
			return route{m, found.path, params}, true
		}
	}
	return route{}, false
}

func (s *snapshot) find(n *node, segments []string, params map[string]string) *node {
	if len(segments) == 0 {
		if s.hasMethods(n.path) {
			return n
		}
		return nil
	}
	if next := n.literals[segments[0]]; next != nil {
		if found := s.find(next, segments[1:], params); found != nil {
			return found
		}
	}
	if next := n.variable; next != nil && segments[0] != "" {
		if found := s.find(next, segments[1:], params); found != nil {
			params[next.name] = segments[0]
			return found
		}
	}
	if next := n.greedy; next != nil && s.hasMethods(next.path) {
		params[next.name] = strings.Join(segments, "/")
		return next
	}
	return nil
}

func (s *snapshot) hasMethods(path string) bool {
	return slices.ContainsFunc(slices.Collect(maps.Keys(s.methods)), func(k methodKey) bool { return k.path == path })
}
