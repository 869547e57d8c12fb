// Package gateway holds what REST and WebSocket APIs of API Gateway have in
// common: how they reach a function, name a request and count against a
// throttle.
package gateway

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
)

// Principal is the service principal that invokes functions, as resource
// policies name it.
const Principal = "apigateway.amazonaws.com"

// IntegrationTimeout is the longest time that an integration may take; it is
// also the default (API Gateway quotas).
const IntegrationTimeout = 29 * time.Second

// MaxInvocationBytes is the largest payload of a synchronous invocation
// (Lambda quotas).
const MaxInvocationBytes = 6 << 20

// Invoker invokes functions on behalf of an AWS service.
type Invoker interface {
	// InvokeAs invokes functionARN for principal, whose request came from
	// sourceARN. It fails with an *awsapi.Error: AccessDeniedException when the
	// function's resource policy does not allow it, TooManyRequestsException
	// when the function is throttled. functionError is "" when the function
	// returned a result. When ctx ends before, the error is its error, and the
	// function runs on.
	InvokeAs(ctx context.Context, principal, sourceARN, functionARN string, payload []byte) (result []byte, functionError string, err error)
}

// InvokerFunc makes an Invoker of a function.
type InvokerFunc func(ctx context.Context, principal, sourceARN, functionARN string, payload []byte) (result []byte, functionError string, err error)

// InvokeAs calls f.
func (f InvokerFunc) InvokeAs(ctx context.Context, principal, sourceARN, functionARN string, payload []byte) (result []byte, functionError string, err error) {
	return f(ctx, principal, sourceARN, functionARN, payload)
}

// ErrorCode returns the code of the AWS error in err's chain, or "".
func ErrorCode(err error) string {
	if e, ok := errors.AsType[*awsapi.Error](err); ok {
		return e.Code
	}
	return ""
}

// FunctionARN returns the ARN inside an invoke URI:
// arn:aws:apigateway:REGION:lambda:path/2015-03-31/functions/ARN/invocations.
func FunctionARN(invokeURI string) (string, error) {
	return functionARN(invokeURI, "2015-03-31", "invocations")
}

// StreamedFunctionARN returns the ARN inside the URI of an integration that
// streams its response:
// arn:aws:apigateway:REGION:lambda:path/2021-11-15/functions/ARN/response-streaming-invocations.
func StreamedFunctionARN(invokeURI string) (string, error) {
	return functionARN(invokeURI, "2021-11-15", "response-streaming-invocations")
}

func functionARN(uri, version, call string) (string, error) {
	_, path, ok := strings.Cut(uri, ":lambda:path/"+version+"/functions/")
	arn, isCall := strings.CutSuffix(path, "/"+call)
	if !ok || !isCall || !strings.HasPrefix(uri, "arn:") || !strings.HasPrefix(arn, "arn:") {
		return "", fmt.Errorf("reading integration URI: %q is not the invoke ARN of a function, which has the form arn:…:lambda:path/%s/functions/arn:…/%s", uri, version, call)
	}
	return arn, nil
}

// ExecutionARN returns arn:aws:execute-api:REGION:ACCOUNT:resource.
func ExecutionARN(resource string) string { return awsapi.ARN("execute-api", resource) }

// DomainName returns the host name that the API would have in AWS.
func DomainName(apiID string) string {
	return apiID + ".execute-api." + awsapi.Region + "." + awsapi.DNSSuffix
}

// NewExtendedID returns an id of the shape R1kmxc2VNjMCFIA=, which API Gateway
// gives to connections, messages and extended request ids.
func NewExtendedID() string {
	var b [11]byte
	_, _ = rand.Read(b[:])
	return base64.URLEncoding.EncodeToString(b[:])
}

// NewTraceID returns a value of X-Amzn-Trace-Id.
func NewTraceID() string {
	var b [12]byte
	_, _ = rand.Read(b[:])
	return fmt.Sprintf("Root=1-%08x-%x", time.Now().Unix(), b[:])
}

// NewID returns a random lower-case id of the given length, such as an API has.
func NewID(length int) string {
	const alphabet = "abcdefghijklmnopqrstuvwxyz0123456789"
	b := make([]byte, length)
	_, _ = rand.Read(b)
	for i := range b {
		b[i] = alphabet[int(b[i])%len(alphabet)]
	}
	return string(b)
}

// RequestTime writes t as requestContext.requestTime does.
func RequestTime(t time.Time) string { return t.UTC().Format("02/Jan/2006:15:04:05 -0700") }
