package httpapi

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/protocol"
)

// Error is a refusal that the caller reads. Its cause goes to the log only.
type Error struct {
	Problem protocol.Problem
	Header  map[string]string
	Cause   error
	// Usage, where a limit refused, is the caller's at UsageAt. It is for
	// headers and no part of the body.
	Usage   *protocol.Usage
	UsageAt time.Time
}

// NewError returns the refusal with a code and the words for the caller.
func NewError(code protocol.Code, detail string) *Error {
	return &Error{Problem: protocol.Problem{Code: code, Detail: detail}}
}

// Invalid returns the refusal of a request for its fields.
func Invalid(fields ...protocol.FieldError) *Error {
	e := NewError(protocol.CodeInvalidRequest, "The request is not valid.")
	e.Problem.Errors = fields
	return e
}

func (e *Error) Error() string {
	if e.Cause != nil {
		return fmt.Sprintf("%s: %v", e.Problem.Code, e.Cause)
	}
	return string(e.Problem.Code)
}

func (e *Error) Unwrap() error { return e.Cause }

// With adds a response header.
func (e *Error) With(name, value string) *Error {
	if e.Header == nil {
		e.Header = map[string]string{}
	}
	e.Header[name] = value
	return e
}

// Status is the HTTP status of the error's code.
func (e *Error) Status() int { return e.Problem.Code.HTTPStatus() }

// AsError returns err as the caller reads it. What is no Error becomes one: an
// unknown outcome is unavailable and safe to repeat, a missing request not
// found, and the rest internal.
func AsError(err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	var e *Error
	switch {
	case errors.Is(err, life.ErrNotFound):
		e = NewError(protocol.CodeNotFound, "There is no such request.")
	case errors.Is(err, life.ErrUnavailable):
		e = NewError(protocol.CodeUnavailable, "The outcome is not known. Send the same request again.").With(headerRetryAfter, "1")
	default:
		e = NewError(protocol.CodeInternal, "The service failed.")
	}
	e.Cause = err
	return e
}

// complete fills what follows from the code.
func (e *Error) complete() protocol.Problem {
	p := e.Problem
	p.Type = protocol.ProblemURN(p.Code)
	p.Status = e.Status()
	p.Title = http.StatusText(p.Status)
	return p
}
