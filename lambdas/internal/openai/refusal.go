package openai

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"strings"

	"github.com/streaming-service/streaming-service/lambdas/internal/httpapi"
	"github.com/streaming-service/streaming-service/protocol"
)

// kind is how clients of the API know a refusal: some of them raise an
// exception of its own for it.
type kind struct {
	status int    // 0: that of this service's own code
	name   string // the type; "": as the status says
	code   string // "": this service's own
}

var kinds = map[protocol.Code]kind{
	protocol.CodeInvalidRequest:  {name: typeInvalidRequest, code: codeInvalidValue},
	protocol.CodeModelNotAllowed: {status: http.StatusNotFound, name: typeInvalidRequest, code: "model_not_found"},
	protocol.CodeUnauthenticated: {name: typeInvalidRequest, code: "invalid_api_key"},
	protocol.CodeForbidden:       {name: typeForbidden},
	protocol.CodeBlocked:         {name: typeForbidden},
	protocol.CodeQuotaExceeded:   {name: typeInsufficientQuota, code: "insufficient_quota"},
	protocol.CodeRateLimited:     {name: typeRequests, code: "rate_limit_exceeded"},
	protocol.CodeTooManyInFlight: {name: typeRequests, code: "rate_limit_exceeded"},
}

// hopeless are the refusals that clients would repeat by their status, and that
// a repetition does not change before long.
var hopeless = map[protocol.Code]bool{
	protocol.CodeQuotaExceeded:         true,
	protocol.CodeServiceBudgetExceeded: true,
	protocol.CodeIdempotencyConflict:   true,
}

// AsError returns any error as clients of the API read it; see httpapi.AsError
// for those that are no refusals.
func AsError(err error) *Error { return Names(nil).AsError(err) }

// AsError is AsError for a refusal of the request whose names these are.
func (n Names) AsError(err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	refusal := httpapi.AsError(err)
	k := kindOf(refusal)
	e := &Error{
		Status:  k.status,
		Header:  headersOf(refusal),
		Cause:   refusal.Cause,
		Message: n.wordsOf(refusal.Problem),
		Type:    k.name,
		Param:   n.paramOf(refusal.Problem),
		Code:    orNull(k.code),
	}
	if hopeless[refusal.Problem.Code] {
		e = e.with(headerShouldRetry, "false")
	}
	if waits(e.Status) && e.Header[headerRetryAfter] == "" {
		e = e.with(headerRetryAfter, "1")
	}
	return e
}

func waits(status int) bool {
	return status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable
}

// kindOf completes the kind of a refusal with what this service says itself.
func kindOf(refusal *httpapi.Error) kind {
	k := kinds[refusal.Problem.Code]
	if k.status == 0 {
		k.status = refusal.Status()
	}
	if k.code == "" {
		k.code = string(refusal.Problem.Code)
	}
	switch {
	case k.name != "":
	case k.status >= http.StatusInternalServerError:
		k.name = typeServer
	default:
		k.name = typeInvalidRequest
	}
	return k
}

func headersOf(refusal *httpapi.Error) map[string]string {
	header := maps.Clone(refusal.Header)
	maps.DeleteFunc(header, func(name, _ string) bool { return strings.HasPrefix(name, "RateLimit-") })
	if refusal.Usage != nil {
		if header == nil {
			header = map[string]string{}
		}
		maps.Copy(header, RateLimits(*refusal.Usage, refusal.UsageAt))
	}
	return header
}

func (n Names) wordsOf(p protocol.Problem) string {
	switch {
	case len(p.Errors) > 0:
		return fmt.Sprintf("%s %s.", n.labelOf(p.Errors[0].Field), p.Errors[0].Message)
	case p.Budget != nil && p.Budget.Limit != nil:
		return fmt.Sprintf("You exceeded your monthly budget: $%s of $%s are spent. It resets at %s.", p.Budget.Used, p.Budget.Limit, p.ResetsAt)
	case p.Limit != nil && p.Used != nil:
		return fmt.Sprintf("You exceeded your monthly quota of %s: %d of %d are used. It resets at %s.", p.Quota, *p.Used, *p.Limit, p.ResetsAt)
	}
	return p.Detail
}

func (n Names) paramOf(p protocol.Problem) *string {
	switch {
	case len(p.Errors) > 0:
		return orNull(n.parameterOf(p.Errors[0].Field))
	case p.Code == protocol.CodeModelNotAllowed:
		return orNull("model")
	}
	return nil
}
