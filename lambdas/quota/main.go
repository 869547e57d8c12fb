// Command quota is the function behind POST /requests, GET /usage, POST /uploads
// and /keys.
package main

import (
	"net/http"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/streaming-service/streaming-service/internal/environment"
	"github.com/streaming-service/streaming-service/lambdas/internal/httpapi"
	"github.com/streaming-service/streaming-service/lambdas/internal/keys"
	"github.com/streaming-service/streaming-service/lambdas/internal/logging"
	"github.com/streaming-service/streaming-service/lambdas/internal/objects"
	"github.com/streaming-service/streaming-service/lambdas/internal/start"
	"github.com/streaming-service/streaming-service/lambdas/internal/start/admitting"
	"github.com/streaming-service/streaming-service/lambdas/internal/start/lifecycle"
	"github.com/streaming-service/streaming-service/lambdas/internal/uploads"
)

func main() {
	f := start.Load(environment.FunctionQuota)
	lambda.Start(logging.Edges(f.Log, newAPI(f).Serve))
}

func newAPI(f start.Function) *httpapi.API {
	s, l := f.Settings, lifecycle.New(f)
	admission := admitting.New(f, l)
	personalKeys := &keys.Service{Store: l.Store, Now: time.Now, Log: f.Log}
	announcements := &uploads.Service{Store: l.Store, Now: time.Now}
	if bucket := objects.New(l.AWS, s.UploadsURL, time.Now); bucket != nil {
		announcements.Bucket = bucket
	}
	return &httpapi.API{
		ClientID:       s.UserPoolClientID,
		AllowedOrigins: s.AllowedOrigins,
		AllowedCIDRs:   s.AllowedCIDRs,
		Log:            f.Log,
		Metrics:        f.Metrics,
		Routes: map[httpapi.Route]httpapi.Handler{
			{Method: http.MethodPost, Resource: httpapi.ResourceRequests}: admission.Submit,
			{Method: http.MethodGet, Resource: httpapi.ResourceUsage}:     admission.Usage,
			{Method: http.MethodPost, Resource: httpapi.ResourceUploads}:  announcements.Create,
			{Method: http.MethodPost, Resource: httpapi.ResourceKeys}:     personalKeys.Create,
			{Method: http.MethodGet, Resource: httpapi.ResourceKeys}:      personalKeys.List,
			{Method: http.MethodDelete, Resource: httpapi.ResourceKey}:    personalKeys.Delete,
		},
	}
}
