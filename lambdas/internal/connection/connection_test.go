package connection_test

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/lambdas/internal/relay"
)

func TestConnect(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name       string
		offered    string
		fail       string
		wantStatus int
		wantSteps  string
	}{
		{"browser", "streaming.v1, a.b.c", "", 200, "put me="},
		{"token in a header", "streaming.v1", "", 200, "put me="},
		{"no subprotocol", "", "", 400, ""},
		{"token only", "a.b.c", "", 400, ""},
		{"another version", "streaming.v2, a.b.c", "", 400, ""},
		{"row cannot be written", "streaming.v1", "put", 500, "put me="},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld()
			w.fail[tt.fail] = errBroken
			e := event("CONNECT", "")
			e.Headers = map[string]string{"sec-websocket-protocol": tt.offered}
			got, err := w.handler().Handle(t.Context(), e)
			if err != nil {
				t.Fatal(err)
			}
			if got.StatusCode != tt.wantStatus || strings.Join(w.steps, ",") != tt.wantSteps {
				t.Errorf("got %d after %v, want %d after %s", got.StatusCode, w.steps, tt.wantStatus, tt.wantSteps)
			}
			if selected := got.Headers["Sec-WebSocket-Protocol"]; (selected == "streaming.v1") != (tt.wantStatus == 200) {
				t.Errorf("selected %q", selected)
			}
		})
	}
}

// TestConnectStoresTheRow guards rule 11 of docs/life.md.
func TestConnectStoresTheRow(t *testing.T) {
	t.Parallel()
	w := newWorld()
	e := event("CONNECT", "")
	e.Headers = map[string]string{"Sec-WebSocket-Protocol": "streaming.v1"}
	if _, err := w.handler().Handle(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	want := []life.Connection{{
		UserID: "user", ConnectionID: "me=", ConnectedAt: connectedAt, TokenExpires: tokenExp,
		ExpiresAt: connectedAt.Add(7500 * time.Second),
	}}
	if !reflect.DeepEqual(w.stored, want) {
		t.Errorf("stored %+v, want %+v", w.stored, want)
	}
}

func TestConnectClosesTheOldestSockets(t *testing.T) {
	t.Parallel()
	socket := func(id string, age time.Duration) life.Connection {
		return life.Connection{UserID: "user", ConnectionID: id, ConnectedAt: connectedAt.Add(-age)}
	}
	tests := []struct {
		name      string
		others    []life.Connection
		fail      string
		wantSteps string
	}{
		{"room", []life.Connection{socket("a", 1), socket("me=", 0)}, "", "put me=,list"},
		{"one too many", []life.Connection{socket("new", 1), socket("me=", 0), socket("old", 9), socket("mid", 5)}, "", "put me=,list,close old,delete old"},
		{"the list is stale", []life.Connection{socket("new", 1), socket("old", 9), socket("mid", 5)}, "", "put me=,list,close old,delete old"},
		{"many too many", []life.Connection{socket("a", 1), socket("b", 2), socket("c", 3), socket("d", 4), socket("me=", 9)}, "", "put me=,list,close d,delete d,close c,delete c"},
		{"cannot close", []life.Connection{socket("a", 1), socket("b", 2), socket("c", 3), socket("me=", 0)}, "close", "put me=,list,close c"},
		{"cannot list", nil, "list", "put me=,list"},
		{"newer ones at once", []life.Connection{socket("a", -1), socket("b", -2), socket("me=", 0), socket("c", -3), socket("old", 9)}, "", "put me=,list,close old,delete old"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld()
			w.connections = tt.others
			w.fail[tt.fail] = errBroken
			h := w.handler()
			h.MaxConnections = 3
			e := event("CONNECT", "")
			e.Headers = map[string]string{"Sec-WebSocket-Protocol": "streaming.v1"}
			got, err := h.Handle(t.Context(), e)
			if err != nil || got.StatusCode != 200 {
				t.Errorf("got %d, %v", got.StatusCode, err)
			}
			if steps := strings.Join(w.steps, ","); steps != tt.wantSteps {
				t.Errorf("steps %s, want %s", steps, tt.wantSteps)
			}
		})
	}
}

// TestASocketThatIsStillOpeningKeepsItsRow has two sockets at once where one is
// allowed: the first is unknown to API Gateway until its own $connect is over.
func TestASocketThatIsStillOpeningKeepsItsRow(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.connections = []life.Connection{{UserID: "user", ConnectionID: "opening", ConnectedAt: connectedAt.Add(-time.Second)}}
	w.fail["close"] = relay.ErrGone
	h := w.handler()
	h.MaxConnections = 1
	e := event("CONNECT", "")
	e.Headers = map[string]string{"Sec-WebSocket-Protocol": "streaming.v1"}
	if got, err := h.Handle(t.Context(), e); err != nil || got.StatusCode != 200 {
		t.Errorf("got %d, %v", got.StatusCode, err)
	}
	if steps := strings.Join(w.steps, ","); steps != "put me=,list,close opening,delete opening conditionally" {
		t.Errorf("steps %s", steps)
	}
}

func TestDisconnectForgetsTheRow(t *testing.T) {
	t.Parallel()
	for _, fail := range []string{"", "delete"} {
		w := newWorld()
		w.fail[fail] = errBroken
		got, err := w.handler().Handle(t.Context(), event("DISCONNECT", ""))
		if err != nil || got.StatusCode != 200 || strings.Join(w.steps, ",") != "delete me=" {
			t.Errorf("got %d, %v after %v", got.StatusCode, err, w.steps)
		}
	}
}

func TestEventsWithoutAnIdentityAreRefused(t *testing.T) {
	t.Parallel()
	whole := event("MESSAGE", `{"action":"ping"}`)
	for name, spoil := range map[string]func(*events.APIGatewayWebsocketProxyRequest){
		"no authorizer": func(e *events.APIGatewayWebsocketProxyRequest) { e.RequestContext.Authorizer = nil },
		"no user": func(e *events.APIGatewayWebsocketProxyRequest) {
			e.RequestContext.Authorizer = map[string]any{"tokenExp": "1"}
		},
		"user no string": func(e *events.APIGatewayWebsocketProxyRequest) {
			e.RequestContext.Authorizer = map[string]any{"userId": 7}
		},
		"no expiry": func(e *events.APIGatewayWebsocketProxyRequest) {
			e.RequestContext.Authorizer = map[string]any{"userId": "user"}
		},
		"no connection": func(e *events.APIGatewayWebsocketProxyRequest) { e.RequestContext.ConnectionID = "" },
		"unknown event": func(e *events.APIGatewayWebsocketProxyRequest) { e.RequestContext.EventType = "OTHER" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, e := newWorld(), whole
			spoil(&e)
			if got, err := w.handler().Handle(t.Context(), e); err == nil || got.StatusCode != 500 || len(w.steps) != 0 {
				t.Errorf("got %d, %v after %v", got.StatusCode, err, w.steps)
			}
		})
	}
}
