package openai

import (
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/streaming-service/streaming-service/protocol"
)

// Types of errors.
const (
	typeInvalidRequest    = "invalid_request_error"
	typeForbidden         = "request_forbidden"
	typeInsufficientQuota = "insufficient_quota"
	typeRequests          = "requests"
	typeServer            = "server_error"
)

// Codes of errors in a request.
const (
	codeUnknownParameter     = "unknown_parameter"
	codeUnsupportedParameter = "unsupported_parameter"
	codeUnsupportedValue     = "unsupported_value"
	codeMissingParameter     = "missing_required_parameter"
	codeInvalidType          = "invalid_type"
	codeInvalidValue         = "invalid_value"
	codeEmptyArray           = "empty_array"
	codeEmptyString          = "empty_string"
	codeArrayTooLong         = "array_above_max_length"
	codeStringTooLong        = "string_above_max_length"
	codeObjectTooLong        = "object_above_max_properties"
	codeIntegerTooSmall      = "integer_below_min_value"
	codeDecimalTooSmall      = "decimal_below_min_value"
	codeDecimalTooLarge      = "decimal_above_max_value"
)

// Error is an error as clients of the API read it. Param and Code are null
// where they say nothing.
type Error struct {
	Status int               `json:"-"`
	Header map[string]string `json:"-"`
	Cause  error             `json:"-"` // for the log only

	Message string  `json:"message"`
	Type    string  `json:"type"`
	Param   *string `json:"param"`
	Code    *string `json:"code"`
}

func (e *Error) Error() string { return e.Message }

func (e *Error) Unwrap() error { return e.Cause }

// envelope is the body around an error.
type envelope struct {
	Error *Error `json:"error"`
}

// Body is the answer's body.
func (e *Error) Body() []byte { return protocol.Encode(envelope{e}) }

// Event tells the error on a stream that has begun. It is the last event: no
// Done follows.
func (e *Error) Event() []byte { return event(envelope{e}) }

func (e *Error) with(name, value string) *Error {
	if e.Header == nil {
		e.Header = map[string]string{}
	}
	e.Header[name] = value
	return e
}

// invalid is the error of a request for one of its parameters.
func invalid(param, code, format string, args ...any) *Error {
	return &Error{
		Status:  http.StatusBadRequest,
		Message: fmt.Sprintf(format, args...),
		Type:    typeInvalidRequest,
		Param:   orNull(param),
		Code:    orNull(code),
	}
}

func missing(param string) *Error {
	return invalid(param, codeMissingParameter, "Missing required parameter: '%s'.", param)
}

func wrongType(param, want string, got json.RawMessage) *Error {
	return invalid(param, codeInvalidType, "Invalid type for '%s': expected %s, but got %s instead.", param, want, typeOf(got))
}

// subject names a parameter in a sentence; without one it is the body.
func subject(param string) string {
	if param == "" {
		return "body"
	}
	return "'" + param + "'"
}

func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
