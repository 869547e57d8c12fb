package client

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/coder/websocket"

	"github.com/streaming-service/streaming-service/protocol"
)

// Times of the socket.
const (
	// pingInterval keeps API Gateway's 10-minute idle timer away.
	pingInterval = 4 * time.Minute
	// suspicious is how long a socket may say nothing while something is
	// awaited, and pongPatience how long after a ping: together a network that
	// has vanished is noticed within ten seconds.
	suspicious   = 4 * time.Second
	pongPatience = 5 * time.Second
	// dialTimeout is for one handshake, which waits for two functions.
	dialTimeout = 35 * time.Second
	sendTimeout = 10 * time.Second
	// maxMessageBytes is API Gateway's limit of one message.
	maxMessageBytes = 131_072
)

// Connection is the state of the client's socket.
type Connection string

// The states of the socket. A client whose socket is not open still ends every
// request, by reading its state.
const (
	Idle       Connection = "idle"       // not needed, or closed
	Connecting Connection = "connecting" // being opened
	Open       Connection = "open"
	Waiting    Connection = "waiting" // lost, opened again after a delay
)

// Connect opens the socket ahead of the first request. It does not wait.
func (c *Client) Connect() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.connect()
}

// connect must be called with the lock held.
func (c *Client) connect() {
	if !c.started && !c.isClosed {
		c.started = true
		c.done.Go(c.run)
	}
	signal(c.need)
}

// run opens the socket whenever it is needed and waits before it opens it
// again.
func (c *Client) run() {
	again := reconnect{random: c.random}
	for {
		c.onConnection(Idle)
		select {
		case <-c.need:
		case <-c.ctx.Done():
			return
		}
		for wanted := true; wanted; wanted = c.needed() {
			c.onConnection(Connecting)
			delay := c.connection(&again)
			if !c.needed() {
				break
			}
			c.onConnection(Waiting)
			if sleep(c.ctx, delay) != nil {
				return
			}
		}
	}
}

// connection opens the socket, reads it until it closes, and says how long to
// wait before the next one.
func (c *Client) connection(again *reconnect) time.Duration {
	conn, status, err := c.dial()
	if err != nil {
		return again.afterRefusal(status)
	}
	ctx, cancel := context.WithCancel(c.ctx)
	defer cancel()
	opened := time.Now()
	c.opened(conn, opened)
	c.onConnection(Open)
	go c.keepAlive(ctx, conn)
	code := c.readFrames(ctx, conn)
	c.closed()
	_ = conn.CloseNow()
	return again.afterClose(code, time.Since(opened))
}

// dial opens the socket, once more with a renewed token if it is refused.
func (c *Client) dial() (conn *websocket.Conn, status int, err error) {
	for try := 0; ; try++ {
		token, tokenErr := c.tokens.IDToken(c.ctx)
		if tokenErr != nil {
			return nil, statusOf(tokenErr), fmt.Errorf("getting token: %w", tokenErr)
		}
		conn, status, err = c.handshake(token)
		renewer, canRenew := c.tokens.(Renewer)
		if err == nil || status != http.StatusUnauthorized || try > 0 || !canRenew {
			return conn, status, err
		}
		if renewErr := renewer.Renew(c.ctx, token); renewErr != nil {
			return nil, statusOf(renewErr), fmt.Errorf("renewing token: %w", renewErr)
		}
	}
}

// statusOf is the status of a handshake for which there is no token: 0, as
// without an answer, if there may be one soon.
func statusOf(err error) int {
	if isTransient(err) {
		return 0
	}
	return http.StatusUnauthorized
}

func (c *Client) handshake(token string) (*websocket.Conn, int, error) {
	ctx, cancel := context.WithTimeout(c.ctx, dialTimeout)
	defer cancel()
	conn, response, err := websocket.Dial(ctx, c.cfg.WebSocketURL, &websocket.DialOptions{
		HTTPClient:   c.http,
		HTTPHeader:   http.Header{"Authorization": {token}},
		Subprotocols: []string{protocol.Subprotocol},
	})
	status := 0
	if response != nil {
		status = response.StatusCode
	}
	if err != nil {
		return nil, status, fmt.Errorf("opening socket: %w", err)
	}
	if conn.Subprotocol() != protocol.Subprotocol {
		_ = conn.CloseNow()
		return nil, http.StatusBadRequest, errors.New("opening socket: the service speaks another protocol")
	}
	conn.SetReadLimit(maxMessageBytes)
	return conn, status, nil
}

