// Package websocket is the local API Gateway for WebSocket APIs. It serves
// sockets under /_aws/websocket/{apiId}/{stage} and the @connections API under
// /_aws/websocket/{apiId}/{stage}/@connections/{connectionId} and, for clients
// that know only the address of the cloud, /@connections/{connectionId}.
//
// Messages of one socket are dispatched concurrently, at most
// Options.MaxConcurrentMessages at a time: as in AWS nothing promises that a
// function sees them in order. What is posted to one socket keeps its order.
package websocket

import (
	"net/http"
	"sync"
	"time"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
	"github.com/streaming-service/streaming-service/internal/localcloud/gateway"
)

// PathPrefix is where a Service is mounted.
const PathPrefix = "/_aws/websocket/"

// ConnectionsPrefix is where the @connections API is mounted too, without the
// API and the stage: an SDK whose endpoint is AWS_ENDPOINT_URL calls it there.
const ConnectionsPrefix = "/@connections/"

// Faults decides which of a socket's weaknesses shows now. It may be nil.
type Faults interface {
	// LoseFrame drops a posted frame, although its post succeeds.
	LoseFrame() bool
	// DropSocket cuts the TCP connection when a frame is posted to it.
	DropSocket() bool
	// LoseDisconnect leaves the $disconnect route uncalled.
	LoseDisconnect() bool
}

// HandshakeDelayer is what Faults may offer besides: it holds the 101 back
// after $connect has answered, while posts to the socket still find it gone.
type HandshakeDelayer interface {
	HandshakeDelay() time.Duration
}

// Meter counts frames for the usage report. It may be nil.
type Meter interface {
	// Add adds to a counter; body is searched for the ids of known requests.
	Add(counter string, amount float64, body []byte)
}

// Allower is the account's throttle, such as gateway.NewAccountThrottle.
type Allower interface{ Allow() bool }

// Options are the limits of API Gateway; zero values mean AWS's.
type Options struct {
	IdleTimeout           time.Duration // 10 min without a message
	MaxDuration           time.Duration // 2 h
	IntegrationTimeout    time.Duration // 29 s
	SendBufferFrames      int           // frames waiting for a slow client, 512 (AWS does not publish its own)
	SendBufferBytes       int           // the same in bytes, 1 MiB
	MaxConcurrentMessages int           // invocations at once for one socket, 16 (AWS does not publish its own)
}

// Limits of messages, in bytes (API Gateway quotas).
const (
	MaxFrameBytes   = 32 << 10
	MaxMessageBytes = 128 << 10
)

func (o Options) withDefaults() Options {
	setDefault(&o.IdleTimeout, 10*time.Minute)
	setDefault(&o.MaxDuration, 2*time.Hour)
	setDefault(&o.IntegrationTimeout, gateway.IntegrationTimeout)
	setDefault(&o.SendBufferFrames, 512)
	setDefault(&o.SendBufferBytes, 1<<20)
	setDefault(&o.MaxConcurrentMessages, 16)
	return o
}

func setDefault[T comparable](v *T, value T) {
	var zero T
	if *v == zero {
		*v = value
	}
}

// Deps are what a Service needs.
type Deps struct {
	Invoker gateway.Invoker
	Guard   awsapi.Guard // of the @connections API
	Faults  Faults
	Meter   Meter
	Account Allower // default: a throttle of its own
	Options Options
}

// Service holds the declared APIs and their open sockets.
type Service struct {
	deps     Deps
	throttle gateway.Throttle
	closing  chan struct{}  // closed by Close
	sockets  sync.WaitGroup // serving sockets and their $disconnect

	mu    sync.RWMutex
	apis  map[string]*api
	conns map[connKey]*socket
}

type connKey struct{ apiID, stage, connectionID string }

var _ http.Handler = (*Service)(nil)

// New returns a Service without APIs.
func New(deps Deps) *Service {
	if deps.Account == nil {
		deps.Account = gateway.NewAccountThrottle()
	}
	if deps.Faults == nil {
		deps.Faults = noFaults{}
	}
	if deps.Meter == nil {
		deps.Meter = noMeter{}
	}
	deps.Options = deps.Options.withDefaults()
	return &Service{deps: deps, closing: make(chan struct{}), apis: map[string]*api{}, conns: map[connKey]*socket{}}
}

// Path returns the path below the local cloud's address under which an API is
// served; its apiEndpoint is ws://HOST plus Path, and a stage's invoke URL has
// "/" + stage more.
func Path(apiID string) string { return PathPrefix + apiID }

// ExecutionARN returns the executionArn attribute of an API.
func ExecutionARN(apiID string) string { return gateway.ExecutionARN(apiID) }

type noFaults struct{}

func (noFaults) LoseFrame() bool      { return false }
func (noFaults) DropSocket() bool     { return false }
func (noFaults) LoseDisconnect() bool { return false }

type noMeter struct{}

func (noMeter) Add(string, float64, []byte) {}
