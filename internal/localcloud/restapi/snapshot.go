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
	resourceID string
	literals   map[string]*node
	variable   *node // {name}
	greedy     *node // {name+}
	name       string
}

// route is what serves a request.
type route struct {
	method       Method
	integration  Integration
	resourcePath string
	params       map[string]string
}

func (a *api) deploy() (*snapshot, error) {
	if len(a.methods) == 0 {
		return nil, badRequest("The REST API doesn't contain any methods")
	}
	for key, m := range a.methods {
		if _, ok := a.integrations[key]; !ok {
			return nil, badRequest("No integration defined for method %s %s", key.httpMethod, a.path(key.resourceID))
		}
		if _, ok := a.authorizers[m.AuthorizerID]; !ok && m.Authorization != "NONE" {
			return nil, badRequest("Invalid authorizer of method %s %s", key.httpMethod, a.path(key.resourceID))
		}
	}
	snap := &snapshot{definition: a.clone()}
	snap.root = snap.tree(a.RootResourceID)
	return snap, nil
}

func (s *snapshot) tree(resourceID string) *node {
	n := &node{resourceID: resourceID, literals: map[string]*node{}}
	n.name = strings.TrimSuffix(strings.Trim(s.resources[resourceID].PathPart, "{}"), "+")
	for id, r := range s.resources {
		if r.ParentID != resourceID {
			continue
		}
		switch {
		case isGreedy(r.PathPart):
			n.greedy = s.tree(id)
		case isVariable(r.PathPart):
			n.variable = s.tree(id)
		default:
			n.literals[r.PathPart] = s.tree(id)
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
		key := methodKey{found.resourceID, name}
		if m, ok := s.methods[key]; ok {
			return route{m, s.integrations[key], s.path(found.resourceID), params}, true
		}
	}
	return route{}, false
}

func (s *snapshot) find(n *node, segments []string, params map[string]string) *node {
	if len(segments) == 0 {
		if s.hasMethods(n.resourceID) {
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
	if next := n.greedy; next != nil && s.hasMethods(next.resourceID) {
		params[next.name] = strings.Join(segments, "/")
		return next
	}
	return nil
}

func (s *snapshot) hasMethods(resourceID string) bool {
	return slices.ContainsFunc(slices.Collect(maps.Keys(s.methods)), func(k methodKey) bool { return k.resourceID == resourceID })
}
