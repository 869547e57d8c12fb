package openapi

import (
	"net/http"
	"slices"
	"strings"

	"github.com/streaming-service/streaming-service/protocol"
)

// everywhere are the problems that every call may meet, also by API Gateway.
var everywhere = []protocol.Code{protocol.CodeForbidden, protocol.CodeRateLimited, protocol.CodeInternal, protocol.CodeUnavailable}

// meanings tell what each code says, for those who read the document.
var meanings = map[protocol.Code]string{
	protocol.CodeInvalidRequest:        "the request is not valid; errors names the fields",
	protocol.CodeModelNotAllowed:       "the model is not one of those allowed",
	protocol.CodeUnauthenticated:       "the token is missing, expired or of another application",
	protocol.CodeForbidden:             "calls from this address are not allowed",
	protocol.CodeBlocked:               "the account may not submit requests",
	protocol.CodeNotFound:              "the user has nothing of this id",
	protocol.CodeMethodNotAllowed:      "the resource has no such method",
	protocol.CodeIdempotencyConflict:   "the Idempotency-Key was used with another body",
	protocol.CodePayloadTooLarge:       "the body is too large",
	protocol.CodeQuotaExceeded:         "the monthly quota does not allow the request; quota, limit, used and resetsAt tell which",
	protocol.CodeRateLimited:           "calls come too fast",
	protocol.CodeTooManyInFlight:       "too many requests of the user are open",
	protocol.CodeInternal:              "the service failed",
	protocol.CodeServiceBudgetExceeded: "all users together have spent the budget of the month",
	protocol.CodeUnavailable:           "the outcome is unknown: the same request with the same Idempotency-Key is safe to send again",
}

// AllResponses are those of the operation itself and its problems.
func (o Operation) AllResponses() []Response { return slices.Concat(o.Responses, o.problems()) }

// problems are the responses for all codes that an operation may answer, one a
// status. API Gateway itself answers 502 and 504 too.
func (o Operation) problems() []Response {
	if o.OwnErrors {
		return nil
	}
	codes := slices.Concat(o.Problems, everywhere)
	if o.Access != Open {
		codes = append(codes, protocol.CodeUnauthenticated)
	}
	byStatus := map[int][]protocol.Code{}
	for _, code := range codes {
		byStatus[code.HTTPStatus()] = append(byStatus[code.HTTPStatus()], code)
	}
	byStatus[http.StatusBadGateway] = []protocol.Code{protocol.CodeInternal}
	byStatus[http.StatusGatewayTimeout] = []protocol.Code{protocol.CodeInternal}
	var responses []Response
	for status, codes := range byStatus {
		responses = append(responses, problemResponse(status, codes))
	}
	return responses
}

func problemResponse(status int, codes []protocol.Code) Response {
	r := Response{Status: status, MediaType: protocol.ProblemType, Schema: Ref("problem"), Examples: map[string]any{}}
	var lines []string
	for _, code := range codes {
		lines = append(lines, "`"+string(code)+"`: "+meanings[code])
		r.Examples[string(code)] = exampleOf(status, code)
	}
	r.Description = strings.Join(lines, "; ") + "."
	if status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable {
		r.Headers = append(r.Headers, Header{
			Name: "Retry-After", Description: "Seconds to wait before the next try.", Always: true,
			Schema: Schema{"type": "integer", "minimum": 1},
		})
	}
	if slices.Contains(codes, protocol.CodeQuotaExceeded) {
		r.Headers = append(r.Headers, RateLimitHeaders()...)
	}
	return r
}

// RateLimitHeaders describe the monthly requests of the user.
func RateLimitHeaders() []Header {
	count := func(name, description string) Header {
		return Header{Name: name, Description: description, Schema: Schema{"type": "integer", "minimum": 0}}
	}
	return []Header{
		count("RateLimit-Limit", "Requests a month. Absent where they are unlimited."),
		count("RateLimit-Remaining", "Requests left this month. Absent where they are unlimited."),
		count("RateLimit-Reset", "Seconds to the next month. Absent where requests are unlimited."),
	}
}

func exampleOf(status int, code protocol.Code) protocol.Problem {
	p := protocol.Problem{
		Type: protocol.ProblemURN(code), Title: http.StatusText(status), Status: status, Code: code,
		Detail: strings.ToUpper(meanings[code][:1]) + meanings[code][1:] + ".",
	}
	switch code {
	case protocol.CodeInvalidRequest:
		p.Errors = []protocol.FieldError{{Field: "prompt", Message: "must not be blank"}}
	case protocol.CodeQuotaExceeded:
		p.Quota, p.Limit, p.Used, p.ResetsAt = "requests", new(int64(1000)), new(int64(1000)), "2026-12-01T00:00:00Z"
	}
	return p
}
