// Command requests is the function behind GET and DELETE /requests/{requestId}
// and behind GET /openapi.json. It also answers OPTIONS, and what no resource or
// method matches.
package main

import (
	"net/http"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/streaming-service/streaming-service/internal/environment"
	"github.com/streaming-service/streaming-service/lambdas/internal/httpapi"
	"github.com/streaming-service/streaming-service/lambdas/internal/logging"
	"github.com/streaming-service/streaming-service/lambdas/internal/requests"
	"github.com/streaming-service/streaming-service/lambdas/internal/start"
	"github.com/streaming-service/streaming-service/lambdas/internal/start/lifecycle"
)

func main() {
	f := start.Load(environment.FunctionRequests)
	lambda.Start(logging.Edges(f.Log, newAPI(f).Serve))
}

func newAPI(f start.Function) *httpapi.API {
	s, l := f.Settings, lifecycle.New(f)
	service := &requests.Service{Store: l.Store, Life: l.Service, Log: f.Log}
	return &httpapi.API{
		ClientID:       s.UserPoolClientID,
		AllowedOrigins: s.AllowedOrigins,
		AllowedCIDRs:   s.AllowedCIDRs,
		Log:            f.Log,
		Metrics:        f.Metrics,
		Open: map[httpapi.Route]httpapi.Handler{
			{Method: http.MethodGet, Resource: httpapi.ResourceDocument}: requests.Document,
		},
		Routes: map[httpapi.Route]httpapi.Handler{
			{Method: http.MethodGet, Resource: httpapi.ResourceRequest}:    service.Get,
			{Method: http.MethodDelete, Resource: httpapi.ResourceRequest}: service.Delete,
		},
	}
}
