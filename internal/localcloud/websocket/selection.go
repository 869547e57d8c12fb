package websocket

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/streaming-service/streaming-service/internal/localcloud/gateway"
)

const routeDefault = "$default"

// selection is a parsed route selection expression: the path to a member of
// the message's JSON.
type selection []string

// parseSelection accepts $request.body.a.b and ${request.body.a.b}.
func parseSelection(expression string) (selection, error) {
	path, ok := strings.CutPrefix(expression, "$")
	if inner, braced := strings.CutPrefix(path, "{"); ok && braced {
		path, ok = strings.CutSuffix(inner, "}")
	}
	path, isBody := strings.CutPrefix(path, "request.body.")
	if !ok || !isBody || path == "" || strings.ContainsAny(path, "${}[]*'\" ") {
		return nil, fmt.Errorf("%q is not of the form $request.body.name", expression)
	}
	parts := strings.Split(path, ".")
	if slices.Contains(parts, "") {
		return nil, fmt.Errorf("%q is not of the form $request.body.name", expression)
	}
	return parts, nil
}

// key returns what the selection finds in a message, as text, or "" when the
// message is not JSON or has no scalar there.
func (s selection) key(message []byte) string {
	current := json.RawMessage(message)
	for _, name := range s {
		var object map[string]json.RawMessage
		if json.Unmarshal(current, &object) != nil {
			return ""
		}
		current = object[name]
	}
	return gateway.ScalarText(current)
}

// route returns the route with a key.
func (d definition) route(key string) (Route, bool) {
	for _, r := range d.routes {
		if r.RouteKey == key {
			return r, true
		}
	}
	return Route{}, false
}

// routeFor returns the route that serves a message: that of its key, else
// $default. A message cannot name a predefined route.
func (d definition) routeFor(message []byte) (Route, bool) {
	path, err := parseSelection(d.selection)
	if err != nil {
		return Route{}, false
	}
	if key := path.key(message); key != "" && !strings.HasPrefix(key, "$") {
		if r, ok := d.route(key); ok {
			return r, true
		}
	}
	return d.route(routeDefault)
}

// returnsResponse reports whether a route is two-way.
func (d definition) returnsResponse(r Route) bool {
	if r.RouteResponseSelectionExpression != routeDefault {
		return false
	}
	for _, response := range d.responses {
		if response.RouteID == r.ID {
			return true
		}
	}
	return false
}
