package rawheader_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/streaming-service/streaming-service/internal/localcloud/gateway/rawheader"
)

// serve starts a server with the package installed and returns its address.
func serve(t *testing.T, handler http.Handler) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: rawheader.Handler(handler), ConnContext: rawheader.ConnContext, ReadHeaderTimeout: time.Minute}
	go func() { _ = server.Serve(rawheader.Listener(l)) }()
	t.Cleanup(func() { _ = server.Shutdown(context.Background()) })
	return l.Addr().String()
}

// names answers with the header names of the request, in order.
var names = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	var found []string
	for _, f := range rawheader.Fields(r) {
		found = append(found, f.Name+"="+f.Value)
	}
	_, _ = io.WriteString(w, strings.Join(found, "|"))
})

func TestFieldsKeepNames(t *testing.T) {
	t.Parallel()
	const chunked = "POST / HTTP/1.1\r\nHost: h\r\ntransfer-Encoding: chunked\r\nX-lower: 1\r\n\r\n6;ext=1\r\nhe\r\noo\r\n0\r\nTrailer-Field: x\r\n\r\n"
	for _, test := range []struct {
		name     string
		requests string
		want     []string
	}{
		{"one", "GET / HTTP/1.1\r\nhOST: h\r\nsec-WebSocket-Protocol: a, b\r\n\r\n", []string{"hOST=h|sec-WebSocket-Protocol=a, b"}},
		{"repeated", "GET / HTTP/1.1\r\nHost: h\r\nx-a: 1\r\nX-A:2\r\n\r\n", []string{"Host=h|x-a=1|X-A=2"}},
		{"after a body", "POST / HTTP/1.1\r\nHost: h\r\ncontent-length: 18\r\n\r\nGET / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\nx-Second: 2\r\n\r\n", []string{"Host=h|content-length=18", "Host=h|x-Second=2"}},
		{"after chunks", chunked + "GET / HTTP/1.1\r\nHost: h\r\nx-Third: 3\r\n\r\n", []string{"Host=h|transfer-Encoding=chunked|X-lower=1", "Host=h|x-Third=3"}},
		{"after a request that the server answers itself", "OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\nx-Own: 4\r\n\r\n", []string{"", "Host=h|x-Own=4"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			for _, chunk := range []int{1, 7, len(test.requests)} {
				got := exchange(t, serve(t, names), test.requests, chunk, len(test.want))
				if !reflect.DeepEqual(got, test.want) {
					t.Errorf("in pieces of %d: got %q, want %q", chunk, got, test.want)
				}
			}
		})
	}
}

// exchange writes raw requests in pieces and returns the bodies of n answers.
func exchange(t *testing.T, address, requests string, piece, n int) []string {
	t.Helper()
	c, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	go func() {
		for len(requests) > 0 {
			p := min(piece, len(requests))
			if _, err := io.WriteString(c, requests[:p]); err != nil {
				return
			}
			requests = requests[p:]
		}
	}()
	var bodies []string
	reader := bufio.NewReader(c)
	for range n {
		response, err := http.ReadResponse(reader, nil)
		if err != nil {
			t.Fatalf("reading answer %d: %v", len(bodies), err)
		}
		body, _ := io.ReadAll(response.Body)
		_ = response.Body.Close()
		bodies = append(bodies, string(body))
	}
	return bodies
}

func TestFieldsWithoutRecording(t *testing.T) {
	t.Parallel()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://example.com/", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Add("b", "2")
	r.Header.Add("a", "1")
	want := []rawheader.Field{{Name: "Host", Value: "example.com"}, {Name: "A", Value: "1"}, {Name: "B", Value: "2"}}
	if got := rawheader.Fields(r); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// FuzzRawHeader checks that whatever a client sends, recorded names differ from
// those of net/http in case only.
func FuzzRawHeader(f *testing.F) {
	f.Add("X-a", "1", "body", 3)
	f.Add("sec-WebSocket-Protocol", "streaming.v1, eyJ", "", 1)
	f.Add("Content-length", "4", "abcd", 5)
	f.Add("Transfer-Encoding", "chunked", "4\r\nabcd\r\n0\r\n\r\n", 2)
	f.Add(" folded", "x\r\n y", "", 9)
	f.Fuzz(func(t *testing.T, name, value, body string, piece int) {
		raw := fmt.Sprintf("POST / HTTP/1.1\r\nHost: h\r\n%s: %s\r\n\r\n%s", name, value, body)
		client, server := net.Pipe()
		l := &oneListener{c: server, done: make(chan struct{})}
		handled := make(chan [2]map[string]bool, 1)
		srv := &http.Server{ConnContext: rawheader.ConnContext, ReadHeaderTimeout: time.Second, Handler: rawheader.Handler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			recorded, parsed := map[string]bool{}, map[string]bool{"Host": true}
			for _, f := range rawheader.Fields(r) {
				recorded[http.CanonicalHeaderKey(f.Name)] = true
			}
			delete(recorded, "Transfer-Encoding")
			delete(recorded, "Trailer")
			for name := range r.Header {
				parsed[name] = true
			}
			select {
			case handled <- [2]map[string]bool{recorded, parsed}:
			default:
			}
		}))}
		go func() { _ = srv.Serve(rawheader.Listener(l)) }()
		go func() { _, _ = io.Copy(io.Discard, client) }()
		_ = client.SetDeadline(time.Now().Add(time.Second))
		if piece <= 0 {
			piece = 1
		}
		for len(raw) > 0 {
			p := min(piece, len(raw))
			if _, err := io.WriteString(client, raw[:p]); err != nil {
				break
			}
			raw = raw[p:]
		}
		_ = client.Close()
		_ = srv.Close()
		select {
		case sets := <-handled:
			if !reflect.DeepEqual(sets[0], sets[1]) {
				t.Errorf("recorded %v, net/http read %v", sets[0], sets[1])
			}
		default:
		}
	})
}

// oneListener accepts one connection.
type oneListener struct {
	c    net.Conn
	done chan struct{}
}

func (l *oneListener) Accept() (net.Conn, error) {
	if c := l.c; c != nil {
		l.c = nil
		return c, nil
	}
	<-l.done
	return nil, net.ErrClosed
}

func (l *oneListener) Close() error {
	select {
	case <-l.done:
	default:
		close(l.done)
	}
	return nil
}

func (l *oneListener) Addr() net.Addr { return &net.TCPAddr{} }

// TestWith changes a header for those who read it either way, and not for those
// who have the request that it is of.
func TestWith(t *testing.T) {
	t.Parallel()
	before := make(chan string, 1)
	address := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		changed := rawheader.With(r, "Origin", "https://b")
		before <- r.Header.Get("Origin")
		w.Header().Set("X-Origin", changed.Header.Get("Origin"))
		names.ServeHTTP(w, changed)
	}))
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Host, request.Header = "h", http.Header{"oRIGIN": {"https://a"}, "User-Agent": {""}, "Accept-Encoding": {"x"}}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	fields, err := io.ReadAll(response.Body)
	if err != nil || !strings.Contains(string(fields), "oRIGIN=https://b") || response.Header.Get("X-Origin") != "https://b" {
		t.Errorf("got %s and Origin %s, %v", fields, response.Header.Get("X-Origin"), err)
	}
	if got := <-before; got != "https://a" {
		t.Errorf("the request it is of has the Origin %s", got)
	}
}
