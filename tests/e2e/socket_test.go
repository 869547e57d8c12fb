package e2e_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/streaming-service/streaming-service/internal/localcloud/localcloudtest"
)

// handshake returns the status of an upgrade with these subprotocols and
// headers; 101 is an open socket.
func handshake(t *testing.T, h *localcloudtest.Harness, subprotocols string, header ...string) int {
	t.Helper()
	return handshakeTo(t, h.Config.WebSocketURL, subprotocols, header...)
}

func handshakeTo(t *testing.T, url, subprotocols string, header ...string) int {
	t.Helper()
	options := &websocket.DialOptions{HTTPHeader: http.Header{}}
	for offered := range strings.SplitSeq(subprotocols, ",") {
		if offered = strings.TrimSpace(offered); offered != "" {
			options.Subprotocols = append(options.Subprotocols, offered)
		}
	}
	for i := 0; i+1 < len(header); i += 2 {
		options.HTTPHeader.Set(header[i], header[i+1])
	}
	conn, response, err := websocket.Dial(t.Context(), url, options)
	if conn != nil {
		_ = conn.CloseNow()
	}
	if response == nil {
		t.Fatalf("no answer to a handshake: %v", err)
	}
	return response.StatusCode
}

func TestHandshakes(t *testing.T) {
	t.Parallel()
	h := cloud(t)
	p := newPerson(t, h)
	token := p.token()
	for _, test := range []struct {
		name, subprotocols string
		header             []string
		want               int
	}{
		{"token in the subprotocols", "streaming.v1, " + token, nil, 101},
		{"token in the subprotocols, first", token + ",streaming.v1", nil, 101},
		{"token in Authorization", "streaming.v1", []string{"Authorization", token}, 101},
		{"token as a bearer's", "streaming.v1", []string{"Authorization", "Bearer " + token}, 101},
		{"a page's origin when any is allowed", "streaming.v1, " + token, []string{"Origin", "https://any.example"}, 101},
		{"no subprotocol", "", []string{"Authorization", token}, 400},
		{"another subprotocol", "chat.v2, " + token, nil, 400},
		{"no token", "streaming.v1", nil, 401},
		{"neither", "", nil, 401},
		{"garbage", "streaming.v1, garbage", nil, 401},
		{"a token cut short", "streaming.v1, " + token[:len(token)-9], nil, 401},
		{"an access token", "streaming.v1, " + p.tokens.AccessToken, nil, 401},
	} {
		if got := handshake(t, h, test.subprotocols, test.header...); got != test.want {
			t.Errorf("%s: %d, want %d", test.name, got, test.want)
		}
	}
	if got := handshakeTo(t, h.Config.WebSocketURL+"?token="+token, "streaming.v1"); got != 401 {
		t.Errorf("a token in the URL: %d, want 401", got)
	}
}

func TestBadFrames(t *testing.T) {
	t.Parallel()
	h := cloud(t)
	p := newPerson(t, h)
	other := newPerson(t, h)
	foreign := other.submit("Mine", "tokens=3 rate=0")
	other.await(foreign, "succeeded")
	socket := p.dial()
	for _, test := range []struct{ name, frame, code string }{
		{"unknown action", `{"action":"dance"}`, "invalid_message"},
		{"no action", `{}`, "invalid_message"},
		{"not JSON", `hello`, "invalid_message"},
		{"an array", `["ping"]`, "invalid_message"},
		{"action that is no text", `{"action":1}`, "invalid_message"},
		{"resume of nothing", `{"action":"resume"}`, "invalid_message"},
		{"resume after -2", `{"action":"resume","requestId":"` + foreign + `","afterSeq":-2}`, "invalid_message"},
		{"resume of another user's", `{"action":"resume","requestId":"` + foreign + `"}`, "not_found"},
		{"cancel of another user's", `{"action":"cancel","requestId":"` + foreign + `"}`, "not_found"},
		{"resume of an unknown", `{"action":"resume","requestId":"` + strings.Repeat("a", 26) + `"}`, "not_found"},
		{"cancel of what is no id", `{"action":"cancel","requestId":"../../x"}`, "not_found"},
	} {
		socket.SendRaw(t, websocket.MessageText, []byte(test.frame))
		frame := socket.Next(t, patience)
		if frame.Type != "error" || frame.Code != test.code || frame.RequestID != "" || frame.Message == "" {
			t.Errorf("%s: %s, want an error %s about the frame", test.name, frame.Raw, test.code)
		}
	}
	socket.Send(t, map[string]any{"action": "ping"})
	if frame := socket.Next(t, patience); frame.Type != "pong" {
		t.Errorf("after all of that a ping gets %s", frame.Raw)
	}
	if s := other.state(foreign); s.Status != "succeeded" {
		t.Errorf("the other user's request is %s", s.Status)
	}
	p.wantSettled(0, 0)
}

func TestFramesThatCloseTheSocket(t *testing.T) {
	t.Parallel()
	p := newPerson(t, cloud(t))
	for _, test := range []struct {
		name    string
		kind    websocket.MessageType
		size    int
		want    websocket.StatusCode
		survive bool
	}{
		{"binary", websocket.MessageBinary, 20, websocket.StatusUnsupportedData, false},
		{"33 KB", websocket.MessageText, 33 << 10, websocket.StatusMessageTooBig, false},
		{"32 KB", websocket.MessageText, 32 << 10, 0, true},
	} {
		socket := p.dial()
		frame := `{"action":"ping","pad":"` + strings.Repeat("x", max(0, test.size-26)) + `"}`
		socket.SendRaw(t, test.kind, []byte(frame))
		got, err := socket.TryNext(t.Context(), patience)
		switch {
		case test.survive && (err != nil || got.Type != "pong"):
			t.Errorf("%s: %v, %v, want a pong", test.name, got.Raw, err)
		case !test.survive && websocket.CloseStatus(err) != test.want:
			t.Errorf("%s: %v %v, want close code %d", test.name, got.Raw, err, test.want)
		}
	}
}

// The oldest socket makes room for one too many.
func TestTheOldestSocketIsClosed(t *testing.T) {
	t.Parallel()
	h := ownCloud(t, "throttle.userConnections=2")
	p := newPerson(t, h)
	sockets := []*localcloudtest.Socket{p.dial()}
	for range 2 {
		time.Sleep(5 * time.Millisecond) // connectedAt has milliseconds
		sockets = append(sockets, p.dial())
	}
	if _, err := sockets[0].TryNext(t.Context(), patience); websocket.CloseStatus(err) < 0 {
		t.Errorf("the oldest socket: %v, want it closed", err)
	}
	id := p.submit("Hello", "tokens=5 rate=0")
	for _, socket := range sockets[1:] {
		socket.Stream(t, id, patience)
	}
}
