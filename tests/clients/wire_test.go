package clients_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// wire sees the calls of a client.
type wire struct {
	mu    sync.Mutex
	calls []call
}

type call struct {
	key, path  string
	began      time.Time
	status     int
	retryAfter string
	ended      time.Time // when the header of the answer was there
}

// callKey is the place of a call in the context of its request.
type callKey struct{}

func newWire() *wire { return &wire{} }

// before returns an address that hands all calls on to another.
func (w *wire) before(t *testing.T, target string) string {
	t.Helper()
	to, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{
		Rewrite:       func(r *httputil.ProxyRequest) { r.SetURL(to) },
		FlushInterval: -1,
		ModifyResponse: func(r *http.Response) error {
			seen := r.Request.Context().Value(callKey{}).(call)
			seen.status, seen.retryAfter, seen.ended = r.StatusCode, r.Header.Get("Retry-After"), time.Now()
			w.mu.Lock()
			defer w.mu.Unlock()
			w.calls = append(w.calls, seen)
			return nil
		},
	}
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		seen := call{key: strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "), path: r.URL.Path, began: time.Now()}
		defer func() { _ = recover() }() // the proxy's way to say that the client hung up
		proxy.ServeHTTP(rw, r.WithContext(context.WithValue(r.Context(), callKey{}, seen)))
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// of returns the calls with a key, in the order of their answers.
func (w *wire) of(key string) (calls []call) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.calls {
		if c.key == key {
			calls = append(calls, c)
		}
	}
	return calls
}

var people atomic.Int64

func newEmail() string { return fmt.Sprintf("client-%d@example.com", people.Add(1)) }
