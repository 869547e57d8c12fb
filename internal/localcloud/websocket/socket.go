package websocket

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/coder/websocket"

	"github.com/streaming-service/streaming-service/internal/localcloud/usage"
)

// socket is one open connection.
type socket struct {
	*session
	service *Service

	out     chan []byte   // frames waiting to be sent
	queued  atomic.Int64  // bytes in out
	slots   chan struct{} // invocations in progress
	active  atomic.Int64  // unix nanoseconds of the last message either way
	done    chan struct{} // closed when the socket is gone
	endOnce sync.Once
	open    chan struct{} // closed when conn is set, or stays nil because Accept failed
	conn    *websocket.Conn
	raw     net.Conn // below conn
	dropped atomic.Bool
	code    websocket.StatusCode // why it ended; set before done is closed
	reason  string
}

func newSocket(s *Service, sess *session) *socket {
	sock := &socket{
		session: sess, service: s, out: make(chan []byte, s.deps.Options.SendBufferFrames),
		slots: make(chan struct{}, s.deps.Options.MaxConcurrentMessages), done: make(chan struct{}), open: make(chan struct{}),
	}
	sock.touch()
	return sock
}

// register makes the socket known to @connections, unless the service closes.
func (s *Service) register(sock *socket) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-s.closing:
		return false
	default:
	}
	s.conns[sock.key] = sock
	s.sockets.Add(1)
	return true
}

// find returns the open socket with a key.
func (s *Service) find(key connKey) (*socket, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	sock, ok := s.conns[key]
	return sock, ok
}

// keyOf completes the id of a connection with the API and stage of its socket.
// Where no socket is open, they are those of any stage: the id is gone in all.
func (s *Service) keyOf(connectionID string) connKey {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for key := range s.conns {
		if key.connectionID == connectionID {
			return key
		}
	}
	for apiID, a := range s.apis {
		for stage := range a.stages {
			return connKey{apiID, stage, connectionID}
		}
	}
	return connKey{connectionID: connectionID}
}

func (k *socket) touch() { k.active.Store(time.Now().UnixNano()) }

// serve runs the socket until it closes, then its $disconnect.
func (k *socket) serve(ctx context.Context, conn *websocket.Conn, watch *frameWatch) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	k.conn, k.raw = conn, watch.conn
	close(k.open)
	if k.dropped.Load() { // during the handshake
		_ = k.raw.Close()
	}
	go k.write(ctx)
	go k.watchClock()
	code, reason := k.read(ctx, watch)
	k.finish(code, reason)
}

// end removes the socket and remembers the first cause.
func (k *socket) end(code websocket.StatusCode, reason string) {
	k.endOnce.Do(func() {
		k.code, k.reason = code, reason
		k.service.mu.Lock()
		delete(k.service.conns, k.key)
		k.service.mu.Unlock()
		close(k.done)
	})
}

// finish ends the socket and calls $disconnect for it.
func (k *socket) finish(code websocket.StatusCode, reason string) {
	k.end(code, reason)
	defer k.service.sockets.Done()
	k.service.disconnect(k)
}

// close ends the socket from the server's side.
func (k *socket) close(code websocket.StatusCode, reason string) {
	k.end(code, reason)
	<-k.open
	if k.conn != nil {
		_ = k.conn.Close(code, reason) // the client may be gone already
	}
}

// drop cuts the connection without a close frame, also when a close handshake
// is waiting for the client.
func (k *socket) drop() {
	k.dropped.Store(true)
	k.end(websocket.StatusAbnormalClosure, "")
	select {
	case <-k.open:
		if k.raw != nil {
			_ = k.raw.Close()
		}
	default:
	}
}

// watchClock closes a socket that is idle or too old.
func (k *socket) watchClock() {
	options := k.service.deps.Options
	for {
		idle := time.Until(time.Unix(0, k.active.Load()).Add(options.IdleTimeout))
		left := time.Until(k.connectedAt.Add(options.MaxDuration))
		if idle <= 0 || left <= 0 {
			k.close(websocket.StatusGoingAway, "Going away")
			return
		}
		timer := time.NewTimer(min(idle, left))
		select {
		case <-k.done:
			timer.Stop()
			return
		case <-timer.C:
		}
	}
}

// send queues a frame for the client. It reports false if the client reads too
// slowly for another one.
func (k *socket) send(frame []byte) bool {
	if k.queued.Add(int64(len(frame))) > int64(k.service.deps.Options.SendBufferBytes) {
		k.queued.Add(-int64(len(frame)))
		return false
	}
	select {
	case k.out <- frame:
		return true
	default:
		k.queued.Add(-int64(len(frame)))
		return false
	}
}

// write sends queued frames in order.
func (k *socket) write(ctx context.Context) {
	for {
		select {
		case <-k.done:
			return
		case frame := <-k.out:
			if err := k.conn.Write(ctx, websocket.MessageText, frame); err != nil {
				k.drop()
				return
			}
			k.queued.Add(-int64(len(frame)))
			k.touch()
			k.service.meter(usage.FramesSent, usage.BytesSent, frame)
		}
	}
}

// read takes messages until the connection ends and returns why.
func (k *socket) read(ctx context.Context, watch *frameWatch) (websocket.StatusCode, string) {
	for {
		kind, message, err := k.receive(ctx)
		switch {
		case watch.frames.oversized.Load(), errors.Is(err, websocket.ErrMessageTooBig):
			return k.closeWith(websocket.StatusMessageTooBig, "Message too long")
		case err != nil:
			return closeCause(err)
		case kind == websocket.MessageBinary:
			return k.closeWith(websocket.StatusUnsupportedData, "Binary frames are not supported")
		case !utf8.Valid(message):
			return k.closeWith(websocket.StatusInvalidFramePayloadData, "Invalid UTF-8")
		}
		k.touch()
		k.service.meter(usage.FramesReceived, usage.BytesReceived, message)
		if !k.service.dispatch(ctx, k, message) {
			return k.closeWith(websocket.StatusPolicyViolation, "Too Many Requests")
		}
	}
}

func (k *socket) receive(ctx context.Context) (websocket.MessageType, []byte, error) {
	kind, reader, err := k.conn.Reader(ctx)
	if err != nil {
		return 0, nil, err
	}
	message, err := io.ReadAll(reader)
	return kind, message, err
}

func (k *socket) closeWith(code websocket.StatusCode, reason string) (websocket.StatusCode, string) {
	k.close(code, reason)
	return code, reason
}

// closeCause returns the client's close code, or 1006 for a connection that
// broke.
func closeCause(err error) (websocket.StatusCode, string) {
	if closed, ok := errors.AsType[websocket.CloseError](err); ok {
		if closed.Code == websocket.StatusNoStatusRcvd {
			return closed.Code, "Client-side close frame status not set"
		}
		return closed.Code, closed.Reason
	}
	return websocket.StatusAbnormalClosure, "Connection closed abnormally"
}

// meter counts a frame as billed: one for each 32 KB.
func (s *Service) meter(frames, bytes string, frame []byte) {
	units := max(1, (len(frame)+MaxFrameBytes-1)/MaxFrameBytes)
	s.deps.Meter.Add(frames, float64(units), frame)
	s.deps.Meter.Add(bytes, float64(len(frame)), frame)
}
