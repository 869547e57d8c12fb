package restapi

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
	"github.com/streaming-service/streaming-service/internal/localcloud/restapi/gateway"
)

type methodKey struct{ resourceID, httpMethod string }

// definition is the part of an API that a deployment freezes.
type definition struct {
	resources    map[string]Resource
	methods      map[methodKey]Method
	integrations map[methodKey]Integration
	authorizers  map[string]Authorizer
	responses    map[string]GatewayResponse
	binary       []string
}

func newDefinition() definition {
	return definition{
		resources: map[string]Resource{}, methods: map[methodKey]Method{}, integrations: map[methodKey]Integration{},
		authorizers: map[string]Authorizer{}, responses: map[string]GatewayResponse{},
	}
}

func (d definition) clone() definition {
	return definition{
		resources: maps.Clone(d.resources), methods: maps.Clone(d.methods), integrations: maps.Clone(d.integrations),
		authorizers: maps.Clone(d.authorizers), responses: maps.Clone(d.responses), binary: slices.Clone(d.binary),
	}
}

type api struct {
	RestAPI
	definition
	deployments map[string]*snapshot
	stages      map[string]Stage
	settings    map[string]map[string]MethodSettings // stage -> method path
}

func badRequest(format string, args ...any) error {
	return &awsapi.Error{Status: http.StatusBadRequest, Code: "BadRequestException", Message: fmt.Sprintf(format, args...)}
}

func notFound(what string) error {
	return &awsapi.Error{Status: http.StatusNotFound, Code: "NotFoundException", Message: "Invalid " + what + " identifier specified"}
}

func conflict(format string, args ...any) error {
	return &awsapi.Error{Status: http.StatusConflict, Code: "ConflictException", Message: fmt.Sprintf(format, args...)}
}

// PutRestAPI creates or updates an API and returns it with its ids.
func (s *Service) PutRestAPI(r RestAPI) (RestAPI, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.ID == "" {
		r.ID = gateway.NewID(10)
	}
	a := s.apis[r.ID]
	if a == nil {
		a = &api{definition: newDefinition(), deployments: map[string]*snapshot{}, stages: map[string]Stage{}, settings: map[string]map[string]MethodSettings{}}
		a.RootResourceID = gateway.NewID(10)
		a.resources[a.RootResourceID] = Resource{ID: a.RootResourceID, APIID: r.ID}
		s.apis[r.ID] = a
	}
	r.RootResourceID = a.RootResourceID
	a.RestAPI, a.binary = r, slices.Clone(r.BinaryMediaTypes)
	return r, nil
}

// DeleteRestAPI removes an API with all that it holds.
func (s *Service) DeleteRestAPI(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.apis, id)
}

// edit runs f on an API under the lock.
func (s *Service) edit(apiID string, f func(*api) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.apis[apiID]
	if a == nil {
		return notFound("API")
	}
	return f(a)
}

// PutResource creates or updates a resource and returns it with its id and,
// as second result, its full path (/requests/{requestId}).
func (s *Service) PutResource(r Resource) (Resource, string, error) {
	var path string
	err := s.edit(r.APIID, func(a *api) error {
		if err := a.checkResource(r); err != nil {
			return err
		}
		if r.ID == "" {
			r.ID = gateway.NewID(6)
		}
		a.resources[r.ID] = r
		path = a.path(r.ID)
		return nil
	})
	return r, path, err
}

func (a *api) checkResource(r Resource) error {
	parent, ok := a.resources[r.ParentID]
	switch {
	case !ok:
		return notFound("Resource")
	case strings.HasSuffix(parent.PathPart, "+}"):
		return badRequest("Cannot create a child of a resource with a greedy path variable: %s", parent.PathPart)
	case r.PathPart == "" || strings.ContainsAny(strings.Trim(strings.Replace(r.PathPart, "+}", "}", 1), "{}"), "/{}+"),
		isVariable(r.PathPart) != strings.ContainsAny(r.PathPart, "{}"):
		return badRequest("Resource's path part only allow a-zA-Z0-9._-: or a valid greedy path variable and curly braces at the beginning and the end: %q", r.PathPart)
	}
	for id, other := range a.resources {
		if id == r.ID || other.ParentID != r.ParentID {
			continue
		}
		if other.PathPart == r.PathPart {
			return conflict("Another resource with the same parent already has this name: %s", r.PathPart)
		}
		if isVariable(r.PathPart) && isVariable(other.PathPart) && isGreedy(r.PathPart) == isGreedy(other.PathPart) {
			return badRequest("A sibling (%s) of this resource already has a variable path part -- only one is allowed", other.PathPart)
		}
	}
	return nil
}

