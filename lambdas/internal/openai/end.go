package openai

import (
	"net/http"

	"github.com/streaming-service/streaming-service/protocol"
)

// Reasons why an answer is finished.
const (
	FinishStop          = "stop"
	FinishLength        = "length"
	FinishToolCalls     = "tool_calls"
	FinishContentFilter = "content_filter"
)

// finishReasons are the stop reasons of Converse and of this service that are
// no plain stop.
var finishReasons = map[string]string{
	"max_tokens":                    FinishLength,
	"model_context_window_exceeded": FinishLength,
	"deadline":                      FinishLength,
	"tool_use":                      FinishToolCalls,
	"guardrail_intervened":          FinishContentFilter,
	"content_filtered":              FinishContentFilter,
}

// FinishReason is the finish_reason for a stop reason of a request.
func FinishReason(stopReason string) string {
	if reason, ok := finishReasons[stopReason]; ok {
		return reason
	}
	return FinishStop
}

// End reads the end of a request: why its answer is finished, or how it failed.
// What a content filter withheld is no failure to these clients, but an answer
// with that finish_reason.
func End(end protocol.Frame) (finishReason string, failure *Error) {
	switch {
	case end.Type == protocol.FrameDone:
		return FinishReason(end.StopReason), nil
	case end.Code == protocol.CodeContentFiltered:
		return FinishContentFilter, nil
	}
	retryable := end.Retryable != nil && *end.Retryable
	return "", Failure(protocol.RequestError{Code: end.Code, Message: end.Message, Retryable: retryable})
}

// failureStatuses are the statuses of requests that failed before a first byte
// of their answer was sent.
var failureStatuses = map[protocol.Code]int{
	protocol.CodeModelThrottled: http.StatusServiceUnavailable,
	protocol.CodeModelError:     http.StatusBadGateway,
	protocol.CodeModelTimeout:   http.StatusGatewayTimeout,
	protocol.CodeExpired:        http.StatusGatewayTimeout,
	protocol.CodeCancelled:      http.StatusConflict,
	protocol.CodeUploadNotFound: http.StatusBadRequest,
}

// Failure is the error of a request that was admitted and did not succeed.
// A client that repeats it sends a new request.
func Failure(failed protocol.RequestError) *Error {
	e := &Error{Status: http.StatusInternalServerError, Message: failed.Message, Type: typeServer, Code: orNull(string(failed.Code))}
	if status, ok := failureStatuses[failed.Code]; ok {
		e.Status = status
	}
	if e.Status == http.StatusBadRequest {
		e.Type = typeInvalidRequest
	}
	switch {
	case !failed.Retryable:
		return e.with(headerShouldRetry, "false")
	case waits(e.Status):
		return e.with(headerRetryAfter, "1")
	}
	return e
}
