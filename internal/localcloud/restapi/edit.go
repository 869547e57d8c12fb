package restapi

import (
	"fmt"
	"net/http"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
	"github.com/streaming-service/streaming-service/internal/localcloud/gateway"
)

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

// PutRestAPI creates or updates an API and returns it with its ids. A document
// that cannot be imported changes nothing.
func (s *Service) PutRestAPI(r RestAPI) (RestAPI, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.ID == "" {
		r.ID = gateway.NewID(10)
	}
	a := s.apis[r.ID]
	if a == nil {
		a = &api{deployments: map[string]*snapshot{}, stages: map[string]Stage{}, settings: map[string]map[string]MethodSettings{}}
		a.RootResourceID = gateway.NewID(10)
	}
	r.RootResourceID = a.RootResourceID
	imported, err := importDocument(r.Body, r.RootResourceID)
	if err != nil {
		return r, err
	}
	a.RestAPI, a.definition = r, imported
	s.apis[r.ID] = a
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
