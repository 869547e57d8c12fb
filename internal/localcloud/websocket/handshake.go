package websocket

import (
	"bufio"
	"context"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/coder/websocket"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
	"github.com/streaming-service/streaming-service/internal/localcloud/gateway"
	"github.com/streaming-service/streaming-service/internal/localcloud/usage"
)

// writeBuffer is the kernel's send buffer of a socket, in bytes: small, so that
// a client that does not read is noticed as early as in AWS.
const writeBuffer = 64 << 10

// ServeHTTP serves handshakes and the @connections API.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if id, ok := strings.CutPrefix(r.URL.Path, ConnectionsPrefix); ok {
		s.manage(w, r, s.keyOf(id))
		return
	}
	parts := strings.Split(strings.TrimPrefix(r.URL.EscapedPath(), PathPrefix), "/")
	for i, part := range parts {
		if decoded, err := url.PathUnescape(part); err == nil {
			parts[i] = decoded
		}
	}
	switch {
	case len(parts) == 4 && parts[2] == "@connections":
		s.manage(w, r, connKey{parts[0], parts[1], parts[3]})
	case len(parts) == 2, len(parts) == 3 && parts[2] == "":
		s.connect(w, r, connKey{parts[0], parts[1], gateway.NewExtendedID()})
	default:
		refuse(w, newSession(connKey{}, r), refusedForbidden)
	}
}

// view returns the part of an API that a stage serves now.
func (s *Service) view(apiID, stageName string) (definition, Stage, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	a := s.apis[apiID]
	if a == nil {
		return definition{}, Stage{}, false
	}
	stage, ok := a.stages[stageName]
	if ok && stage.AutoDeploy {
		return a.definition, stage, true
	}
	d, deployed := a.deployments[stage.DeploymentID]
	return d, stage, ok && deployed
}

// connect holds the handshake until the authorizer and the $connect integration
// have agreed, then serves the socket until it closes.
func (s *Service) connect(w http.ResponseWriter, r *http.Request, key connKey) {
	sess := newSession(key, r)
	d, stage, ok := s.view(key.apiID, key.stage)
	switch {
	case !ok:
		refuse(w, sess, refusedForbidden)
		return
	case !strings.EqualFold(r.Header.Get("Upgrade"), "websocket"):
		w.Header().Set("Upgrade", "websocket")
		refuse(w, sess, &refusal{status: http.StatusUpgradeRequired, errorType: "BadRequestException", message: "Upgrade Required"})
		return
	}
	subprotocol, refused := s.admit(r, d, stage, sess)
	if refused != nil {
		refuse(w, sess, refused)
		return
	}
	if delayer, ok := s.deps.Faults.(HandshakeDelayer); ok {
		time.Sleep(delayer.HandshakeDelay())
	}
	s.accept(w, r, sess, subprotocol)
}

// admit asks the throttle, the authorizer and the $connect integration.
func (s *Service) admit(r *http.Request, d definition, stage Stage, sess *session) (subprotocol string, refused *refusal) {
	if !s.allow(stage, "$connect") {
		return "", refusedThrottled
	}
	route, ok := d.route("$connect")
	if !ok {
		return "", nil
	}
	fields := gateway.EventHeaders(r, gateway.NewTraceID())
	e := sess.connectEvent(r, fields, stage.Variables)
	if route.AuthorizationType == "CUSTOM" {
		if sess.authorizer, refused = s.authorize(r.Context(), d.authorizers[route.AuthorizerID], sess, e, fields); refused != nil {
			return "", refused
		}
		e.RequestContext.Authorizer = sess.authorizer
	}
	return connected(s.integrate(r.Context(), d, route, sess.key, e))
}

// allow takes tokens from the route's bucket and the account's.
func (s *Service) allow(stage Stage, routeKey string) bool {
	settings, declared := stage.RouteSettings[routeKey]
	if !declared && stage.DefaultRouteSettings != nil {
		settings, declared = *stage.DefaultRouteSettings, true
	}
	if declared && !s.throttle.Allow(stage.APIID+"|"+stage.Name+"|"+routeKey, settings.limits()) {
		return false
	}
	return s.deps.Account.Allow()
}

// refuse answers a handshake that is not accepted.
func refuse(w http.ResponseWriter, sess *session, f *refusal) {
	c := sess.context("$connect", "CONNECT")
	body := f.body
	if f.message != "" {
		body = notice(f.message, c)
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("x-amzn-RequestId", awsapi.NewRequestID())
	h.Set("x-amz-apigw-id", c.ExtendedRequestID)
	if f.errorType != "" {
		h.Set("x-amzn-ErrorType", f.errorType)
	}
	w.WriteHeader(f.status)
	_, _ = w.Write(body) //nolint:gosec // JSON, or what the integration answers; a client that is gone needs none
}

// accept sends the 101. From here on the id is known to @connections: what is
// posted before the client has the 101 waits in the send buffer.
func (s *Service) accept(w http.ResponseWriter, r *http.Request, sess *session, subprotocol string) {
	if subprotocol != "" {
		w.Header().Set("Sec-WebSocket-Protocol", subprotocol)
	}
	sock := newSocket(s, sess)
	if !s.register(sock) {
		refuse(w, sess, refusedInternal)
		return
	}
	watch := &frameWatch{ResponseWriter: w}
	conn, err := websocket.Accept(watch, r, &websocket.AcceptOptions{InsecureSkipVerify: true}) // Origin is the functions' business
	if err != nil {
		close(sock.open)
		sock.finish(websocket.StatusAbnormalClosure, "Connection closed abnormally")
		return
	}
	s.deps.Meter.Add(usage.Connections, 1, nil)
	conn.SetReadLimit(MaxMessageBytes)
	sock.serve(context.WithoutCancel(r.Context()), conn, watch)
}

// frameWatch hands Accept a connection whose frames are measured.
type frameWatch struct {
	http.ResponseWriter
	conn   net.Conn // set by Hijack
	frames frameScanner
}

// Hijack takes the connection over.
func (f *frameWatch) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	c, buffered, err := http.NewResponseController(f.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	if early, err := buffered.Peek(buffered.Reader.Buffered()); err == nil {
		f.frames.scan(early)
	}
	setWriteBuffer(c)
	f.conn = &watchedConn{Conn: c, frames: &f.frames}
	return f.conn, buffered, nil
}

func setWriteBuffer(c net.Conn) {
	for {
		switch v := c.(type) {
		case *net.TCPConn:
			_ = v.SetWriteBuffer(writeBuffer) // only makes a slow reader show earlier
			return
		case interface{ NetConn() net.Conn }:
			c = v.NetConn()
		default:
			return
		}
	}
}

type watchedConn struct {
	net.Conn
	frames *frameScanner
}

func (c *watchedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.frames.scan(p[:n])
	return n, err
}

var _ http.Hijacker = (*frameWatch)(nil)
