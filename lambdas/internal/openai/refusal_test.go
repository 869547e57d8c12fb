package openai_test

import (
	"errors"
	"fmt"
	"maps"
	"testing"
	"time"

	"github.com/streaming-service/streaming-service/lambdas/internal/httpapi"
	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/lambdas/internal/openai"
	"github.com/streaming-service/streaming-service/protocol"
)

func sameHeader(t *testing.T, got, want map[string]string) {
	t.Helper()
	if !maps.Equal(got, want) {
		t.Errorf("header %v, want %v", got, want)
	}
}

func fieldError(field, message string) *httpapi.Error {
	return httpapi.Invalid(protocol.FieldError{Field: field, Message: message}, protocol.FieldError{Field: "other", Message: "x"})
}

func overQuota() *httpapi.Error {
	e := httpapi.NewError(protocol.CodeQuotaExceeded, "The monthly quota does not allow this request.")
	e.Problem.Quota, e.Problem.Limit, e.Problem.Used, e.Problem.ResetsAt = "tokens", new(int64(500)), new(int64(490)), "2026-12-01T00:00:00Z"
	e.Usage, e.UsageAt = new(month()), time.Date(2026, 11, 30, 22, 58, 57, 1, time.UTC)
	return e.With("Retry-After", "3663").With("RateLimit-Limit", "10").With("RateLimit-Reset", "3663")
}

func overBudget() *httpapi.Error {
	e := httpapi.NewError(protocol.CodeQuotaExceeded, "The monthly quota does not allow this request.").With("Retry-After", "3663")
	e.Problem.Quota, e.Problem.Limit, e.Problem.Used, e.Problem.ResetsAt = protocol.QuotaBudget, new(int64(5_000_000_000)), new(int64(4_990_000_000)), "2026-12-01T00:00:00Z"
	e.Problem.Budget = &protocol.BudgetUsage{Currency: protocol.Currency, Limit: new(5 * protocol.Dollar), Used: 5*protocol.Dollar - protocol.Dollar/100}
	return e
}

// month has a limit on tokens and none on requests.
func month() protocol.Usage {
	return protocol.Usage{
		ResetsAt: "2026-12-01T00:00:00Z",
		Requests: protocol.RequestsUsage{Used: 3},
		Tokens:   protocol.TokensUsage{Limit: new(int64(500)), Used: 490, Remaining: new(int64(10))},
	}
}

