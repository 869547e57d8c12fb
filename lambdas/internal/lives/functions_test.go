package lives_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/smithy-go/auth"
	transport "github.com/aws/smithy-go/endpoints"

	"github.com/streaming-service/streaming-service/lambdas/internal/admission"
	"github.com/streaming-service/streaming-service/lambdas/internal/attempt"
	"github.com/streaming-service/streaming-service/lambdas/internal/bedrock"
	"github.com/streaming-service/streaming-service/lambdas/internal/connection"
	"github.com/streaming-service/streaming-service/lambdas/internal/dynamo"
	"github.com/streaming-service/streaming-service/lambdas/internal/httpapi"
	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/lambdas/internal/processor"
	"github.com/streaming-service/streaming-service/lambdas/internal/queue"
	"github.com/streaming-service/streaming-service/lambdas/internal/recovery"
	"github.com/streaming-service/streaming-service/lambdas/internal/requests"
	"github.com/streaming-service/streaming-service/lambdas/internal/sockets"
)

const (
	clientID   = "client"
	modelID    = "global.amazon.nova-2-lite-v1:0"
	maxTokens  = 20_000
	maxAge     = 15 * time.Minute
	retention  = 24 * time.Hour
	serviceURL = "http://services"
	apiTimeout = 10 * time.Second
)

var tables = dynamo.Tables{Quota: "quota", Requests: "requests", Connections: "connections"}

// newFunctions wires the functions as their commands do.
func newFunctions(w *world) map[string]*function {
	return map[string]*function{
		"quota":       {world: w, name: "quota", timeout: apiTimeout, start: startQuota},
		"requests":    {world: w, name: "requests", timeout: apiTimeout, start: startRequests},
		"connection":  {world: w, name: "connection", timeout: apiTimeout, start: startConnection},
		"completions": {world: w, name: "completions", timeout: w.settings.processorTimeout, start: startCompletions},
		"processor":   {world: w, name: "processor", timeout: w.settings.processorTimeout, start: startProcessor},
		"recovery":    {world: w, name: "recovery", timeout: time.Minute, start: startRecovery},
	}
}

// clients are the adapters of one process.
type clients struct {
	config   aws.Config
	store    *dynamo.Store
	queue    *queue.Queue
	letters  *queue.Queue
	sockets  *sockets.Sockets
	backoff  *sockets.Backoff
	services *life.Service
	log      *slog.Logger
}

func (p *process) clients() clients {
	w := p.world
	c := clients{config: awsConfig(&wire{w, p}), backoff: &sockets.Backoff{}, log: w.log.With("function", p.function)}
	c.store = newStore(&wire{w, p}).WithClock(p.now)
	messages := sqs.NewFromConfig(c.config)
	c.queue, c.letters = queue.New(messages, w.queueURL), queue.New(messages, w.letterURL)
	c.sockets = sockets.New(c.config, serviceURL, c.store, c.backoff)
	c.services = &life.Service{
		Store: c.store, Queue: c.queue, Poster: sockets.NewBroadcaster(c.sockets, c.store), Now: p.now, MaxAge: maxAge,
	}
	return c
}

func newStore(w *wire) *dynamo.Store {
	return dynamo.New(dynamodb.NewFromConfig(awsConfig(w), func(o *dynamodb.Options) {
		o.AuthSchemeResolver, o.EndpointResolverV2 = inProcess{}, inProcess{}
	}), tables)
}

// inProcess spares the database's clients a signature that nobody checks and the
// search for their endpoint.
type inProcess struct{}

func (inProcess) ResolveAuthSchemes(context.Context, *dynamodb.AuthResolverParameters) ([]*auth.Option, error) {
	return []*auth.Option{{SchemeID: auth.SchemeIDAnonymous}}, nil
}

func (inProcess) ResolveEndpoint(context.Context, dynamodb.EndpointParameters) (transport.Endpoint, error) {
	return transport.Endpoint{URI: url.URL{Scheme: "http", Host: "services"}}, nil
}

