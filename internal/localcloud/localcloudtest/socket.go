package localcloudtest

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// Subprotocol is what every client offers.
const Subprotocol = "streaming.v1"

// Frame is any frame of the server. Raw is the frame as it came.
type Frame struct {
	Type       string `json:"type"`
	RequestID  string `json:"requestId"`
	Attempt    int    `json:"attempt"`
	Seq        int    `json:"seq"`
	Text       string `json:"text"`
	Model      string `json:"model"`
	StopReason string `json:"stopReason"`
	Code       string `json:"code"`
	Message    string `json:"message"`
	Retryable  bool   `json:"retryable"`
	Usage      *struct {
		InputTokens  int  `json:"inputTokens"`
		OutputTokens int  `json:"outputTokens"`
		Estimated    bool `json:"estimated"`
	} `json:"usage"`
	Raw string `json:"-"`
}

// Ends tells whether a frame ends its request.
func (f Frame) Ends() bool { return f.RequestID != "" && (f.Type == "done" || f.Type == "error") }

// Socket is a connection to the WebSocket API.
type Socket struct {
	conn *websocket.Conn
}

// Dial opens a socket until the test ends.
func (h *Harness) Dial(tb testing.TB, token string) *Socket {
	tb.Helper()
	conn, response, err := h.TryDial(tb.Context(), Subprotocol, token)
	if err != nil {
		status := 0
		if response != nil {
			status = response.StatusCode
		}
		tb.Fatalf("opening a socket: status %d: %v", status, err)
	}
	if got := conn.Subprotocol(); got != Subprotocol {
		tb.Fatalf("the server selected subprotocol %q", got)
	}
	tb.Cleanup(func() { _ = conn.CloseNow() })
	return &Socket{conn: conn}
}

// TryDial opens a socket that offers the subprotocols.
func (h *Harness) TryDial(ctx context.Context, subprotocols ...string) (*websocket.Conn, *http.Response, error) {
	conn, response, err := websocket.Dial(ctx, h.Config.WebSocketURL, &websocket.DialOptions{Subprotocols: subprotocols})
	if err == nil {
		conn.SetReadLimit(64 << 10)
	}
	return conn, response, err
}

// Send sends a frame.
func (s *Socket) Send(tb testing.TB, frame map[string]any) {
	tb.Helper()
	encoded, err := json.Marshal(frame)
	if err != nil {
		tb.Fatal(err)
	}
	s.SendRaw(tb, websocket.MessageText, encoded)
}

// SendRaw sends a frame of any kind as it is.
func (s *Socket) SendRaw(tb testing.TB, kind websocket.MessageType, frame []byte) {
	tb.Helper()
	if err := s.conn.Write(tb.Context(), kind, frame); err != nil {
		tb.Fatalf("sending %.200s: %v", frame, err)
	}
}

// Next reads a frame.
func (s *Socket) Next(tb testing.TB, within time.Duration) Frame {
	tb.Helper()
	frame, err := s.TryNext(tb.Context(), within)
	if err != nil {
		tb.Fatalf("reading a frame: %v", err)
	}
	return frame
}

// TryNext reads a frame. An error, a timeout included, ends the socket.
func (s *Socket) TryNext(ctx context.Context, within time.Duration) (Frame, error) {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	_, data, err := s.conn.Read(ctx)
	if err != nil {
		return Frame{}, err
	}
	frame := Frame{Raw: string(data)}
	err = json.Unmarshal(data, &frame)
	return frame, err
}

// Close closes the socket normally.
func (s *Socket) Close() { _ = s.conn.Close(websocket.StatusNormalClosure, "") }

// Stream is what a socket received of one request.
type Stream struct {
	Frames []Frame // start, deltas and end, of the last attempt
	Text   string
	End    Frame
}

// Stream reads the frames of a request until its end and checks their order.
// Frames of other requests are dropped.
func (s *Socket) Stream(tb testing.TB, requestID string, within time.Duration) Stream {
	tb.Helper()
	var stream Stream
	var text strings.Builder
	deadline := time.Now().Add(within)
	for attempt, last := 0, -1; ; {
		frame := s.Next(tb, time.Until(deadline))
		if frame.RequestID != requestID || frame.Attempt < attempt {
			continue
		}
		if frame.Attempt > attempt {
			attempt, last = frame.Attempt, -1
			stream.Frames = nil
			text.Reset()
		}
		if frame.Seq <= last {
			continue
		}
		if frame.Seq != last+1 {
			tb.Fatalf("request %s attempt %d: frame %d after %d", requestID, attempt, frame.Seq, last)
		}
		last = frame.Seq
		stream.Frames = append(stream.Frames, frame)
		if frame.Type == "delta" {
			text.WriteString(frame.Text)
		}
		if frame.Ends() {
			stream.Text, stream.End = text.String(), frame
			return stream
		}
	}
}
