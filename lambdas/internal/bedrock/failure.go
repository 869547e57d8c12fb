package bedrock

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/streaming-service/streaming-service/lambdas/internal/model"
	"github.com/streaming-service/streaming-service/protocol"
)

// verdict is what an error of Bedrock means.
type verdict struct {
	code      protocol.Code
	retryable bool
	final     bool
}

var (
	throttled = verdict{code: protocol.CodeModelThrottled, retryable: true}
	timedOut  = verdict{code: protocol.CodeModelTimeout, retryable: true}
	failed    = verdict{code: protocol.CodeModelError, retryable: true}
	refused   = verdict{code: protocol.CodeModelError}
	// hopeless is for what the request asks, or for what the service may call.
	hopeless = verdict{code: protocol.CodeModelError, final: true}
)

func (v verdict) failure(err error) *model.Failure {
	return &model.Failure{Code: v.code, Retryable: v.retryable, Final: v.final, Err: err}
}

// verdicts go by the error code in lower case: before the stream it has a
// capital, in the stream it has none, and codes that the SDK does not model for
// ConverseStream arrive as generic errors.
var verdicts = map[string]verdict{
	"throttlingexception":           throttled,
	"toomanyrequestsexception":      throttled,
	"modelnotreadyexception":        throttled,
	"servicequotaexceededexception": throttled,
	"modeltimeoutexception":         timedOut,
	"modelerrorexception":           failed,
	"modelstreamerrorexception":     failed,
	"internalserverexception":       failed,
	"serviceunavailableexception":   failed,
	"validationexception":           hopeless,
	"accessdeniedexception":         hopeless,
	"resourcenotfoundexception":     hopeless,
	"conflictexception":             refused,
}

// failure turns an error into what it means, unless ctx is over for a reason of
// its own.
func failure(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		if !errors.Is(cause, errIdle) {
			return cause
		}
		return timedOut.failure(errIdle)
	}
	return judgeError(err).failure(quiet(err))
}

// quiet replaces an error about the request itself, whose text may quote what
// the user wrote, by its code and the id under which AWS knows it: errors are
// logged.
func quiet(err error) error {
	api, ok := errors.AsType[smithy.APIError](err)
	if !ok || !strings.EqualFold(api.ErrorCode(), "ValidationException") {
		return err
	}
	id := ""
	if response, ok := errors.AsType[*awshttp.ResponseError](err); ok {
		id = response.ServiceRequestID()
	}
	return fmt.Errorf("%s of request %q", api.ErrorCode(), id)
}

func judgeError(err error) verdict {
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		if v, known := verdicts[strings.ToLower(api.ErrorCode())]; known {
			return v
		}
	}
	var response *smithyhttp.ResponseError
	if !errors.As(err, &response) {
		return failed // the connection, or the stream's encoding
	}
	switch status := response.HTTPStatusCode(); {
	case status == http.StatusTooManyRequests:
		return throttled
	case status == http.StatusRequestTimeout, status == http.StatusGatewayTimeout:
		return timedOut
	case status >= 400 && status < 500:
		return refused
	}
	return failed
}
