package client

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"fmt"
	"maps"
	mathrand "math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"

	"github.com/streaming-service/streaming-service/protocol"
)

// Client talks to one service as one user. It opens one WebSocket when a
// request is first submitted or followed, shares it between all requests, and
// opens it again while requests are open. It is safe for concurrent use.
type Client struct {
	cfg           Config
	tokens        TokenSource
	http          *http.Client
	maxRetryAfter time.Duration
	onConnection  func(Connection)
	random        func() float64

	ctx     context.Context // ends with Close
	cancel  context.CancelFunc
	need    chan struct{} // the socket may be needed
	suspect chan struct{} // something is expected of the socket
	done    sync.WaitGroup

	mu         sync.Mutex
	started    bool // the goroutine that opens the socket
	isClosed   bool
	streams    map[string][]*Stream
	submitting int // without an answer yet
	early      protocol.Early
	conn       *websocket.Conn // nil while there is no socket
	openedAt   time.Time
	heardAt    time.Time
}

// Option changes a Client.
type Option func(*Client)

// WithHTTPClient sets the client for REST calls and the WebSocket handshake.
// Default: http.DefaultClient. It should have no timeout of its own.
func WithHTTPClient(h *http.Client) Option { return func(c *Client) { c.http = h } }

// WithMaxRetryAfter sets the longest Retry-After that a call waits for by
// itself; a longer one is returned as an *APIError. Default: 30 s.
func WithMaxRetryAfter(d time.Duration) Option { return func(c *Client) { c.maxRetryAfter = d } }

// WithConnectionHook has f called, in order, whenever the state of the socket
// changes. f must not block.
func WithConnectionHook(f func(Connection)) Option { return func(c *Client) { c.onConnection = f } }

// New returns a client for the user whose tokens it is given. Close it when it
// is no longer needed.
func New(cfg Config, tokens TokenSource, options ...Option) *Client {
	c := &Client{
		cfg: cfg, tokens: tokens,
		http:          http.DefaultClient,
		maxRetryAfter: 30 * time.Second,
		onConnection:  func(Connection) {},
		random:        mathrand.Float64,
		need:          make(chan struct{}, 1),
		suspect:       make(chan struct{}, 1),
		streams:       make(map[string][]*Stream),
	}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	for _, option := range options {
		option(c)
	}
	return c
}

// Close closes the socket and all streams. It does not cancel requests.
func (c *Client) Close() {
	c.cancel()
	c.mu.Lock()
	c.isClosed = true
	open := slices.Concat(slices.Collect(maps.Values(c.streams))...)
	c.mu.Unlock()
	for _, s := range open {
		s.fail(ErrClosed)
	}
	c.done.Wait()
}

// SubmitOption changes one submission.
type SubmitOption func(*call)

// WithIdempotencyKey sets the key under which a submission is one and the same,
// in this process and after a restart of it: 1 to 128 visible ASCII characters.
// Default: a random key.
func WithIdempotencyKey(key string) SubmitOption {
	return func(c *call) { c.idempotencyKey = key }
}

// Submit sends a request to the model and returns its answer as it comes. A
// throttle, an unknown outcome and a network error are tried again with the
// same key, so that the request is neither lost nor charged twice. Documents of
// one name get a number. ctx is for the submission alone; the stream lives until
// its end.
func (c *Client) Submit(ctx context.Context, request protocol.SubmitRequest, options ...SubmitOption) (*Stream, error) {
	request.Messages = withOwnNames(request.Messages)
	what := call{method: http.MethodPost, path: "/requests", body: protocol.Encode(request), idempotencyKey: newKey()}
	for _, option := range options {
		option(&what)
	}
	c.Connect()
	c.expect(1)
	defer c.expect(-1)
	sentAt := time.Now()
	var response protocol.SubmitResponse
	if err := c.call(ctx, what, &response); err != nil {
		return nil, err
	}
	if response.RequestID == "" {
		return nil, fmt.Errorf("submitting: the answer has no requestId")
	}
	s := c.newStream(response.RequestID, &response.Quota)
	c.register(s, func() {
		replayed := response.Status != protocol.StatusQueued
		s.pace.wanted = replayed || c.openedAt.After(sentAt)
		s.pace.readWanted = response.Status.Terminal()
	})
	return s, nil
}

// Follow takes up a request that was submitted before, by this process or
// another, from its beginning.
func (c *Client) Follow(requestID string) *Stream {
	s := c.newStream(requestID, nil)
	c.register(s, func() { s.pace.wanted = true })
	return s
}

func (c *Client) newStream(requestID string, quota *protocol.Usage) *Stream {
	s := &Stream{
		client: c, requestID: requestID, quota: quota,
		kick: make(chan struct{}, 1), more: make(chan struct{}, 1),
		pace: newPace(time.Now(), c.random),
	}
	s.ctx, s.stop = context.WithCancel(c.ctx)
	return s
}

// register makes a stream known to the socket, gives it the frames that came
// before it and starts to follow it. prepare is called with the lock held.
func (c *Client) register(s *Stream, prepare func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.isClosed {
		s.fail(ErrClosed)
		return
	}
	prepare()
	if len(c.streams[s.requestID]) > 0 {
		s.pace.wanted = true // the first one took the early frames
	}
	c.streams[s.requestID] = append(c.streams[s.requestID], s)
	for _, frame := range c.early.Take(s.requestID, time.Now()) {
		s.apply(frame)
	}
	c.connect()
	signal(c.suspect)
	c.done.Go(s.follow)
}

// forget makes the socket keep no more frames for a stream.
func (c *Client) forget(s *Stream) {
	c.mu.Lock()
	defer c.mu.Unlock()
	rest := slices.DeleteFunc(c.streams[s.requestID], func(other *Stream) bool { return other == s })
	if len(rest) == 0 {
		delete(c.streams, s.requestID)
		return
	}
	c.streams[s.requestID] = rest
}

// newKey is a random idempotency key.
func newKey() string {
	var random [16]byte
	rand.Read(random[:]) // never fails
	return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(random[:]))
}
