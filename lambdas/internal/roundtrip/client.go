// Package roundtrip makes HTTP/1.1 calls on the goroutine of their caller.
//
// The Transport of net/http has two goroutines for each connection, and a call
// changes between the three of them four times, which takes longer than the rest
// of a small call. This client reads the answer when it has sent the request, and
// does nothing that the APIs of AWS have no use for: proxies, redirects, cookies,
// compression and HTTP/2.
package roundtrip

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"
)

// Limits of a connection. They are those of the AWS SDK.
const (
	dialTimeout      = 30 * time.Second
	handshakeTimeout = 10 * time.Second
	idleTimeout      = 90 * time.Second
)

// Client makes calls, any number of them at once. It keeps connections for
// further ones.
type Client struct {
	dialer net.Dialer
	tls    *tls.Config
	most   int

	mu   sync.Mutex
	idle map[string][]*connection // by origin; the last one was used last
}

// New returns a Client that keeps at most so many idle connections to each
// origin. config is cloned for each connection over TLS.
func New(config *tls.Config, most int) *Client {
	return &Client{dialer: net.Dialer{Timeout: dialTimeout}, tls: config, most: most, idle: map[string][]*connection{}}
}

// Do makes a call as [http.RoundTripper] describes it. A request that met a
// connection which the other side was closing is sent once more, if that is
// harmless: by [http.Transport] that is one with the header Idempotency-Key, or
// with a method that changes nothing.
func (c *Client) Do(r *http.Request) (*http.Response, error) {
	response, err := c.try(r, c.take(origin(r)))
	if !errors.Is(err, errStale) || !harmless(r) {
		return response, err
	}
	again := *r
	if r.GetBody != nil {
		if again.Body, err = r.GetBody(); err != nil {
			return nil, err
		}
	}
	return c.try(&again, nil)
}

// try makes a call on a connection; nil: a new one.
func (c *Client) try(r *http.Request, on *connection) (*http.Response, error) {
	ctx := r.Context()
	var err error
	if on == nil {
		if on, err = c.dial(ctx, origin(r), r.URL.Scheme); err != nil {
			if r.Body != nil {
				_ = r.Body.Close() // it was not read
			}
			return nil, err
		}
	}
	stop := context.AfterFunc(ctx, on.abort)
	response, err := on.exchange(r)
	if err != nil {
		stop()
		on.abort()
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return nil, fmt.Errorf("%s %s: %w", r.Method, r.URL.Host, err)
	}
	rest := &body{ReadCloser: response.Body, ctx: ctx, stop: stop, end: func(whole bool) {
		if whole && !response.Close && on.reader.Buffered() == 0 {
			c.keep(on)
			return
		}
		on.abort()
	}}
	if response.Body == http.NoBody {
		rest.finish(true)
	}
	response.Body = rest
	return response, nil
}

// harmless reports whether a request may be made twice, and can be.
func harmless(r *http.Request) bool {
	if r.Body != nil && r.Body != http.NoBody && r.GetBody == nil {
		return false
	}
	switch r.Method {
	case "", http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace:
		return true
	}
	_, idempotent := r.Header["Idempotency-Key"]
	return idempotent
}

// origin is where a request goes, as connections to there are kept.
func origin(r *http.Request) string {
	if r.URL.Port() != "" {
		return r.URL.Host
	}
	return net.JoinHostPort(r.URL.Hostname(), r.URL.Scheme)
}

func (c *Client) dial(ctx context.Context, origin, scheme string) (*connection, error) {
	socket, err := c.dialer.DialContext(ctx, "tcp", origin)
	if err != nil {
		return nil, err
	}
	socket = newSocket(socket)
	if scheme != "https" {
		return newConnection(origin, socket, socket), nil
	}
	config := c.tls.Clone()
	config.ServerName, _, _ = net.SplitHostPort(origin)
	secured := tls.Client(socket, config)
	ctx, cancel := context.WithTimeout(ctx, handshakeTimeout)
	defer cancel()
	if err := secured.HandshakeContext(ctx); err != nil {
		_ = socket.Close()
		return nil, err
	}
	return newConnection(origin, socket, secured), nil
}

// take returns the idle connection to an origin that was used last, if the other
// side has not closed it; nil: there is none.
func (c *Client) take(origin string) *connection {
	for {
		on := c.pop(origin)
		if on == nil || time.Since(on.used) < idleTimeout && on.quiet() {
			return on
		}
		on.abort()
	}
}

func (c *Client) pop(origin string) *connection {
	c.mu.Lock()
	defer c.mu.Unlock()
	list := c.idle[origin]
	if len(list) == 0 {
		return nil
	}
	last := len(list) - 1
	on := list[last]
	list[last] = nil
	c.idle[origin] = list[:last]
	return on
}

// keep keeps a connection whose call is over, and closes one for it that has not
// been used for too long, or is one too many.
func (c *Client) keep(on *connection) {
	on.used = time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	list := append(c.idle[on.origin], on)
	if len(list) > c.most || on.used.Sub(list[0].used) > idleTimeout {
		list[0].abort()
		list[0] = nil
		list = list[1:]
	}
	c.idle[on.origin] = list
}
