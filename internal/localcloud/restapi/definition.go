package restapi

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/streaming-service/streaming-service/internal/localcloud/gateway"
)

// definition is what an API is made of, and what a deployment freezes. It is
// never changed: an import makes another one.
type definition struct {
	resources   map[string]string // path -> id
	methods     map[methodKey]method
	authorizers map[string]authorizer // by security scheme
	responses   map[string]gatewayResponse
	binary      []string
	models      models
}

type methodKey struct{ path, httpMethod string }

// method is an HTTP method, or ANY, of a resource.
type method struct {
	resourceID  string
	httpMethod  string
	authorizer  string   // security scheme; "" lets everybody in
	scopes      []string // authorizationScopes: none means an ID token, some an access token
	integration *integration
	validator   validator
}

// integration is the function that answers a method.
type integration struct {
	functionARN         string
	timeoutMilliseconds int  // 0 is the default of 29,000
	streamed            bool // responseTransferMode STREAM
}

// authorizer judges who calls: a Cognito user pool or a function.
type authorizer struct {
	id              string
	userPoolARNs    []string         // of a Cognito authorizer
	header          string           // that holds its token
	functionARN     string           // of a REQUEST authorizer
	identitySources []identitySource // that a call must have to reach it
}

// gatewayResponse shapes an answer that the gateway itself gives.
type gatewayResponse struct {
	responseType string            // UNAUTHORIZED, DEFAULT_4XX, …
	statusCode   string            // "" keeps the status of the response's type
	parameters   map[string]string // gatewayresponse.header.NAME -> 'literal' or method.request.header.NAME
	templates    map[string]string // content type -> template
}

// withRoot is a definition of nothing but the root resource.
func withRoot(id string) definition {
	return definition{
		resources: map[string]string{"/": id}, methods: map[methodKey]method{},
		authorizers: map[string]authorizer{}, responses: map[string]gatewayResponse{},
	}
}

// addResource makes the resources of a path and returns the id of the last.
func (d definition) addResource(path string) (string, error) {
	if id, ok := d.resources[path]; ok {
		return id, nil
	}
	if !strings.HasPrefix(path, "/") {
		return "", badRequest("A path begins with a slash: %q", path)
	}
	parent, part := splitPath(path)
	if _, err := d.addResource(parent); err != nil {
		return "", err
	}
	if err := d.checkPart(parent, part); err != nil {
		return "", err
	}
	id := gateway.NewID(6)
	d.resources[path] = id
	return id, nil
}

func splitPath(path string) (parent, part string) {
	i := strings.LastIndexByte(path, '/')
	return cmp.Or(path[:i], "/"), path[i+1:]
}

func (d definition) checkPart(parent, part string) error {
	_, parentPart := splitPath(parent)
	switch {
	case isGreedy(parentPart):
		return badRequest("Cannot create a child of a resource with a greedy path variable: %s", parentPart)
	case part == "" || strings.ContainsAny(strings.Trim(strings.Replace(part, "+}", "}", 1), "{}"), "/{}+"),
		isVariable(part) != strings.ContainsAny(part, "{}"):
		return badRequest("Resource's path part only allow a-zA-Z0-9._-: or a valid greedy path variable and curly braces at the beginning and the end: %q", part)
	}
	for _, other := range d.childrenOf(parent) {
		if isVariable(part) && isVariable(other) && isGreedy(part) == isGreedy(other) {
			return badRequest("A sibling (%s) of this resource already has a variable path part -- only one is allowed", other)
		}
	}
	return nil
}

// childrenOf are the path parts below a resource, sorted.
func (d definition) childrenOf(path string) []string {
	var parts []string
	for _, other := range slices.Sorted(maps.Keys(d.resources)) {
		if parent, part := splitPath(other); parent == path && other != path {
			parts = append(parts, part)
		}
	}
	return parts
}

func isVariable(part string) bool {
	return strings.HasPrefix(part, "{") && strings.HasSuffix(part, "}")
}

func isGreedy(part string) bool { return strings.HasSuffix(part, "+}") }
