package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/streaming-service/streaming-service/protocol"
)

// How a call of the REST API is repeated.
const (
	// callTimeout is for one try. API Gateway answers within 29 s.
	callTimeout = 35 * time.Second
	// maxTries bounds the tries of one call.
	maxTries = 6
	// firstRetryDelay and maxRetryDelay bound the full-jitter back-off.
	firstRetryDelay = 250 * time.Millisecond
	maxRetryDelay   = 8 * time.Second
)

// Get reads the state of a request.
func (c *Client) Get(ctx context.Context, requestID string) (protocol.RequestState, error) {
	var state protocol.RequestState
	err := c.call(ctx, call{method: http.MethodGet, path: "/requests/" + requestID}, &state)
	return state, err
}

// Cancel stops a request. It is idempotent: a request that has ended stays as
// it is. The end itself comes through the request's Stream.
func (c *Client) Cancel(ctx context.Context, requestID string) (protocol.CancelResponse, error) {
	var response protocol.CancelResponse
	err := c.call(ctx, call{method: http.MethodDelete, path: "/requests/" + requestID}, &response)
	return response, err
}

// Usage reads what the user has used of the month's quota.
func (c *Client) Usage(ctx context.Context) (protocol.Usage, error) {
	var usage protocol.Usage
	err := c.call(ctx, call{method: http.MethodGet, path: "/usage"}, &usage)
	return usage, err
}

// call is one call of the REST API, which may be tried several times.
type call struct {
	method, path   string
	body           []byte
	idempotencyKey string
}

// call tries until the answer is final: throttles, outcomes that are not known
// and network errors are tried again. That is safe, as every call is
// idempotent: reads and cancels by nature, a submission by its key.
func (c *Client) call(ctx context.Context, what call, output any) error {
	renewed := false
	for try := 0; ; try++ {
		token, err := c.tokens.IDToken(ctx)
		if err != nil {
			err = fmt.Errorf("getting token: %w", err)
		} else {
			err = c.try(ctx, what, token, output)
		}
		if err == nil || ctx.Err() != nil {
			return err
		}
		if renewer, ok := c.tokens.(Renewer); ok && refused(err) && !renewed {
			switch renewErr := renewer.Renew(ctx, token); {
			case renewErr == nil:
				renewed = true
				continue
			case isTransient(renewErr):
				err = renewErr
			default:
				err = fmt.Errorf("%w; renewing token: %w", err, renewErr)
			}
		}
		delay, again := c.retryDelay(err, try)
		if !again {
			return err
		}
		if err := sleep(ctx, delay); err != nil {
			return err
		}
	}
}

// retryDelay says whether to try once more after an error, and when.
func (c *Client) retryDelay(err error, try int) (time.Duration, bool) {
	if try+1 >= maxTries {
		return 0, false
	}
	delay := fullJitter(firstRetryDelay, maxRetryDelay, try, c.random)
	var refusal *APIError
	if !errors.As(err, &refusal) {
		return delay, isTransient(err)
	}
	if !refusal.Temporary() || refusal.RetryAfter > c.maxRetryAfter {
		return 0, false
	}
	return max(delay, refusal.RetryAfter), true
}

// try makes the call once.
func (c *Client) try(ctx context.Context, what call, token string, output any) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, what.method, strings.TrimSuffix(c.cfg.RestURL, "/")+what.path, bytes.NewReader(what.body))
	if err != nil {
		return fmt.Errorf("building request: %w", err)
	}
	request.Header.Set("Authorization", token)
	if what.body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	if what.idempotencyKey != "" {
		request.Header.Set("Idempotency-Key", what.idempotencyKey)
	}
	response, err := c.http.Do(request)
	if err != nil {
		return &networkError{fmt.Errorf("calling the service: %w", err)}
	}
	defer func() { _ = response.Body.Close() }()
	data, err := io.ReadAll(io.LimitReader(response.Body, maxResponseBytes))
	if err != nil {
		return &networkError{fmt.Errorf("calling the service: %w", err)}
	}
	if response.StatusCode >= 300 {
		return apiError(response, data)
	}
	if err := json.Unmarshal(data, output); err != nil {
		return fmt.Errorf("decoding answer of %s %s: %w", what.method, what.path, err)
	}
	return nil
}

// networkError is an answer that did not come: the outcome is not known.
type networkError struct{ err error }

func (e *networkError) Error() string { return e.err.Error() }
func (e *networkError) Unwrap() error { return e.err }

// isTransient reports whether an error is none of the service's, and may pass: an
// answer that did not come, or a refusal by an overloaded Cognito.
func isTransient(err error) bool {
	var network *networkError
	var auth *AuthError
	return errors.As(err, &network) || errors.As(err, &auth) && auth.Temporary()
}

func refused(err error) bool {
	var refusal *APIError
	return errors.As(err, &refusal) && refusal.Status == http.StatusUnauthorized
}

func apiError(response *http.Response, data []byte) error {
	e := &APIError{Status: response.StatusCode, RetryAfter: retryAfter(response.Header)}
	if json.Unmarshal(data, &e.Problem) == nil {
		e.Code = e.Problem.Code
	}
	return e
}
