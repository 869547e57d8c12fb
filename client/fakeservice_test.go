package client_test

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"github.com/streaming-service/streaming-service/client"
	"github.com/streaming-service/streaming-service/protocol"
)

const requestID = "aaaaaaaaaaaaaaaaaaaaaaaaaa"

// fakeService is the service on an in-memory network, so that its tests run on
// synctest's clock. Its funcs may be replaced by a test.
type fakeService struct {
	t        *testing.T
	listener *memoryListener

	submit    func(w http.ResponseWriter, r *http.Request, body []byte)
	get       func(w http.ResponseWriter, r *http.Request)
	handshake func(w http.ResponseWriter, r *http.Request) bool // false: answered
	received  func(s *socket, f protocol.ClientFrame)

	mu      sync.Mutex // of all funcs while a client is connected, too
	calls   []*http.Request
	frames  []protocol.ClientFrame
	sockets []*socket
}

// socket is one connection of a client.
type socket struct {
	*websocket.Conn
	openedAt time.Time
	mute     atomic.Bool // whether pings have no answer
}

func (s *socket) send(frames ...protocol.Frame) {
	for _, f := range frames {
		_ = s.Write(context.Background(), websocket.MessageText, f.Encode())
	}
}

// serve runs test on a fake service, on a clock of its own.
func serve(t *testing.T, test func(t *testing.T, f *fakeService)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		f := &fakeService{t: t, listener: newMemoryListener()}
		f.submit = func(w http.ResponseWriter, _ *http.Request, _ []byte) { accept(w, requestID) }
		f.get = func(w http.ResponseWriter, _ *http.Request) { refuse(w, 404, protocol.CodeNotFound, "") }
		f.handshake = func(http.ResponseWriter, *http.Request) bool { return true }
		f.received = func(*socket, protocol.ClientFrame) {}
		server := &http.Server{Handler: f}
		go func() { _ = server.Serve(f.listener) }()
		defer f.stop(server)
		test(t, f)
	})
}

func (f *fakeService) stop(server *http.Server) {
	_ = server.Close()
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, s := range f.sockets {
		s.CloseNow()
	}
}

// client returns a client of the service that is closed with the test.
func (f *fakeService) client(options ...client.Option) *client.Client {
	return f.clientWithTokens(client.StaticToken("the-token"), options...)
}

// connected returns a client whose socket is open.
func (f *fakeService) connected() *client.Client {
	c := f.client()
	c.Connect()
	synctest.Wait()
	return c
}

func (f *fakeService) clientWithTokens(tokens client.TokenSource, options ...client.Option) *client.Client {
	transport := &http.Transport{DialContext: f.listener.dial}
	cfg := client.Config{RestURL: "http://service/v1", WebSocketURL: "ws://service/socket"}
	options = append([]client.Option{client.WithHTTPClient(&http.Client{Transport: transport})}, options...)
	c := client.New(cfg, tokens, options...)
	f.t.Cleanup(func() {
		c.Close()
		transport.CloseIdleConnections()
	})
	return c
}

func (f *fakeService) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	f.mu.Lock()
	f.calls = append(f.calls, r)
	f.mu.Unlock()
	switch {
	case r.URL.Path == "/socket":
		f.serveSocket(w, r)
	case r.Method == http.MethodPost && r.URL.Path == "/v1/requests":
		f.submit(w, r, body)
	case r.Method == http.MethodDelete:
		answer(w, 202, protocol.CancelResponse{RequestID: requestID, Status: protocol.StatusStreaming})
	case r.URL.Path == "/v1/usage":
		answer(w, 200, protocol.Usage{Period: "2026-11", Tier: "default"})
	default:
		f.get(w, r)
	}
}

func (f *fakeService) serveSocket(w http.ResponseWriter, r *http.Request) {
	if !f.handshake(w, r) {
		return
	}
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{protocol.Subprotocol}})
	if err != nil {
		return
	}
	s := &socket{Conn: conn, openedAt: time.Now()}
	f.mu.Lock()
	f.sockets = append(f.sockets, s)
	f.mu.Unlock()
	for {
		_, data, err := conn.Read(context.Background())
		if err != nil {
			return
		}
		var frame protocol.ClientFrame
		if err := json.Unmarshal(data, &frame); err != nil {
			f.t.Errorf("frame %q: %v", data, err)
		}
		f.mu.Lock()
		f.frames = append(f.frames, frame)
		received := f.received
		f.mu.Unlock()
		if frame.Action == protocol.ActionPing && !s.mute.Load() {
			s.send(protocol.PongFrame())
		}
		received(s, frame)
	}
}

// onFrame replaces what the service does with a client's frame.
func (f *fakeService) onFrame(received func(*socket, protocol.ClientFrame)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.received = received
}

// count is how many calls of a method and path there were.
func (f *fakeService) count(method, path string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := 0
	for _, call := range f.calls {
		if call.Method == method && call.URL.Path == path {
			n++
		}
	}
	return n
}

// resumes are the resume frames so far.
func (f *fakeService) resumes() []protocol.ClientFrame { return f.framesOf(protocol.ActionResume) }

func (f *fakeService) framesOf(action protocol.Action) []protocol.ClientFrame {
	f.mu.Lock()
	defer f.mu.Unlock()
	var found []protocol.ClientFrame
	for _, frame := range f.frames {
		if frame.Action == action {
			found = append(found, frame)
		}
	}
	return found
}

// last is the newest socket.
func (f *fakeService) last() *socket {
	synctest.Wait()
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.sockets) == 0 {
		f.t.Fatal("no socket")
	}
	return f.sockets[len(f.sockets)-1]
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(protocol.Encode(body))
}

func accept(w http.ResponseWriter, id string) {
	answer(w, 202, protocol.SubmitResponse{RequestID: id, Status: protocol.StatusQueued, Quota: protocol.Usage{Tier: "gold"}})
}

func refuse(w http.ResponseWriter, status int, code protocol.Code, retryAfter string) {
	if retryAfter != "" {
		w.Header().Set("Retry-After", retryAfter)
	}
	answer(w, status, protocol.Problem{Type: protocol.ProblemURN(code), Title: "refused", Status: status, Code: code})
}

// The frames of an answer in two pieces.
func startFrame() protocol.Frame { return protocol.StartFrame(requestID, 1, "m") }
func deltaFrame(seq int, text string) protocol.Frame {
	return protocol.DeltaFrame(requestID, 1, seq, text)
}
func doneFrame(seq int) protocol.Frame {
	return protocol.DoneFrame(requestID, 1, seq, "end_turn", protocol.TokenUsage{InputTokens: 3, OutputTokens: 2})
}

// memoryListener is a network of one listener without a network.
type memoryListener struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func newMemoryListener() *memoryListener {
	return &memoryListener{conns: make(chan net.Conn), done: make(chan struct{})}
}

func (l *memoryListener) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	here, there := net.Pipe()
	select {
	case l.conns <- there:
		return here, nil
	case <-l.done:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (l *memoryListener) Accept() (net.Conn, error) {
	select {
	case conn := <-l.conns:
		return conn, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l *memoryListener) Close() error {
	l.once.Do(func() { close(l.done) })
	return nil
}

func (l *memoryListener) Addr() net.Addr { return &net.UnixAddr{Name: "memory"} }
