// Package rawheader keeps the header names of HTTP/1.1 requests as the client
// wrote them. net/http canonicalises names (Sec-WebSocket-Protocol becomes
// Sec-Websocket-Protocol), while API Gateway hands them on unchanged and
// matches some of them by case.
//
// Install it on a server that is not behind TLS or HTTP/2:
//
//	server := &http.Server{Handler: rawheader.Handler(mux), ConnContext: rawheader.ConnContext}
//	server.Serve(rawheader.Listener(listener))
package rawheader

import (
	"context"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
)

// Field is one header line.
type Field struct {
	Name  string
	Value string
}

// Listener returns l with connections that record the headers read from them.
func Listener(l net.Listener) net.Listener { return listener{l} }

type listener struct{ net.Listener }

func (l listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &conn{Conn: c}, nil
}

// conn passes what is read from it through a scanner.
type conn struct {
	net.Conn

	mu      sync.Mutex
	scanner scanner
}

func (c *conn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if n > 0 {
		c.mu.Lock()
		c.scanner.scan(p[:n])
		c.mu.Unlock()
	}
	return n, err
}

// NetConn returns the connection below.
func (c *conn) NetConn() net.Conn { return c.Conn }

// matching returns the fields recorded for r, or nil. Older ones, of requests
// that the server answered without its handler, are dropped.
func (c *conn) matching(r *http.Request) []Field {
	c.mu.Lock()
	defer c.mu.Unlock()
	for {
		fields := c.scanner.take()
		if fields == nil || describes(fields, r) {
			return fields
		}
	}
}

type connKey struct{}

type fieldsKey struct{}

// ConnContext is the hook of the same name of http.Server.
func ConnContext(ctx context.Context, c net.Conn) context.Context {
	if rc, ok := c.(*conn); ok {
		return context.WithValue(ctx, connKey{}, rc)
	}
	return ctx
}

// Handler makes Fields work for next. It must see every request of the server,
// so that requests and recorded headers stay in step.
func Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c, ok := r.Context().Value(connKey{}).(*conn); ok {
			if fields := c.matching(r); fields != nil {
				r = r.WithContext(context.WithValue(r.Context(), fieldsKey{}, fields))
			}
		}
		next.ServeHTTP(w, r)
	})
}

// describes reports whether fields are the headers that net/http read for r.
func describes(fields []Field, r *http.Request) bool {
	n := 0
	for _, f := range fields {
		switch name := http.CanonicalHeaderKey(f.Name); name {
		case "Host", "Transfer-Encoding", "Trailer":
		default:
			if !slices.Contains(r.Header[name], f.Value) {
				return false
			}
			n++
		}
	}
	for _, values := range r.Header {
		n -= len(values)
	}
	return n == 0
}

// Fields returns the header lines of r in the order and with the names in
// which the client sent them, Host included. On a server without Listener and
// Handler the names are canonical and sorted.
func Fields(r *http.Request) []Field {
	if fields, ok := r.Context().Value(fieldsKey{}).([]Field); ok {
		return fields
	}
	fields := []Field{{Name: "Host", Value: r.Host}}
	for _, name := range slices.Sorted(maps.Keys(r.Header)) {
		for _, value := range r.Header[name] {
			fields = append(fields, Field{Name: name, Value: value})
		}
	}
	return fields
}

// With returns a request like r whose header of that name, in any case, has
// another value.
func With(r *http.Request, name, value string) *http.Request {
	changed := r.Clone(r.Context())
	changed.Header.Set(name, value)
	if fields, ok := r.Context().Value(fieldsKey{}).([]Field); ok {
		fields = slices.Clone(fields)
		for i := range fields {
			if strings.EqualFold(fields[i].Name, name) {
				fields[i].Value = value
			}
		}
		changed = changed.WithContext(context.WithValue(changed.Context(), fieldsKey{}, fields))
	}
	return changed
}
