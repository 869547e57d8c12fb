package websocket_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	ws "github.com/coder/websocket"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
	"github.com/streaming-service/streaming-service/internal/localcloud/websocket"
)

func TestMessages(t *testing.T) {
	t.Parallel()
	c := newCloud(t, websocket.Deps{})
	c.authorizer()
	c.functions.returns("authorizer", allow)
	c.route("send", "sender")
	conn, _, err := c.try(nil)
	c.must(err)
	defer func() { _ = conn.CloseNow() }()
	c.next("authorizer")
	id := c.next("connect").context("connectionId")
	for _, test := range []struct{ message, function, routeKey string }{
		{`{"action":"send"}`, "sender", "send"},
		{`{"action":"other"}`, "messages", "$default"},
		{`{"action":"$connect"}`, "messages", "$default"},
		{`{"action":7}`, "messages", "$default"},
		{`not JSON`, "messages", "$default"},
		{``, "messages", "$default"},
	} {
		c.write(conn, test.message)
		got := c.next(test.function)
		_, hasHeaders := got.event["headers"]
		granted, _ := got.context("authorizer").(map[string]any)
		for _, check := range []struct {
			what      string
			got, want any
		}{
			{"body", got.event["body"], test.message}, {"routeKey", got.context("routeKey"), test.routeKey},
			{"eventType", got.context("eventType"), "MESSAGE"}, {"connectionId", got.context("connectionId"), id},
			{"headers", hasHeaders, false}, {"isBase64Encoded", got.event["isBase64Encoded"], false},
			{"messageId", got.context("messageId") != "", true}, {"authorizer", granted["userId"], "u1"},
		} {
			if check.got != check.want {
				t.Errorf("%s: %s = %v, want %v", test.message, check.what, check.got, check.want)
			}
		}
	}
}

func TestFramesOfTheGateway(t *testing.T) {
	t.Parallel()
	c := newCloud(t, websocket.Deps{})
	c.must(c.service.DeleteRoute(c.api.ID, c.routes["$default"].ID))
	c.route("fail", "failing")
	c.route("deny", "denied")
	c.functions.on("failing", func(call) (string, string, error) { return `{"errorMessage":"x"}`, "Unhandled", nil })
	c.functions.on("denied", func(call) (string, string, error) { return "", "", &awsapi.Error{Code: "AccessDeniedException"} })
	conn, id := c.dial()
	for action, want := range map[string]string{"nowhere": "Forbidden", "fail": "Internal server error", "deny": "Internal server error"} {
		c.write(conn, `{"action":"`+action+`"}`)
		var frame map[string]string
		if err := json.Unmarshal([]byte(c.read(conn)), &frame); err != nil {
			t.Fatal(err)
		}
		if frame["message"] != want || frame["connectionId"] != id || frame["requestId"] == "" || len(frame) != 3 {
			t.Errorf("%s: frame %v, want message %q", action, frame, want)
		}
	}
}

func TestRouteResponses(t *testing.T) {
	t.Parallel()
	c := newCloud(t, websocket.Deps{})
	c.functions.returns("messages", `{"statusCode":200,"body":"one-way"}`)
	c.functions.returns("echo", `{"statusCode":500,"body":"answer"}`)
	r := c.route("echo", "echo", func(r *websocket.Route) { r.RouteResponseSelectionExpression = "$default" })
	conn, _ := c.dial()
	c.write(conn, `{"action":"echo"}`)
	c.next("echo")
	_, err := c.service.PutRouteResponse(websocket.RouteResponse{APIID: c.api.ID, RouteID: r.ID, RouteResponseKey: "$default"})
	c.must(err)
	c.write(conn, `{}`)
	c.next("messages")
	c.write(conn, `{"action":"echo"}`)
	if got := c.read(conn); got != "answer" {
		t.Errorf("first frame is %q, want only the declared response", got)
	}
}

func TestMessageLimits(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		send func(*ws.Conn) error
		code ws.StatusCode
		ok   bool
	}{
		{"largest frame", func(c *ws.Conn) error { return c.Write(context.Background(), ws.MessageText, make32K(0)) }, 0, true},
		{"larger frame", func(c *ws.Conn) error { return c.Write(context.Background(), ws.MessageText, make32K(1)) }, ws.StatusMessageTooBig, false},
		{"four frames", func(c *ws.Conn) error { return fragments(c, 4) }, 0, true},
		{"five frames", func(c *ws.Conn) error { return fragments(c, 5) }, ws.StatusMessageTooBig, false},
		{"binary", func(c *ws.Conn) error { return c.Write(context.Background(), ws.MessageBinary, []byte("x")) }, ws.StatusUnsupportedData, false},
		{"no UTF-8", func(c *ws.Conn) error { return c.Write(context.Background(), ws.MessageText, []byte("\xff")) }, ws.StatusInvalidFramePayloadData, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c := newCloud(t, websocket.Deps{})
			conn, _ := c.dial()
			c.must(test.send(conn))
			if test.ok {
				c.next("messages")
				return
			}
			if got := c.closed(conn); got != test.code {
				t.Errorf("closed with %d, want %d", got, test.code)
			}
			if got := c.next("disconnect").context("disconnectStatusCode"); got != float64(test.code) {
				t.Errorf("$disconnect tells %v, want %d", got, test.code)
			}
		})
	}
}

