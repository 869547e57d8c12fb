// Package restapi is the local API Gateway for REST APIs: it serves the
// deployments of declared APIs under /_aws/rest/{apiId}/{stage}/…
//
// As in AWS a deployment is a snapshot: what is declared after it takes no
// effect before the next one. Settings of a stage (throttles) apply at once.
package restapi

import (
	"net/http"
	"sync"
	"time"

	"github.com/streaming-service/streaming-service/internal/localcloud/gateway"
)

// PathPrefix is where a Service is mounted.
const PathPrefix = "/_aws/rest/"

// MaxBodyBytes is the largest body of a request (API Gateway quotas).
const MaxBodyBytes = 10 << 20

// MaxHeaderBytes is the largest size of all header lines of a request
// (API Gateway quotas).
const MaxHeaderBytes = 10_240

// TokenVerifier checks tokens of Cognito user pools.
type TokenVerifier interface {
	// VerifyToken returns the claims of a token that the pool signed and that
	// is valid now. The error is jwt.ErrTokenExpired if only its time is up.
	VerifyToken(userPoolARN, token string) (claims map[string]any, err error)
}

// Meter counts requests for the usage report. It may be nil.
type Meter interface {
	// Add adds to a counter; body is searched for the ids of known requests.
	Add(counter string, amount float64, body []byte)
}

// Allower is the account's throttle, such as gateway.NewAccountThrottle.
type Allower interface{ Allow() bool }

// Deps are what a Service needs.
type Deps struct {
	Invoker  gateway.Invoker
	Streamer Streamer // of integrations that stream; nil where none does
	Tokens   TokenVerifier
	Meter    Meter
	Account  Allower       // default: a throttle of its own
	Timeout  time.Duration // of an integration, default and at most 29 s
	Silence  time.Duration // within a streamed answer, default and at most 5 min
}

// Service holds the declared APIs and serves their stages.
type Service struct {
	deps     Deps
	throttle gateway.Throttle

	mu   sync.RWMutex
	apis map[string]*api
}

var _ http.Handler = (*Service)(nil)

// New returns a Service without APIs.
func New(deps Deps) *Service {
	if deps.Account == nil {
		deps.Account = gateway.NewAccountThrottle()
	}
	if deps.Timeout <= 0 || deps.Timeout > gateway.IntegrationTimeout {
		deps.Timeout = gateway.IntegrationTimeout
	}
	if deps.Silence <= 0 || deps.Silence > maxStreamSilence {
		deps.Silence = maxStreamSilence
	}
	return &Service{deps: deps, apis: map[string]*api{}}
}

// InvokePath returns the path below the local cloud's address under which a
// stage is served; AWS's invoke URL is https://{domain}/{stage}.
func InvokePath(apiID, stage string) string { return PathPrefix + apiID + "/" + stage }

// ExecutionARN returns the executionArn attribute of an API.
func ExecutionARN(apiID string) string { return gateway.ExecutionARN(apiID) }
