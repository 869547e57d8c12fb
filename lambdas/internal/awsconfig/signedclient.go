package awsconfig

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// SignedClient makes calls of one service that are signed as the SDK signs them,
// without the SDK's client around them, which takes more time for a small call
// than all the rest. It is for calls that may be made twice.
type SignedClient struct {
	credentials aws.CredentialsProvider
	client      aws.HTTPClient
	signer      *signer
	now         func() time.Time
	skew        atomic.Int64 // of the clock of AWS against ours, ns
	turns       chan struct{}
}

// NewSignedClient returns a client of a service, by the name that it signs with.
// At most MaxCalls of its calls are under way at once.
func NewSignedClient(cfg aws.Config, service string) *SignedClient {
	return &SignedClient{
		credentials: cfg.Credentials, client: cfg.HTTPClient, signer: newSigner(service, cfg.Region),
		now: time.Now, turns: make(chan struct{}, MaxCalls),
	}
}

// SetClock has calls signed by now. Only tests need it.
func (c *SignedClient) SetClock(now func() time.Time) { c.now = now }

// Do makes one call with a header, which it keeps, and a body; nil: none. The
// error is the SDK's *smithyhttp.RequestSendError if nothing was answered.
func (c *SignedClient) Do(ctx context.Context, method string, address *url.URL, header http.Header, body []byte) (*http.Response, error) {
	select {
	case c.turns <- struct{}{}:
		defer func() { <-c.turns }()
	case <-ctx.Done():
		return nil, fmt.Errorf("waiting for a turn: %w", ctx.Err())
	}
	credentials, err := c.credentials.Retrieve(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading credentials: %w", err)
	}
	request := (&http.Request{Method: method, URL: address, Host: address.Host, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: header}).WithContext(ctx)
	if body != nil {
		request.ContentLength = int64(len(body))
		request.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
		request.Body, _ = request.GetBody()
	}
	header["User-Agent"] = []string{"streaming-service"}
	c.signer.sign(request, body, credentials, c.now().Add(time.Duration(c.skew.Load())))
	header["Idempotency-Key"] = nil // not sent: the call may be made twice
	response, err := c.client.Do(request)
	if err != nil {
		return nil, &smithyhttp.RequestSendError{Err: err}
	}
	c.learnSkew(response.Header)
	return response, nil
}

// learnSkew corrects the clock that the next call is signed by, as the SDK does:
// AWS refuses signatures that are 5 minutes off.
func (c *SignedClient) learnSkew(header http.Header) {
	if header.Get("Age") != "" { // from a cache
		return
	}
	if at, err := smithyhttp.ParseTime(header.Get("Date")); err == nil {
		c.skew.Store(int64(at.Sub(c.now())))
	}
}
