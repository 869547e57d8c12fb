package websocket

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
	"github.com/streaming-service/streaming-service/internal/localcloud/gateway"
)

// definition is the part of an API that a deployment freezes.
type definition struct {
	selection    string
	routes       map[string]Route
	responses    map[string]RouteResponse
	integrations map[string]Integration
	authorizers  map[string]Authorizer
}

func (d definition) clone() definition {
	return definition{
		selection: d.selection, routes: maps.Clone(d.routes), responses: maps.Clone(d.responses),
		integrations: maps.Clone(d.integrations), authorizers: maps.Clone(d.authorizers),
	}
}

type api struct {
	API
	definition
	deployments map[string]definition
	stages      map[string]Stage
}

func badRequest(format string, args ...any) error {
	return &awsapi.Error{Status: http.StatusBadRequest, Code: "BadRequestException", Message: fmt.Sprintf(format, args...)}
}

func notFound(what, id string) error {
	return &awsapi.Error{Status: http.StatusNotFound, Code: "NotFoundException", Message: fmt.Sprintf("Invalid %s identifier specified: %q", what, id)}
}

// PutAPI creates or updates an API and returns it with its id.
func (s *Service) PutAPI(a API) (API, error) {
	if _, err := parseSelection(a.RouteSelectionExpression); err != nil {
		return a, badRequest("Invalid route selection expression: %v", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if a.ID == "" {
		a.ID = gateway.NewID(10)
	}
	existing := s.apis[a.ID]
	if existing == nil {
		existing = &api{deployments: map[string]definition{}, stages: map[string]Stage{}, definition: definition{
			routes: map[string]Route{}, responses: map[string]RouteResponse{}, integrations: map[string]Integration{}, authorizers: map[string]Authorizer{},
		}}
		s.apis[a.ID] = existing
	}
	existing.API, existing.selection = a, a.RouteSelectionExpression
	return a, nil
}

// DeleteAPI removes an API and closes its sockets.
func (s *Service) DeleteAPI(id string) {
	s.mu.Lock()
	delete(s.apis, id)
	s.mu.Unlock()
	s.closeSockets(func(k connKey) bool { return k.apiID == id })
}

func (s *Service) edit(apiID string, f func(*api) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.apis[apiID]
	if a == nil {
		return notFound("API", apiID)
	}
	a.definition = a.clone() // what requests see stays as it is
	return f(a)
}

// PutRoute creates or updates a route and returns it with its id.
func (s *Service) PutRoute(r Route) (Route, error) {
	err := s.edit(r.APIID, func(a *api) error {
		if err := a.checkRoute(r); err != nil {
			return err
		}
		if r.ID == "" {
			r.ID = gateway.NewID(7)
		}
		a.routes[r.ID] = r
		return nil
	})
	return r, err
}

func (a *api) checkRoute(r Route) error {
	predefined := slices.Contains([]string{"$connect", "$disconnect", "$default"}, r.RouteKey)
	if r.RouteKey == "" || strings.HasPrefix(r.RouteKey, "$") && !predefined {
		return badRequest("Invalid route key %q", r.RouteKey)
	}
	for id, other := range a.routes {
		if id != r.ID && other.RouteKey == r.RouteKey {
			return &awsapi.Error{Status: http.StatusConflict, Code: "ConflictException", Message: "Route with key " + r.RouteKey + " already exists for this API"}
		}
	}
	switch r.AuthorizationType {
	case "", "NONE":
	case "CUSTOM":
		if r.RouteKey != "$connect" {
			return badRequest("Authorization is only supported on the $connect route, not on %s", r.RouteKey)
		}
		if _, ok := a.authorizers[r.AuthorizerID]; !ok {
			return notFound("authorizer", r.AuthorizerID)
		}
	default:
		return badRequest("the local cloud does not serve routes with authorization type %q", r.AuthorizationType)
	}
	if id, ok := integrationID(r.Target); ok {
		if _, ok := a.integrations[id]; !ok {
			return notFound("integration", id)
		}
	} else if r.Target != "" {
		return badRequest("Invalid target %q, expected integrations/{id}", r.Target)
	}
	return nil
}

func integrationID(target string) (string, bool) { return strings.CutPrefix(target, "integrations/") }

// DeleteRoute removes a route with its responses.
func (s *Service) DeleteRoute(apiID, id string) error {
	return s.edit(apiID, func(a *api) error {
		delete(a.routes, id)
		maps.DeleteFunc(a.responses, func(_ string, r RouteResponse) bool { return r.RouteID == id })
		return nil
	})
}

// PutRouteResponse creates or updates a route response and returns it with its id.
func (s *Service) PutRouteResponse(r RouteResponse) (RouteResponse, error) {
	err := s.edit(r.APIID, func(a *api) error {
		if _, ok := a.routes[r.RouteID]; !ok {
			return notFound("route", r.RouteID)
		}
		if r.RouteResponseKey != "$default" {
			return badRequest("Invalid route response key %q, only $default is supported", r.RouteResponseKey)
		}
		if r.ID == "" {
			r.ID = gateway.NewID(7)
		}
		a.responses[r.ID] = r
		return nil
	})
	return r, err
}

// DeleteRouteResponse removes a route response.
func (s *Service) DeleteRouteResponse(apiID, id string) error {
	return s.edit(apiID, func(a *api) error {
		delete(a.responses, id)
		return nil
	})
}