func TestAsError(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		err    error
		status int
		body   string
		header map[string]string
	}{
		{"field", fieldError("stopSequences[1]", "must have 1 to 256 bytes"), 400, `{"error":{"message":"'stop[1]' must have 1 to 256 bytes.","type":"invalid_request_error","param":"stop[1]","code":"invalid_value"}}`, nil},
		{"maxTokens", fieldError("maxTokens", "must be a whole number from 1 to 100, got 101"), 400, `{"error":{"message":"'max_tokens' or 'max_completion_tokens' must be a whole number from 1 to 100, got 101.","type":"invalid_request_error","param":"max_tokens","code":"invalid_value"}}`, nil},
		{"system", fieldError("system", "is not allowed here"), 400, `{"error":{"message":"A message with the role 'system' or 'developer' is not allowed here.","type":"invalid_request_error","param":"messages","code":"invalid_value"}}`, nil},
		{"topP", fieldError("topP", "must be from 0 to 1, got 1.5"), 400, `{"error":{"message":"'top_p' must be from 0 to 1, got 1.5.","type":"invalid_request_error","param":"top_p","code":"invalid_value"}}`, nil},
		{"content", fieldError("messages[0].content", "must not be blank"), 400, `{"error":{"message":"'messages[0].content' must not be blank.","type":"invalid_request_error","param":"messages[0].content","code":"invalid_value"}}`, nil},
		{"body", fieldError("body", "must be valid UTF-8"), 400, `{"error":{"message":"The body must be valid UTF-8.","type":"invalid_request_error","param":null,"code":"invalid_value"}}`, nil},
		{"model", httpapi.NewError(protocol.CodeModelNotAllowed, "No such model."), 404, `{"error":{"message":"No such model.","type":"invalid_request_error","param":"model","code":"model_not_found"}}`, nil},
		{"token", httpapi.NewError(protocol.CodeUnauthenticated, "No."), 401, `{"error":{"message":"No.","type":"invalid_request_error","param":null,"code":"invalid_api_key"}}`, nil},
		{"blocked", httpapi.NewError(protocol.CodeBlocked, "No."), 403, `{"error":{"message":"No.","type":"request_forbidden","param":null,"code":"blocked"}}`, nil},
		{"address", httpapi.NewError(protocol.CodeForbidden, "No."), 403, `{"error":{"message":"No.","type":"request_forbidden","param":null,"code":"forbidden"}}`, nil},
		{"path", httpapi.NewError(protocol.CodeNotFound, "No."), 404, `{"error":{"message":"No.","type":"invalid_request_error","param":null,"code":"not_found"}}`, nil},
		{"key of another body", httpapi.NewError(protocol.CodeIdempotencyConflict, "No."), 409, `{"error":{"message":"No.","type":"invalid_request_error","param":null,"code":"idempotency_conflict"}}`, map[string]string{"x-should-retry": "false"}},
		{
			"quota", overQuota(), 429,
			`{"error":{"message":"You exceeded your monthly quota of tokens: 490 of 500 are used. It resets at 2026-12-01T00:00:00Z.","type":"insufficient_quota","param":null,"code":"insufficient_quota"}}`,
			map[string]string{"Retry-After": "3663", "x-should-retry": "false", "x-ratelimit-limit-tokens": "500", "x-ratelimit-remaining-tokens": "10", "x-ratelimit-reset-tokens": "1h1m3s"},
		},
		{
			"budget", overBudget(), 429,
			`{"error":{"message":"You exceeded your monthly budget: $4.99 of $5 are spent. It resets at 2026-12-01T00:00:00Z.","type":"insufficient_quota","param":null,"code":"insufficient_quota"}}`,
			map[string]string{"Retry-After": "3663", "x-should-retry": "false"},
		},
		{
			"budget of the service", httpapi.NewError(protocol.CodeServiceBudgetExceeded, "No.").With("Retry-After", "3663"), 503,
			`{"error":{"message":"No.","type":"server_error","param":null,"code":"service_budget_exceeded"}}`,
			map[string]string{"Retry-After": "3663", "x-should-retry": "false"},
		},
		{"rate", httpapi.NewError(protocol.CodeRateLimited, "No.").With("Retry-After", "7"), 429, `{"error":{"message":"No.","type":"requests","param":null,"code":"rate_limit_exceeded"}}`, map[string]string{"Retry-After": "7"}},
		{"open requests", httpapi.NewError(protocol.CodeTooManyInFlight, "No."), 429, `{"error":{"message":"No.","type":"requests","param":null,"code":"rate_limit_exceeded"}}`, map[string]string{"Retry-After": "1"}},
		{"outcome unknown", fmt.Errorf("sending: %w", life.ErrUnavailable), 503, `{"error":{"message":"The outcome is not known. Send the same request again.","type":"server_error","param":null,"code":"unavailable"}}`, map[string]string{"Retry-After": "1"}},
		{"internal", errors.New("secret"), 500, `{"error":{"message":"The service failed.","type":"server_error","param":null,"code":"internal"}}`, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got := openai.AsError(test.err)
			if got.Status != test.status || string(got.Body()) != test.body {
				t.Errorf("%d %s\nwant %d %s", got.Status, got.Body(), test.status, test.body)
			}
			sameHeader(t, got.Header, test.header)
		})
	}
}

func TestAsErrorLeavesItsOwnErrorsAlone(t *testing.T) {
	t.Parallel()
	_, own := openai.Parse([]byte(`{}`))
	if got := openai.AsError(fmt.Errorf("parsing: %w", own)); got != own {
		t.Errorf("AsError = %v", got)
	}
	cause := errors.New("secret")
	if got := openai.AsError(cause); !errors.Is(got, cause) {
		t.Errorf("the cause of %v is lost for the log", got)
	}
}

func TestRateLimits(t *testing.T) {
	t.Parallel()
	usage := month()
	usage.Requests = protocol.RequestsUsage{Limit: new(int64(10)), Used: 10, Remaining: new(int64(0))}
	sameHeader(t, openai.RateLimits(usage, time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)), map[string]string{
		"x-ratelimit-limit-requests": "10", "x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "720h0m0s",
		"x-ratelimit-limit-tokens": "500", "x-ratelimit-remaining-tokens": "10", "x-ratelimit-reset-tokens": "720h0m0s",
	})
	sameHeader(t, openai.RateLimits(protocol.Usage{ResetsAt: usage.ResetsAt}, time.Time{}), map[string]string{})
}
