package roundtrip_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/streaming-service/streaming-service/lambdas/internal/roundtrip"
)

// doer is a client of HTTP.
type doer interface {
	Do(r *http.Request) (*http.Response, error)
}

// serve starts a server, and returns it with a count of its connections.
func serve(t *testing.T, secure bool, respond http.HandlerFunc) (*httptest.Server, *atomic.Int32) {
	t.Helper()
	var opened atomic.Int32
	server := httptest.NewUnstartedServer(respond)
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			opened.Add(1)
		}
	}
	if secure {
		server.StartTLS()
	} else {
		server.Start()
	}
	t.Cleanup(server.Close)
	return server, &opened
}

// trusting is a TLS configuration that knows the server.
func trusting(server *httptest.Server) *tls.Config {
	transport, ok := server.Client().Transport.(*http.Transport)
	if !ok || transport.TLSClientConfig == nil {
		return &tls.Config{MinVersion: tls.VersionTLS12}
	}
	return transport.TLSClientConfig
}

func request(t *testing.T, method, url string, body io.Reader) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, body)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// call makes a call and reads the answer.
func call(c doer, r *http.Request) (string, error) {
	response, err := c.Do(r)
	if err != nil {
		return "", err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	return fmt.Sprintf("%d %q %s", response.StatusCode, response.Header.Get("X-Saw"), body), err
}

// What a server is asked and what a caller is told is the same as by net/http.
func TestCallsAreThoseOfNetHTTP(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("long ", 100_000)
	unsized := func(text string) io.Reader { return io.MultiReader(strings.NewReader(text)) }
	for name, ask := range map[string]func(t *testing.T, url string) *http.Request{
		"GET":    func(t *testing.T, url string) *http.Request { return request(t, http.MethodGet, url+"/a%2Fb?c=d", nil) },
		"HEAD":   func(t *testing.T, url string) *http.Request { return request(t, http.MethodHead, url, nil) },
		"DELETE": func(t *testing.T, url string) *http.Request { return request(t, http.MethodDelete, url+"/%40a", nil) },
		"POST": func(t *testing.T, url string) *http.Request {
			return request(t, http.MethodPost, url, strings.NewReader("x"))
		},
		"a long body": func(t *testing.T, url string) *http.Request {
			return request(t, http.MethodPost, url, strings.NewReader(long))
		},
		"without size": func(t *testing.T, url string) *http.Request { return request(t, http.MethodPost, url, unsized(long)) },
		"no content":   func(t *testing.T, url string) *http.Request { return request(t, http.MethodPost, url+"/204", nil) },
		"announced":    func(t *testing.T, url string) *http.Request { return request(t, http.MethodGet, url+"/103", nil) },
		"to be closed": func(t *testing.T, url string) *http.Request { return request(t, http.MethodGet, url+"/close", nil) },
		"in pieces":    func(t *testing.T, url string) *http.Request { return request(t, http.MethodGet, url+"/pieces", nil) },
		"of some agent": func(t *testing.T, url string) *http.Request {
			r := request(t, http.MethodGet, url, nil)
			r.Header = http.Header{"User-Agent": {"some"}, "B": {"2", "3"}, "A": {"1"}, "Idempotency-Key": nil}
			return r
		},
	} {
		for _, secure := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, TLS %v", name, secure), func(t *testing.T) {
				t.Parallel()
				server, opened := serve(t, secure, echo)
				theirs := &http.Client{Transport: &http.Transport{DisableCompression: true, TLSClientConfig: trusting(server)}}
				ours := roundtrip.New(trusting(server), 1)
				want, err := call(theirs, ask(t, server.URL))
				if err != nil {
					t.Fatal(err)
				}
				theirs.CloseIdleConnections()
				opened.Store(0)
				for range 2 {
					got, err := call(ours, ask(t, server.URL))
					if err != nil || got != want {
						t.Fatalf("got  %.300s, %v\nwant %.300s", got, err, want)
					}
				}
				connections := int32(1)
				if name == "to be closed" {
					connections = 2
				}
				if n := opened.Load(); n != connections {
					t.Errorf("%d connections for 2 calls, want %d", n, connections)
				}
			})
		}
	}
}

