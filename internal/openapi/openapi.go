// Package openapi writes the REST API as one OpenAPI 3.0 document, from a table
// of its operations.
//
// The document has two forms. The public one is for people, clients and their
// generators; it knows nothing of AWS. The imported one is what API Gateway
// makes the API of: it adds authorizers, integrations, gateway responses and
// the methods that only answer 404, 405 and preflights, and leaves out what an
// import refuses.
package openapi

import (
	"slices"
	"strings"

	"github.com/streaming-service/streaming-service/protocol"
)

// Version is the version of OpenAPI that is written.
const Version = "3.0.1"

// API is what the document describes.
type API struct {
	Title, Version, Description string
	Operations                  []Operation
	// PathParameters describes the variables of all paths, by name.
	PathParameters map[string]Parameter
	// CatchAll is the function that answers preflights, and what no operation
	// does.
	CatchAll string
}

// Access is who may call an operation.
type Access string

// Who may call.
const (
	UserPool   Access = "idToken"    // a Cognito authorizer: users with an ID token
	Authorizer Access = "authorizer" // whom the function of that name lets through
	Open       Access = ""           // anybody
)

// Operation is a method of a path.
type Operation struct {
	ID                        string // operationId: what a generated client calls it
	Role                      string // of the permission's logical name
	Method, Path              string
	Function                  string
	Access                    Access
	Stream                    bool // the answer is sent on while the function writes it
	Tag, Summary, Description string
	Parameters                []Parameter // other than those of the path
	Request                   *Body
	Responses                 []Response
	Problems                  []protocol.Code // beside those of every operation
	OwnErrors                 bool            // Responses holds all errors: none is a problem
}

// Parameter is a parameter of an operation.
type Parameter struct {
	Name, In, Description string // In: path, header or query
	Required              bool
	Schema                Schema
}

// Body is the body of a request.
type Body struct {
	Description string
	Schema      Schema
	Examples    map[string]any
}

// Response is one answer of an operation.
type Response struct {
	Status      int
	Description string
	Headers     []Header
	MediaType   string // "": application/json
	Schema      Schema // nil: no body
	Examples    map[string]any
	Other       map[string]Schema // of bodies with another media type
	// Links are the operations, by their ids, that take a member of the body as
	// the path parameter of that name.
	Links map[string]string
}

// Header is a header of a response.
type Header struct {
	Name, Description string
	Always            bool
	Schema            Schema
}

// paths are the paths of the operations, each once, in their order.
func (a API) paths() []string {
	var paths []string
	for _, o := range a.Operations {
		if !slices.Contains(paths, o.Path) {
			paths = append(paths, o.Path)
		}
	}
	return paths
}

// Without is the API without the operations of a tag.
func (a API) Without(tag string) API {
	a.Operations = slices.DeleteFunc(slices.Clone(a.Operations), func(o Operation) bool { return o.Tag == tag })
	return a
}

// Call is a kind of call for which API Gateway invokes a function.
type Call struct {
	Role, Function string
	Source         string // as an execution ARN ends after the API
}

// Calls are what the functions must permit on a stage, and nothing beyond it:
// each operation of its own function, and everything to the catch-all.
func (a API) Calls(stage string) []Call {
	var calls []Call
	authorizes := false
	for _, o := range a.Operations {
		if o.Function != a.CatchAll {
			calls = append(calls, Call{o.Role, o.Function, stage + "/" + o.Method + anyVariable(o.Path)})
		}
		authorizes = authorizes || o.Access == Authorizer
	}
	if authorizes { // API Gateway chooses the authorizer's id as it imports
		calls = append(calls, Call{"rest-authorizer", string(Authorizer), "authorizers/*"})
	}
	return append(calls, Call{a.CatchAll, a.CatchAll, stage + "/*/*"})
}

// anyVariable puts * for the variables of a path.
func anyVariable(path string) string {
	parts := strings.Split(path, "/")
	for i, part := range parts {
		if strings.HasPrefix(part, "{") {
			parts[i] = "*"
		}
	}
	return strings.Join(parts, "/")
}