func awsConfig(client aws.HTTPClient) aws.Config {
	return aws.Config{
		Region: "us-east-1", HTTPClient: client, BaseEndpoint: aws.String(serviceURL),
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "local", SecretAccessKey: "local"}, nil
		}),
	}
}

func (s settings) prices() map[string]life.Price {
	if s.price == nil {
		return nil
	}
	return map[string]life.Price{modelID: *s.price}
}

func startQuota(p *process) handler {
	c, s := p.clients(), p.world.settings
	service := &admission.Service{
		Store: c.store, Queue: c.queue, Life: c.services,
		Prices: s.prices(), Breaker: admission.NewBreaker(s.serviceBudget, p.now), Tiers: s.tiers, Calendar: s.calendar, Rate: life.NewRate(s.rate, s.burst), Cap: s.cap,
		Model:    admission.Model{ID: modelID, Allowed: []string{modelID}, MaxTokens: maxTokens, AllowSystem: true},
		InputTTL: maxAge + retention, Now: p.now, Log: c.log,
	}
	return serveREST(c.log, map[httpapi.Route]httpapi.Handler{
		{Method: http.MethodPost, Resource: httpapi.ResourceRequests}: service.Submit,
		{Method: http.MethodGet, Resource: httpapi.ResourceUsage}:     service.Usage,
	})
}

func startRequests(p *process) handler {
	c := p.clients()
	service := &requests.Service{Store: c.store, Life: c.services, Log: c.log}
	return serveREST(c.log, map[httpapi.Route]httpapi.Handler{
		{Method: http.MethodGet, Resource: httpapi.ResourceRequest}:    service.Get,
		{Method: http.MethodDelete, Resource: httpapi.ResourceRequest}: service.Delete,
	})
}

func serveREST(log *slog.Logger, routes map[httpapi.Route]httpapi.Handler) handler {
	api := &httpapi.API{ClientID: clientID, Routes: routes, Log: log}
	return func(ctx context.Context, event any) (any, error) {
		request, err := as[events.APIGatewayProxyRequest](event)
		if err != nil {
			return nil, err
		}
		return api.Serve(ctx, request)
	}
}

func startConnection(p *process) handler {
	c := p.clients()
	h := &connection.Handler{Store: c.store, Life: c.services, Sockets: c.sockets, Log: c.log, MaxConnections: 10}
	return func(ctx context.Context, event any) (any, error) {
		request, err := as[events.APIGatewayWebsocketProxyRequest](event)
		if err != nil {
			return nil, err
		}
		return h.Handle(ctx, request)
	}
}

func startProcessor(p *process) handler {
	c := p.clients()
	hub := sockets.NewBroadcaster(c.sockets, c.store)
	services := *c.services
	services.Queue, services.Poster = nil, hub
	h := processor.New(processor.Deps{
		Store: c.store, Life: &services, Queue: c.queue, Model: bedrock.New(c.config, bedrock.Options{}), Hub: hub, Backoff: c.backoff, Log: c.log,
	}, processor.Options{MaxAge: maxAge, Options: attempt.Options{LogTTL: maxAge + retention, Now: p.now, CancelOnDisconnect: p.world.settings.deserters}})
	return func(ctx context.Context, event any) (any, error) {
		batch, err := as[events.SQSEvent](event)
		if err != nil {
			return nil, err
		}
		p.work(batch)
		return h.Handle(ctx, batch)
	}
}

func startRecovery(p *process) handler {
	c := p.clients()
	s := &recovery.Service{Store: c.store, Life: c.services, DeadLetters: c.letters, Now: p.now, Log: c.log}
	return func(ctx context.Context, event any) (any, error) {
		raw, err := json.Marshal(event)
		if err != nil {
			return nil, err
		}
		return s.Handle(ctx, raw)
	}
}

func as[T any](event any) (T, error) {
	e, ok := event.(T)
	if !ok {
		return e, fmt.Errorf("unexpected event %T", event)
	}
	return e, nil
}
