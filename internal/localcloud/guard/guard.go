// Package guard stands in front of every service of the local cloud: it counts
// each call, checks it against the caller's role and injects faults.
package guard

import (
	"context"
	"net/http"
	"time"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
	"github.com/streaming-service/streaming-service/internal/localcloud/faults"
	"github.com/streaming-service/streaming-service/internal/localcloud/iam"
	"github.com/streaming-service/streaming-service/internal/localcloud/usage"
)

// billedQueueChunk is what SQS bills as one request, in bytes.
const billedQueueChunk = 64 << 10

// Guard is the one awsapi.Guard of a local cloud.
type Guard struct {
	roles  *iam.Service
	faults *faults.Injector
	meter  *usage.Meter
}

var _ awsapi.Guard = (*Guard)(nil)

// New combines what decides about calls.
func New(roles *iam.Service, injector *faults.Injector, meter *usage.Meter) *Guard {
	return &Guard{roles: roles, faults: injector, meter: meter}
}

// Admit counts the call, waits for injected latency and returns the error to
// answer, if any. A call without permissions is one that its service allows
// unsigned, such as Cognito's SignUp.
func (g *Guard) Admit(ctx context.Context, call awsapi.Call) (loseResponse bool, refusal *awsapi.Error) {
	g.meter.Call(call.Service, call.Operation, call.Body)
	if call.Service == "sqs" {
		g.meter.Add(usage.QueueRequests, float64(max(1, (len(call.Body)+billedQueueChunk-1)/billedQueueChunk)), call.Body)
	}
	loseResponse, refusal = g.decide(ctx, call)
	if refusal != nil {
		g.meter.Error(call.Service, call.Operation, refusal.Code, call.Body)
	}
	return loseResponse, refusal
}

func (g *Guard) decide(ctx context.Context, call awsapi.Call) (bool, *awsapi.Error) {
	for _, permission := range call.Permissions {
		if refusal := g.roles.Allowed(call.AccessKeyID, permission); refusal != nil {
			return false, inServiceForm(call.Service, refusal)
		}
	}
	decision := g.faults.Decide(call.Service, call.Operation)
	if err := wait(ctx, decision.Latency); err != nil {
		return false, &awsapi.Error{Status: http.StatusServiceUnavailable, Code: "ServiceUnavailable", Message: "the caller went away"}
	}
	return decision.LoseResponse, decision.Error
}

// inServiceForm gives a refusal the status and code that the service answers.
func inServiceForm(service string, refusal *awsapi.Error) *awsapi.Error {
	switch service {
	case "sqs":
		refusal.Status = http.StatusForbidden
		if refusal.Code == "AccessDeniedException" {
			refusal.QueryCode = "AccessDenied"
		}
	case "bedrock-runtime", "execute-api", "lambda", "s3":
		refusal.Status = http.StatusForbidden
	default:
		refusal.Status = http.StatusBadRequest
	}
	return refusal
}

func wait(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
