package bedrock

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/streaming-service/streaming-service/lambdas/internal/model"
	"github.com/streaming-service/streaming-service/protocol"
)

// verdict is what an error of Bedrock means.
type verdict struct {
	code      protocol.Code
	retryable bool
}

var (
	throttled = verdict{protocol.CodeModelThrottled, true}
	timedOut  = verdict{protocol.CodeModelTimeout, true}
	failed    = verdict{protocol.CodeModelError, true}
	hopeless  = verdict{protocol.CodeModelError, false}
)

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
	"conflictexception":             hopeless,
}

// failure turns an error into what it means, unless ctx is over for a reason of
// its own.
func failure(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		if !errors.Is(cause, errIdle) {
			return cause
		}
		return &model.Failure{Code: timedOut.code, Retryable: timedOut.retryable, Err: errIdle}
	}
	v := judgeError(err)
	return &model.Failure{Code: v.code, Retryable: v.retryable, Err: err}
}

func judgeError(err error) verdict {
	var api smithy.APIError
	if errors.As(err, &api) {
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
		return hopeless
	}
	return failed
}