func make32K(more int) []byte { return []byte(strings.Repeat("x", 32<<10+more)) }

// fragments sends one message in n frames of 32 KB. The client library fills
// frames of at most 4 KB by itself; whole writes go out as they are.
func fragments(c *ws.Conn, n int) error {
	w, err := c.Writer(context.Background(), ws.MessageText)
	if err != nil {
		return err
	}
	for range n {
		if _, err := w.Write(make32K(0)); err != nil {
			return err
		}
	}
	return w.Close()
}

func TestIdleAndOldSockets(t *testing.T) {
	t.Parallel()
	for name, options := range map[string]websocket.Options{
		"idle": {IdleTimeout: 50 * time.Millisecond},
		"old":  {MaxDuration: 50 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCloud(t, websocket.Deps{Options: options})
			conn, _ := c.dial()
			if got := c.closed(conn); got != ws.StatusGoingAway {
				t.Errorf("closed with %d, want 1001", got)
			}
			if got := c.next("disconnect").context("disconnectStatusCode"); got != 1001.0 {
				t.Errorf("$disconnect tells %v", got)
			}
		})
	}
}

func TestMessagesKeepASocketAlive(t *testing.T) {
	t.Parallel()
	c := newCloud(t, websocket.Deps{Options: websocket.Options{IdleTimeout: 2 * time.Second}})
	conn, id := c.dial()
	for i := range 6 {
		time.Sleep(500 * time.Millisecond)
		if i%2 == 0 {
			c.write(conn, "{}")
			c.next("messages")
			continue
		}
		c.must(c.post(id, "x"))
		c.read(conn)
	}
}

func TestDisconnectEvent(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		end  func(*ws.Conn) error
		code float64
	}{
		{"closed", func(c *ws.Conn) error { return c.Close(ws.StatusNormalClosure, "bye") }, 1000},
		{"own code", func(c *ws.Conn) error { return c.Close(4000, "bye") }, 4000},
		{"no code", func(c *ws.Conn) error { return c.Close(ws.StatusNoStatusRcvd, "") }, 1005},
		{"cut", func(c *ws.Conn) error { return c.CloseNow() }, 1006},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c := newCloud(t, websocket.Deps{})
			conn, id := c.dial()
			_ = test.end(conn)
			got := c.next("disconnect")
			headers, _ := got.event["headers"].(map[string]any)
			if got.context("disconnectStatusCode") != test.code || got.context("eventType") != "DISCONNECT" || got.context("connectionId") != id {
				t.Errorf("event %v", got.event)
			}
			if _, ok := got.context("disconnectReason").(string); !ok || got.context("requestId") != got.context("extendedRequestId") {
				t.Errorf("event %v", got.event)
			}
			if len(headers) != 4 || headers["Host"] == "" {
				t.Errorf("headers %v, want only the gateway's four", headers)
			}
		})
	}
}

func TestMessageThrottle(t *testing.T) {
	t.Parallel()
	rate, burst := 0.001, 2
	c := newCloud(t, websocket.Deps{}, func(s *websocket.Stage) {
		s.RouteSettings = map[string]websocket.RouteSettings{"$default": {ThrottlingRateLimit: &rate, ThrottlingBurstLimit: &burst}}
	})
	conn, _ := c.dial()
	for range 3 {
		c.write(conn, "{}")
	}
	if got := c.closed(conn); got != ws.StatusPolicyViolation {
		t.Errorf("closed with %d, want 1008", got)
	}
	c.nextOf("messages", "messages", "disconnect")
}

func TestMessagesRunConcurrently(t *testing.T) {
	t.Parallel()
	c := newCloud(t, websocket.Deps{Options: websocket.Options{MaxConcurrentMessages: 2}})
	release := make(chan struct{})
	c.functions.on("messages", func(call) (string, string, error) { <-release; return `{"statusCode":200}`, "", nil })
	conn, _ := c.dial()
	for range 3 {
		c.write(conn, "{}")
	}
	c.next("messages")
	c.next("messages")
	c.idle() // the third waits
	close(release)
	c.next("messages")
}

// TestEarlyFrames sends a message in the same packet as the handshake.
func TestEarlyFrames(t *testing.T) {
	t.Parallel()
	c := newCloud(t, websocket.Deps{})
	raw, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", c.server.Listener.Addr().String())
	c.must(err)
	defer func() { _ = raw.Close() }()
	frame := "\x81\xfe\x80\x01\x00\x00\x00\x00" + strings.Repeat("x", 0x8001)
	_, err = fmt.Fprintf(raw, "GET %s/v1 HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n%s", websocket.Path(c.api.ID), frame)
	c.must(err)
	response, err := http.ReadResponse(bufio.NewReader(raw), nil)
	c.must(err)
	_ = response.Body.Close()
	if response.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("handshake answered %d", response.StatusCode)
	}
	c.next("connect")
	c.must(raw.SetReadDeadline(time.Now().Add(10 * time.Second)))
	_, _ = raw.Read(make([]byte, 64)) // the close frame
	_ = raw.Close()
	if got := c.next("disconnect").context("disconnectStatusCode"); got != 1009.0 {
		t.Errorf("an early frame of 32,769 bytes ends with %v, want 1009", got)
	}
}