// echo answers with what it was asked.
func echo(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	w.Header().Set("X-Saw", fmt.Sprintf("%s %s %d %v %v", r.Method, r.RequestURI, r.ContentLength, r.TransferEncoding, r.Header))
	switch r.URL.Path {
	case "/204":
		w.WriteHeader(http.StatusNoContent)
		return
	case "/103":
		w.WriteHeader(http.StatusEarlyHints)
	case "/close":
		w.Header().Set("Connection", "close")
	case "/pieces":
		for range 3 {
			_, _ = io.WriteString(w, "piece")
			_ = http.NewResponseController(w).Flush()
		}
	}
	_, _ = w.Write(body)
}

func TestAnswerIsReadAsItComes(t *testing.T) {
	t.Parallel()
	heard := make(chan struct{})
	server, _ := serve(t, false, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "first")
		_ = http.NewResponseController(w).Flush()
		<-heard
		_, _ = io.WriteString(w, "second")
	})
	response, err := roundtrip.New(nil, 1).Do(request(t, http.MethodGet, server.URL, nil))
	if err != nil {
		t.Fatal(err)
	}
	first := make([]byte, len("first"))
	if _, err := io.ReadFull(response.Body, first); err != nil || string(first) != "first" {
		t.Errorf("read %q, %v", first, err)
	}
	close(heard)
	if rest, err := io.ReadAll(response.Body); err != nil || string(rest) != "second" {
		t.Errorf("read %q, %v", rest, err)
	}
}

// An answer that nobody reads to its end would be found before the next one.
func TestConnectionIsNotUsedAgainInMidAnswer(t *testing.T) {
	t.Parallel()
	server, opened := serve(t, false, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "answer") })
	c := roundtrip.New(nil, 1)
	for range 2 {
		response, err := c.Do(request(t, http.MethodGet, server.URL, nil))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := response.Body.Read(make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
	}
	if n := opened.Load(); n != 2 {
		t.Errorf("%d connections, want 2", n)
	}
}

// Lambda freezes a process for minutes, in which the other side closes what is
// idle.
func TestClosedConnectionsAreNotUsed(t *testing.T) {
	t.Parallel()
	for _, secure := range []bool{false, true} {
		server, _ := serve(t, secure, echo)
		c := roundtrip.New(trusting(server), 2)
		for range 3 {
			if _, err := call(c, request(t, http.MethodPost, server.URL, strings.NewReader("x"))); err != nil {
				t.Errorf("TLS %v: %v", secure, err)
			}
			server.CloseClientConnections()
		}
	}
}

// rude answers the first call of each connection and closes at the second,
// without a word. It counts calls.
func rude(t *testing.T) (url string, calls *atomic.Int32) {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	calls = &atomic.Int32{}
	serve := func(conn net.Conn) {
		defer func() { _ = conn.Close() }()
		reader := bufio.NewReader(conn)
		for answered := false; ; answered = true {
			r, err := http.ReadRequest(reader)
			if err != nil {
				return
			}
			body, _ := io.ReadAll(r.Body)
			calls.Add(1)
			if answered {
				return
			}
			_, _ = fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
		}
	}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go serve(conn)
		}
	}()
	return "http://" + listener.Addr().String(), calls
}

