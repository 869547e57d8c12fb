package websocket

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/streaming-service/streaming-service/internal/localcloud/gateway"
)

// functionError is an invocation that the function itself failed.
type functionError struct{ message string }

func (e functionError) Error() string { return "function failed: " + e.message }

var errNoIntegration = errors.New("route has no integration")

// call invokes a function with an event and waits for at most timeout, whether
// the client does or not.
func (s *Service) call(ctx context.Context, uri, sourceARN string, e event, timeout time.Duration) ([]byte, error) {
	arn, err := gateway.FunctionARN(uri)
	if err != nil {
		return nil, err
	}
	payload, err := json.Marshal(e)
	if err != nil {
		return nil, fmt.Errorf("encoding event: %w", err)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), timeout)
	defer cancel()
	result, failed, err := s.deps.Invoker.InvokeAs(ctx, gateway.Principal, sourceARN, arn, payload)
	if failed != "" {
		return nil, functionError{errorMessage(result)}
	}
	return result, err
}

func errorMessage(payload []byte) string {
	var failure struct {
		ErrorMessage string `json:"errorMessage"`
	}
	if json.Unmarshal(payload, &failure) != nil {
		return ""
	}
	return failure.ErrorMessage
}

// integrate invokes the integration of a route.
func (s *Service) integrate(ctx context.Context, d definition, r Route, key connKey, e event) ([]byte, error) {
	id, _ := integrationID(r.Target)
	i, ok := d.integrations[id]
	if !ok {
		return nil, errNoIntegration
	}
	timeout := s.deps.Options.IntegrationTimeout
	if i.TimeoutMilliseconds != 0 {
		timeout = min(timeout, time.Duration(i.TimeoutMilliseconds)*time.Millisecond)
	}
	return s.call(ctx, i.URI, gateway.ExecutionARN(key.apiID+"/"+key.stage+"/"+r.RouteKey), e, timeout)
}

// proxyResponse is what a function returns.
type proxyResponse struct {
	StatusCode json.RawMessage `json:"statusCode"`
	Headers    map[string]any  `json:"headers"`
	Body       string          `json:"body"`
}

// connected reads the answer of the $connect integration: the subprotocol that
// it selected, or how it refused.
func connected(result []byte, err error) (subprotocol string, refused *refusal) {
	switch {
	case errors.Is(err, errNoIntegration):
		return "", nil
	case errors.Is(err, context.DeadlineExceeded):
		return "", refusedTimeout
	case err != nil:
		if _, ok := errors.AsType[functionError](err); ok {
			return "", refusedBadGateway
		}
		return "", refusedInternal
	}
	var p proxyResponse
	if json.Unmarshal(result, &p) != nil {
		return "", refusedBadGateway
	}
	status, err := strconv.Atoi(strings.Trim(string(p.StatusCode), `"`))
	if err != nil || status < 200 || status > 599 {
		return "", refusedBadGateway
	}
	if status >= http.StatusMultipleChoices {
		return "", &refusal{status: status, body: []byte(p.Body)}
	}
	for name, value := range p.Headers {
		if strings.EqualFold(name, "Sec-WebSocket-Protocol") {
			subprotocol = fmt.Sprint(value)
		}
	}
	return subprotocol, nil
}
