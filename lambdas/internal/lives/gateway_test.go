package lives_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
	"github.com/streaming-service/streaming-service/lambdas/internal/httpapi"
	"github.com/streaming-service/streaming-service/protocol"
)

// gateway is both APIs: REST calls, and sockets with their @connections.
type gateway struct {
	world *world

	mu      sync.Mutex
	sockets map[string]*socket
	next    int
}

// socket is a connection of a device. It takes frames once it is open.
type socket struct {
	id        string
	user      string
	connected time.Time
	deliver   func(frame []byte)
	broken    func()
	open      bool
}

func (g *gateway) event(s *socket, kind string) events.APIGatewayWebsocketProxyRequest {
	return events.APIGatewayWebsocketProxyRequest{
		RequestContext: events.APIGatewayWebsocketProxyRequestContext{
			ConnectionID: s.id, EventType: kind, ConnectedAt: s.connected.UnixMilli(),
			Authorizer: map[string]any{"userId": s.user, "tokenExp": strconv.FormatInt(time.Now().Add(time.Hour).Unix(), 10)},
		},
	}
}

// open connects a socket; nil if it was refused.
func (g *gateway) connect(user string, deliver func([]byte), broken func()) *socket {
	g.mu.Lock()
	g.next++
	s := &socket{id: "c" + strconv.Itoa(g.next) + "=", user: user, connected: time.Now(), deliver: deliver, broken: broken}
	g.mu.Unlock()
	e := g.event(s, "CONNECT")
	e.Headers = map[string]string{"Sec-WebSocket-Protocol": protocol.Subprotocol + ", token"}
	answer, ok := g.world.functions["connection"].invoke(e)
	if response, is := answer.(events.APIGatewayProxyResponse); !ok || !is || response.StatusCode != http.StatusOK {
		return nil
	}
	time.Sleep(5 * time.Millisecond) // frames posted now meet no socket
	g.mu.Lock()
	defer g.mu.Unlock()
	s.open = true
	g.sockets[s.id] = s
	return s
}

// send takes a frame of a client. API Gateway answers nothing.
func (g *gateway) send(s *socket, frame protocol.ClientFrame) {
	g.mu.Lock()
	open := s.open
	g.mu.Unlock()
	if !open {
		return
	}
	e := g.event(s, "MESSAGE")
	e.Body = string(frame.Encode())
	g.world.running.Go(func() { g.world.functions["connection"].invoke(e) })
}

// close ends a socket, from either side.
func (g *gateway) close(s *socket) {
	g.mu.Lock()
	was := s.open
	s.open = false
	delete(g.sockets, s.id)
	g.mu.Unlock()
	if !was {
		return
	}
	s.broken()
	if g.world.dice.happens(func(r rates) float64 { return r.loseDisconnect }, "websocket.loseDisconnect") {
		return
	}
	g.world.running.Go(func() {
		time.Sleep(100 * time.Millisecond)
		g.world.functions["connection"].invoke(g.event(s, "DISCONNECT"))
	})
}

// ServeHTTP is the @connections API.
func (g *gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id, err := url.PathUnescape(strings.TrimPrefix(r.URL.EscapedPath(), "/@connections/"))
	body, readErr := io.ReadAll(r.Body)
	if err != nil || readErr != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	if r.Method == http.MethodPost {
		g.world.frames.posted(body)
	}
	g.mu.Lock()
	s := g.sockets[id]
	g.mu.Unlock()
	switch {
	case s == nil:
		awsapi.RestJSON.WriteError(w, &awsapi.Error{Status: http.StatusGone, Code: "GoneException", Message: "Gone"})
		return
	case r.Method == http.MethodDelete:
		g.close(s)
	default:
		g.push(s, body)
	}
	w.WriteHeader(http.StatusOK)
}

// push delivers a frame, unless it or its socket is lost on the way.
func (g *gateway) push(s *socket, frame []byte) {
	switch dice := g.world.dice; {
	case dice.happens(func(r rates) float64 { return r.dropSocket }, "websocket.drop"):
		g.close(s)
	case dice.happens(func(r rates) float64 { return r.loseFrame }, "websocket.loseFrame"):
	default:
		s.deliver(frame)
	}
}

// answer is a REST answer. ok is false where none arrived.
type answer struct {
	status int
	body   string
	ok     bool
}

func (a answer) into(v any) bool { return a.ok && json.Unmarshal([]byte(a.body), v) == nil }

// rest makes a REST call as a user.
func (g *gateway) rest(user, method, requestID, body, key string) answer {
	e := events.APIGatewayProxyRequest{
		HTTPMethod: method, Resource: httpapi.ResourceRequest, Body: body, Headers: map[string]string{},
		PathParameters: map[string]string{httpapi.ParameterRequestID: requestID},
		RequestContext: events.APIGatewayProxyRequestContext{Authorizer: map[string]any{
			"claims": map[string]any{"sub": user, "aud": clientID, "token_use": "id"},
		}},
	}
	function := "requests"
	if method == http.MethodPost {
		function, e.Resource = "quota", httpapi.ResourceRequests
	}
	if key != "" {
		e.Headers["idempotency-key"] = key
	}
	result, ok := g.world.functions[function].invoke(e)
	response, is := result.(events.APIGatewayProxyResponse)
	if !ok || !is {
		return answer{status: http.StatusBadGateway, ok: true} // what API Gateway makes of it
	}
	if g.world.dice.happens(func(r rates) float64 { return r.answer }, "rest.lostAnswer") {
		return answer{}
	}
	return answer{status: response.StatusCode, body: response.Body, ok: true}
}