func TestHarmlessCallsAreMadeAgainOnAnotherConnection(t *testing.T) {
	t.Parallel()
	key := http.Header{"Idempotency-Key": nil}
	for _, test := range []struct {
		name, method string
		header       http.Header
		body         io.Reader
		again        bool
	}{
		{"GET", http.MethodGet, nil, nil, true},
		{"POST", http.MethodPost, nil, strings.NewReader("body"), false},
		{"an idempotent POST", http.MethodPost, key, strings.NewReader("body"), true},
		{"a body that cannot be read again", http.MethodPost, key, io.MultiReader(strings.NewReader("body")), false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			url, calls := rude(t)
			c := roundtrip.New(nil, 1)
			if _, err := call(c, request(t, http.MethodGet, url, nil)); err != nil {
				t.Fatal(err)
			}
			r := request(t, test.method, url, test.body)
			r.Header = test.header
			got, err := call(c, r)
			if !test.again {
				if err == nil || calls.Load() != 2 {
					t.Errorf("%d calls, got %s", calls.Load(), got)
				}
				return
			}
			if err != nil || calls.Load() != 3 || test.body != nil && !strings.HasSuffix(got, "body") {
				t.Errorf("%d calls, got %s, %v", calls.Load(), got, err)
			}
		})
	}
}

var errEnough = errors.New("enough")

func TestCallsEndWithTheirContext(t *testing.T) {
	t.Parallel()
	over := make(chan struct{})
	t.Cleanup(func() { close(over) })
	server, _ := serve(t, false, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/answer" {
			_, _ = io.WriteString(w, "some")
			_ = http.NewResponseController(w).Flush()
		}
		select {
		case <-r.Context().Done():
		case <-over:
		}
	})
	for _, path := range []string{"/", "/answer"} {
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(10*time.Millisecond, func() { cancel(errEnough) })
		_, err := call(roundtrip.New(nil, 1), request(t, http.MethodGet, server.URL+path, nil).WithContext(ctx))
		if !errors.Is(err, errEnough) {
			t.Errorf("%s: %v", path, err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := call(roundtrip.New(nil, 1), request(t, http.MethodGet, server.URL, nil).WithContext(ctx)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("after the deadline: %v", err)
	}
}

// A server refuses what is too large before it has read it, and hangs up.
func TestRefusalOfALargeRequestIsHeard(t *testing.T) {
	t.Parallel()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		_, _ = bufio.NewReader(conn).ReadString('\n')
		_, _ = io.WriteString(conn, "HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno")
		if half, ok := conn.(*net.TCPConn); ok {
			_ = half.CloseRead() // the rest of the request is refused; the answer stays
		}
		time.Sleep(50 * time.Millisecond)
		_ = conn.Close()
	}()
	body := bytes.NewReader(make([]byte, 32<<20))
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	got, err := call(roundtrip.New(nil, 1), request(t, http.MethodPost, "http://"+listener.Addr().String(), body).WithContext(ctx))
	if err != nil || got != `413 "" no` {
		t.Errorf("got %s, %v", got, err)
	}
}

// A burst makes as many connections as it needs; no more are kept than are to be.
func TestConnectionsAreKept(t *testing.T) {
	t.Parallel()
	const most = 8
	server, opened := serve(t, false, func(w http.ResponseWriter, _ *http.Request) {
		time.Sleep(10 * time.Millisecond)
		_, _ = io.WriteString(w, "x")
	})
	c := roundtrip.New(nil, most)
	burst := func(n int) {
		var calls sync.WaitGroup
		for range n {
			calls.Go(func() {
				if _, err := call(c, request(t, http.MethodPost, server.URL, strings.NewReader("x"))); err != nil {
					t.Error(err)
				}
			})
		}
		calls.Wait()
	}
	burst(3 * most)
	opened.Store(0)
	burst(most)
	if n := opened.Load(); n != 0 {
		t.Errorf("%d connections were opened again", n)
	}
	burst(2 * most)
	if n := opened.Load(); n < most/2 {
		t.Errorf("%d connections were opened for a burst of %d, where %d are kept", n, 2*most, most)
	}
}

func TestNobodyListens(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	if _, err := call(roundtrip.New(nil, 1), request(t, http.MethodPost, server.URL, strings.NewReader("x"))); err == nil {
		t.Error("no error")
	}
}