// opened makes the socket known and has all open streams ask for what they
// missed while there was none.
func (c *Client) opened(conn *websocket.Conn, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.conn, c.openedAt, c.heardAt = conn, now, now
	c.eachStream(func(s *Stream) {
		s.update(func(now time.Time) {
			s.pace.wanted = true
			s.pace.askAfter = now
		})
	})
}

func (c *Client) closed() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.conn = nil
	select { // whoever needed the socket had it; open requests still count
	case <-c.need:
	default:
	}
	c.eachStream(func(s *Stream) { signal(s.kick) })
}

// readFrames hands frames to their streams until the socket closes, and
// returns its close code, -1 if there was none.
func (c *Client) readFrames(ctx context.Context, conn *websocket.Conn) websocket.StatusCode {
	for {
		_, data, err := conn.Read(ctx)
		if err != nil {
			return websocket.CloseStatus(err)
		}
		c.dispatch(data, time.Now())
	}
}

// dispatch hands one frame to the streams of its request. One that is not
// known yet is kept for a while; one that is not a frame is API Gateway's own
// or not of this version, and is passed over: what it may have said is asked
// for like any other frame that is missing.
func (c *Client) dispatch(data []byte, now time.Time) {
	frame, err := protocol.DecodeFrame(data)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.heardAt = now
	if err != nil || frame.RequestID == "" || frame.Type == "" {
		return
	}
	streams := c.streams[frame.RequestID]
	if len(streams) == 0 {
		c.early.Keep(frame, now)
	}
	for _, s := range streams {
		s.apply(frame)
	}
}

// keepAlive asks about a silence that has lasted too long, and closes a socket
// that does not answer: it is dead without saying so.
func (c *Client) keepAlive(ctx context.Context, conn *websocket.Conn) {
	for {
		now := time.Now()
		if left := c.silenceLeft(now); left > 0 {
			select {
			case <-time.After(left):
			case <-c.suspect:
			case <-ctx.Done():
				return
			}
			continue
		}
		c.send(protocol.Ping())
		if sleep(ctx, pongPatience) != nil {
			return
		}
		c.mu.Lock()
		dead := c.heardAt.Before(now)
		c.mu.Unlock()
		if dead {
			_ = conn.CloseNow()
			return
		}
	}
}

// silenceLeft is how long the socket may go on saying nothing.
func (c *Client) silenceLeft(now time.Time) time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	patience := pingInterval
	if c.submitting > 0 || len(c.streams) > 0 {
		patience = suspicious
	}
	return c.heardAt.Add(patience).Sub(now)
}

// expect notes that submissions wait for an answer, or no longer do.
func (c *Client) expect(submissions int) {
	c.mu.Lock()
	c.submitting += submissions
	c.mu.Unlock()
	signal(c.suspect)
}

// ask sends a resume. Should the socket be dead, keepAlive notices.
func (c *Client) ask(frame protocol.ClientFrame) {
	c.send(frame)
	signal(c.suspect)
}

// send writes a frame if there is a socket. A write that fails ends the
// socket, whose successor asks again for everything.
func (c *Client) send(frame protocol.ClientFrame) {
	c.mu.Lock()
	conn := c.conn
	c.mu.Unlock()
	if conn == nil {
		return
	}
	ctx, cancel := context.WithTimeout(c.ctx, sendTimeout)
	defer cancel()
	if err := conn.Write(ctx, websocket.MessageText, frame.Encode()); err != nil {
		_ = conn.CloseNow()
	}
}

// open reports whether there is a socket.
func (c *Client) open() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.conn != nil
}

// needed reports whether any request is open.
func (c *Client) needed() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.isClosed && len(c.streams) > 0
}

// eachStream must be called with the lock held.
func (c *Client) eachStream(f func(*Stream)) {
	for _, streams := range c.streams {
		for _, s := range streams {
			f(s)
		}
	}
}