func isVariable(part string) bool {
	return strings.HasPrefix(part, "{") && strings.HasSuffix(part, "}")
}
func isGreedy(part string) bool { return strings.HasSuffix(part, "+}") }

// path returns the full path of a resource.
func (d definition) path(resourceID string) string {
	r := d.resources[resourceID]
	if r.ParentID == "" {
		return "/"
	}
	return strings.TrimSuffix(d.path(r.ParentID), "/") + "/" + r.PathPart
}

// DeleteResource removes a resource with its methods and everything below it.
func (s *Service) DeleteResource(apiID, id string) error {
	return s.edit(apiID, func(a *api) error {
		a.deleteResource(id)
		return nil
	})
}

func (a *api) deleteResource(id string) {
	delete(a.resources, id)
	maps.DeleteFunc(a.methods, func(k methodKey, _ Method) bool { return k.resourceID == id })
	maps.DeleteFunc(a.integrations, func(k methodKey, _ Integration) bool { return k.resourceID == id })
	for childID, child := range a.resources {
		if child.ParentID == id {
			a.deleteResource(childID)
		}
	}
}

// PutMethod creates or updates a method.
func (s *Service) PutMethod(m Method) error {
	return s.edit(m.APIID, func(a *api) error {
		if _, ok := a.resources[m.ResourceID]; !ok {
			return notFound("Resource")
		}
		switch m.Authorization {
		case "NONE":
		case "COGNITO_USER_POOLS":
			if _, ok := a.authorizers[m.AuthorizerID]; !ok {
				return badRequest("Invalid authorizer ID specified. Setting the authorization type to CUSTOM or COGNITO_USER_POOLS requires a valid authorizer.")
			}
		default:
			return badRequest("the local cloud does not serve methods with authorization %q", m.Authorization)
		}
		a.methods[methodKey{m.ResourceID, m.HTTPMethod}] = m
		return nil
	})
}

// DeleteMethod removes a method and its integration.
func (s *Service) DeleteMethod(apiID, resourceID, httpMethod string) error {
	return s.edit(apiID, func(a *api) error {
		delete(a.methods, methodKey{resourceID, httpMethod})
		delete(a.integrations, methodKey{resourceID, httpMethod})
		return nil
	})
}

// PutIntegration creates or updates the integration of a method.
func (s *Service) PutIntegration(i Integration) error {
	return s.edit(i.APIID, func(a *api) error {
		key := methodKey{i.ResourceID, i.HTTPMethod}
		if _, ok := a.methods[key]; !ok {
			return notFound("Method")
		}
		if i.Type != "AWS_PROXY" {
			return badRequest("the local cloud does not serve integrations of type %q", i.Type)
		}
		if i.IntegrationHTTPMethod != http.MethodPost {
			return badRequest("an AWS_PROXY integration with a function needs integrationHttpMethod POST, got %q", i.IntegrationHTTPMethod)
		}
		if i.TimeoutMilliseconds != 0 && (i.TimeoutMilliseconds < 50 || i.TimeoutMilliseconds > 29_000) {
			return badRequest("Timeout should be between 50 ms and 29000 ms, got %d", i.TimeoutMilliseconds)
		}
		if _, err := gateway.FunctionARN(i.URI); err != nil {
			return badRequest("Invalid ARN specified in the request: %v", err)
		}
		a.integrations[key] = i
		return nil
	})
}

// DeleteIntegration removes the integration of a method.
func (s *Service) DeleteIntegration(apiID, resourceID, httpMethod string) error {
	return s.edit(apiID, func(a *api) error {
		delete(a.integrations, methodKey{resourceID, httpMethod})
		return nil
	})
}
