package sockets

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/encoding/httpbinding"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/streaming-service/streaming-service/lambdas/internal/awsconfig"
)

// maxErrorBytes is how much is read of what the API says to a refused call.
const maxErrorBytes = 4 << 10

// managementAPI calls the API Gateway Management API, @connections, of one stage.
// It says what the SDK says, without the client around it: a frame is a call, and
// that client takes more time for one than all the rest of a frame.
type managementAPI struct {
	endpoint    url.URL
	credentials aws.CredentialsProvider
	client      aws.HTTPClient
	signer      *awsconfig.Signer
	skew        atomic.Int64 // of the clock of AWS against ours, ns
	turns       chan struct{}
	now         func() time.Time
}

func newManagementAPI(cfg aws.Config, endpoint string) *managementAPI {
	base, _ := url.Parse(strings.TrimSuffix(endpoint, "/")) // a URL: config has checked it
	return &managementAPI{
		endpoint: *base, credentials: cfg.Credentials, client: cfg.HTTPClient,
		signer: awsconfig.NewSigner("execute-api", cfg.Region), turns: make(chan struct{}, awsconfig.MaxCalls), now: time.Now,
	}
}

// postToConnection sends data to a connection.
func (a *managementAPI) postToConnection(ctx context.Context, connectionID string, data []byte) error {
	return a.call(ctx, http.MethodPost, connectionID, data)
}

// deleteConnection closes a connection.
func (a *managementAPI) deleteConnection(ctx context.Context, connectionID string) error {
	return a.call(ctx, http.MethodDelete, connectionID, nil)
}

// call makes one call, once. Its error is that of the SDK: a
// *smithyhttp.ResponseError and a smithy.APIError if the API has answered.
func (a *managementAPI) call(ctx context.Context, method, connectionID string, body []byte) error {
	select {
	case a.turns <- struct{}{}:
		defer func() { <-a.turns }()
	case <-ctx.Done():
		return fmt.Errorf("waiting for a turn: %w", ctx.Err())
	}
	request, err := a.request(ctx, method, connectionID, body)
	if err != nil {
		return err
	}
	response, err := a.client.Do(request)
	if err != nil {
		return &smithyhttp.RequestSendError{Err: err}
	}
	defer func() { _ = response.Body.Close() }() // what it says has been read
	a.learnSkew(response.Header)
	if response.StatusCode >= http.StatusOK && response.StatusCode < http.StatusMultipleChoices {
		_, err = io.Copy(io.Discard, response.Body) // so that the connection can be used again
		return err
	}
	return refusal(response)
}

// request makes a signed request.
func (a *managementAPI) request(ctx context.Context, method, connectionID string, body []byte) (*http.Request, error) {
	credentials, err := a.credentials.Retrieve(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading credentials: %w", err)
	}
	address := a.endpoint
	address.Path += "/@connections/" + connectionID
	address.RawPath = a.endpoint.EscapedPath() + "/@connections/" + httpbinding.EscapePath(connectionID, true)
	request := (&http.Request{
		Method: method, URL: &address, Host: address.Host, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"User-Agent": {"streaming-service"}},
	}).WithContext(ctx)
	if body != nil {
		request.Header.Set("Content-Type", "application/octet-stream")
		request.ContentLength = int64(len(body))
		request.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
		request.Body, _ = request.GetBody()
	}
	a.signer.Sign(request, body, credentials, a.now().Add(time.Duration(a.skew.Load())))
	request.Header["Idempotency-Key"] = nil // not sent: both may be done twice
	return request, nil
}

// learnSkew corrects the clock that the next call is signed by, as the SDK does:
// AWS refuses signatures that are 5 minutes off.
func (a *managementAPI) learnSkew(header http.Header) {
	if header.Get("Age") != "" { // from a cache
		return
	}
	if at, err := smithyhttp.ParseTime(header.Get("Date")); err == nil {
		a.skew.Store(int64(at.Sub(a.now())))
	}
}

// refusal is the error that a response stands for.
func refusal(response *http.Response) error {
	var said struct{ Message string }
	body, err := io.ReadAll(io.LimitReader(response.Body, maxErrorBytes))
	if err == nil {
		_ = json.Unmarshal(body, &said) // it need not be JSON
	}
	code, _, _ := strings.Cut(response.Header.Get("X-Amzn-Errortype"), ":")
	if code == "" {
		code = "UnknownError"
	}
	return &awshttp.ResponseError{
		RequestID: response.Header.Get("X-Amzn-Requestid"),
		ResponseError: &smithyhttp.ResponseError{
			Response: &smithyhttp.Response{Response: response},
			Err:      &smithy.GenericAPIError{Code: code, Message: said.Message},
		},
	}
}
