package websocket_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/apigatewaymanagementapi"
	"github.com/aws/aws-sdk-go-v2/service/apigatewaymanagementapi/types"
	"github.com/aws/smithy-go"
	ws "github.com/coder/websocket"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
	"github.com/streaming-service/streaming-service/internal/localcloud/faults"
	"github.com/streaming-service/streaming-service/internal/localcloud/usage"
	"github.com/streaming-service/streaming-service/internal/localcloud/websocket"
)

func TestPostKeepsOrder(t *testing.T) {
	t.Parallel()
	c := newCloud(t, websocket.Deps{})
	conn, id := c.dial()
	const frames = 300
	var posts sync.WaitGroup
	defer posts.Wait()
	posts.Go(func() {
		for i := range frames {
			if err := c.post(id, fmt.Sprint(i)); err != nil {
				t.Errorf("post %d: %v", i, err)
			}
		}
	})
	for i := range frames {
		if got := c.read(conn); got != fmt.Sprint(i) {
			t.Fatalf("frame %d is %s", i, got)
		}
	}
}

func TestPermissionAndAccounting(t *testing.T) {
	t.Parallel()
	c := newCloud(t, websocket.Deps{})
	_, id := c.dial()
	c.must(c.post(id, `{"requestId":"r1"}`))
	c.guard.mu.Lock()
	got := c.guard.calls[0]
	c.guard.mu.Unlock()
	want := "arn:aws:execute-api:us-east-1:000000000000:" + c.api.ID + "/v1/POST/@connections/" + id
	if got.Service != "execute-api" || got.Operation != "PostToConnection" || got.AccessKeyID != "AKID" || string(got.Body) != `{"requestId":"r1"}` {
		t.Errorf("the guard was asked about %+v", got)
	}
	if len(got.Permissions) != 1 || got.Permissions[0].Action != "execute-api:ManageConnections" || got.Permissions[0].Resource != want {
		t.Errorf("permissions %v, want execute-api:ManageConnections on %s", got.Permissions, want)
	}
	c.guard.set(awsapi.AccessDenied("role", "execute-api:ManageConnections", want), false)
	if _, ok := errors.AsType[*types.ForbiddenException](c.post(id, "x")); !ok {
		t.Error("a missing permission is not ForbiddenException")
	}
	c.guard.set(&awsapi.Error{Status: 429, Code: "LimitExceededException"}, false)
	if _, ok := errors.AsType[*types.LimitExceededException](c.post(id, "x")); !ok {
		t.Error("an injected LimitExceededException does not arrive")
	}
}

func TestLostResponse(t *testing.T) {
	t.Parallel()
	c := newCloud(t, websocket.Deps{})
	conn, id := c.dial()
	c.guard.set(nil, true)
	if err := c.post(id, "x"); err == nil {
		t.Error("the response was not lost")
	}
	if got := c.read(conn); got != "x" {
		t.Errorf("frame %q", got)
	}
}

func TestManagementErrors(t *testing.T) {
	t.Parallel()
	c := newCloud(t, websocket.Deps{})
	conn, id := c.dial()
	if _, ok := errors.AsType[*types.PayloadTooLargeException](c.post(id, string(make32K(1)))); !ok {
		t.Error("a frame over 32 KB is not PayloadTooLargeException")
	}
	if _, ok := errors.AsType[*types.PayloadTooLargeException](c.post(id, strings.Repeat("x", 129<<10))); !ok {
		t.Error("a message over 128 KB is not PayloadTooLargeException")
	}
	c.must(c.post(id, string(make32K(0))))
	conn.SetReadLimit(32 << 10)
	c.read(conn)
	if _, ok := errors.AsType[*types.GoneException](c.post("R1kmxc2VNjMCFIA=", "x")); !ok {
		t.Error("an unknown id is not GoneException")
	}
	other := c.client(c.server.URL + websocket.Path(c.api.ID) + "/v2")
	_, err := other.PostToConnection(t.Context(), &apigatewaymanagementapi.PostToConnectionInput{ConnectionId: &id, Data: []byte("x")})
	if _, ok := errors.AsType[*types.ForbiddenException](err); !ok {
		t.Errorf("another stage: %v, want ForbiddenException", err)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, c.server.URL+websocket.Path(c.api.ID)+"/v1/@connections/"+url.PathEscape(id), strings.NewReader("x"))
	c.must(err)
	response, err := c.server.Client().Do(r)
	c.must(err)
	_ = response.Body.Close()
	if response.StatusCode != http.StatusForbidden || response.Header.Get("x-amzn-ErrorType") != "MissingAuthenticationTokenException" {
		t.Errorf("an unsigned post is answered %d %v", response.StatusCode, response.Header)
	}
	_ = conn.CloseNow()
	c.next("disconnect")
	if _, ok := errors.AsType[*types.GoneException](c.post(id, "x")); !ok {
		t.Error("a closed socket is not GoneException")
	}
}

// TestEncodedPaths accepts the ways in which clients write @connections and ids.
func TestEncodedPaths(t *testing.T) {
	t.Parallel()
	c := newCloud(t, websocket.Deps{})
	conn, id := c.dial()
	for _, path := range []string{"@connections/" + id, "%40connections/" + strings.ReplaceAll(id, "=", "%3D"), "@connections/" + strings.ReplaceAll(id, "=", "%3d")} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, c.server.URL+websocket.Path(c.api.ID)+"/v1/"+path, strings.NewReader(path))
		c.must(err)
		r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=AKID/20260101/us-east-1/execute-api/aws4_request")
		response, err := c.server.Client().Do(r)
		c.must(err)
		_ = response.Body.Close()
		if response.StatusCode != http.StatusOK {
			t.Errorf("%s: %d", path, response.StatusCode)
			continue
		}
		if got := c.read(conn); got != path {
			t.Errorf("%s: frame %q", path, got)
		}
	}
}

// TestConnectionsWithoutAStage serves an SDK whose endpoint is the address of
// the cloud.
func TestConnectionsWithoutAStage(t *testing.T) {
	t.Parallel()
	c := newCloud(t, websocket.Deps{})
	conn, id := c.dial()
	management := c.client(c.server.URL)
	_, err := management.PostToConnection(t.Context(), &apigatewaymanagementapi.PostToConnectionInput{ConnectionId: &id, Data: []byte("hello")})
	c.must(err)
	if got := c.read(conn); got != "hello" {
		t.Errorf("frame %q", got)
	}
	unknown := "R1kmxc2VNjMCFIA="
	_, err = management.PostToConnection(t.Context(), &apigatewaymanagementapi.PostToConnectionInput{ConnectionId: &unknown, Data: []byte("x")})
	if _, ok := errors.AsType[*types.GoneException](err); !ok {
		t.Errorf("an unknown id: %v, want GoneException", err)
	}
}

func TestGetAndDelete(t *testing.T) {
	t.Parallel()
	c := newCloud(t, websocket.Deps{})
	conn, id := c.dial()
	got, err := c.management.GetConnection(t.Context(), &apigatewaymanagementapi.GetConnectionInput{ConnectionId: &id})
	c.must(err)
	if got.ConnectedAt == nil || time.Since(*got.ConnectedAt) > time.Minute || got.LastActiveAt == nil || *got.Identity.SourceIp != "127.0.0.1" {
		t.Errorf("connection %+v", got)
	}
	_, err = c.management.DeleteConnection(t.Context(), &apigatewaymanagementapi.DeleteConnectionInput{ConnectionId: &id})
	c.must(err)
	if code := c.closed(conn); code != ws.StatusNormalClosure {
		t.Errorf("a deleted connection closes with %d", code)
	}
	c.next("disconnect")
	_, err = c.management.GetConnection(t.Context(), &apigatewaymanagementapi.GetConnectionInput{ConnectionId: &id})
	if _, ok := errors.AsType[*types.GoneException](err); !ok {
		t.Errorf("a deleted connection: %v, want GoneException", err)
	}
}

// TestSlowReader posts to a client that does not read: its buffer fills, the
// poster is told so at once, and another socket is not held up.
func TestSlowReader(t *testing.T) {
	t.Parallel()
	c := newCloud(t, websocket.Deps{Options: websocket.Options{SendBufferFrames: 8}})
	_, slow := c.dial()
	conn, quick := c.dial()
	limited := false
	frame := string(make32K(0))
	for range 2_000 { // the kernel's buffers take some megabytes
		started := time.Now()
		err := c.post(slow, frame)
		if time.Since(started) > 5*time.Second {
			t.Fatal("the poster waits for the slow reader")
		}
		if _, limited = errors.AsType[*types.LimitExceededException](err); limited {
			break
		}
		c.must(err)
	}
	if !limited {
		t.Error("a client that does not read is never LimitExceededException")
	}
	c.must(c.post(quick, "x"))
	if got := c.read(conn); got != "x" {
		t.Errorf("frame %q", got)
	}
}

func TestSendBufferBytes(t *testing.T) {
	t.Parallel()
	c := newCloud(t, websocket.Deps{Options: websocket.Options{SendBufferBytes: 10}})
	_, id := c.dial()
	if _, ok := errors.AsType[*types.LimitExceededException](c.post(id, "eleven byte")); !ok {
		t.Error("a frame beyond the buffer is accepted")
	}
	c.must(c.post(id, "ten bytes."))
}

type oneRequest struct{ used atomic.Bool }

// Allow lets the handshake pass and nothing after it.
func (o *oneRequest) Allow() bool { return !o.used.Swap(true) }

func TestAccountThrottle(t *testing.T) {
	t.Parallel()
	c := newCloud(t, websocket.Deps{Account: &oneRequest{}})
	_, id := c.dial()
	if _, ok := errors.AsType[*types.LimitExceededException](c.post(id, "x")); !ok {
		t.Error("@connections does not count against the account's throttle")
	}
}

var (
	_ websocket.Faults = (*faults.Injector)(nil)
	_ websocket.Meter  = (*usage.Meter)(nil)
)

// weaknesses of sockets, switched on by tests.
type weaknesses struct{ lose, drop, quiet, delay atomic.Bool }

func (f *weaknesses) LoseFrame() bool      { return f.lose.Load() }
func (f *weaknesses) DropSocket() bool     { return f.drop.Load() }
func (f *weaknesses) LoseDisconnect() bool { return f.quiet.Load() }
func (f *weaknesses) HandshakeDelay() time.Duration {
	if f.delay.Load() {
		return 2 * time.Second
	}
	return 0
}

func TestFaults(t *testing.T) {
	t.Parallel()
	f := &weaknesses{}
	c := newCloud(t, websocket.Deps{Faults: f})
	conn, id := c.dial()
	f.lose.Store(true)
	c.must(c.post(id, "lost"))
	f.lose.Store(false)
	c.must(c.post(id, "kept"))
	if got := c.read(conn); got != "kept" {
		t.Errorf("frame %q, want the first one lost", got)
	}
	f.drop.Store(true)
	f.quiet.Store(true)
	c.must(c.post(id, "dropped"))
	if code := c.closed(conn); code != -1 {
		t.Errorf("a dropped socket closes with %d, want no close frame", code)
	}
	c.idle() // $disconnect is lost

	f.drop.Store(false)
	f.delay.Store(true)
	go func() {
		if late, _, err := c.try(nil); err == nil {
			_ = late.CloseNow()
		}
	}()
	id, _ = c.next("connect").context("connectionId").(string)
	if _, ok := errors.AsType[*types.GoneException](c.post(id, "x")); !ok {
		t.Error("a socket is known although its 101 is delayed")
	}
}

type meter struct {
	mu     sync.Mutex
	counts map[string]float64
}

func (m *meter) Add(counter string, amount float64, _ []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.counts[counter] += amount
}

func TestMeter(t *testing.T) {
	t.Parallel()
	m := &meter{counts: map[string]float64{}}
	c := newCloud(t, websocket.Deps{Meter: m})
	conn, id := c.dial()
	c.must(fragments(conn, 2))
	c.next("messages")
	c.must(c.post(id, "abc"))
	c.read(conn)
	c.must(c.post(id, "de"))
	c.read(conn)
	_ = conn.Close(ws.StatusNormalClosure, "")
	c.next("disconnect")
	m.mu.Lock()
	defer m.mu.Unlock()
	for counter, want := range map[string]float64{
		usage.Connections: 1, usage.FramesReceived: 2, usage.BytesReceived: 64 << 10, usage.FramesSent: 2, usage.BytesSent: 5,
	} {
		if m.counts[counter] != want {
			t.Errorf("%s = %v, want %v", counter, m.counts[counter], want)
		}
	}
}

func TestManySockets(t *testing.T) {
	t.Parallel()
	c := newCloud(t, websocket.Deps{})
	const sockets, frames = 100, 20
	conns, ids := make([]*ws.Conn, sockets), make([]string, sockets)
	for i := range sockets {
		conns[i], ids[i] = c.dial()
	}
	var work sync.WaitGroup
	for i := range sockets {
		work.Go(func() {
			for n := range frames {
				if err := c.post(ids[i], fmt.Sprint(n)); err != nil {
					t.Errorf("socket %d: %v", i, err)
				}
			}
		})
		work.Go(func() {
			for n := range frames {
				ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
				_, frame, err := conns[i].Read(ctx)
				cancel()
				if err != nil || string(frame) != fmt.Sprint(n) {
					t.Errorf("socket %d: frame %d is %s, %v", i, n, frame, err)
					return
				}
			}
		})
	}
	work.Wait()
}

func TestCloseEndsSockets(t *testing.T) {
	t.Parallel()
	c := newCloud(t, websocket.Deps{})
	polite, _ := c.dial()
	c.dial() // does not read, so never answers the close frame
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	started := time.Now()
	closed := make(chan struct{})
	go func() {
		c.service.Close(ctx)
		close(closed)
	}()
	if code := c.closed(polite); code != ws.StatusGoingAway {
		t.Errorf("closed with %d, want 1001", code)
	}
	<-closed
	if took := time.Since(started); took > 2*time.Second {
		t.Errorf("closing took %s", took)
	}
	if _, response, err := c.try(nil); err == nil || response == nil {
		t.Error("a closed service accepts sockets")
	}
}

func TestErrorsAreTyped(t *testing.T) {
	t.Parallel()
	c := newCloud(t, websocket.Deps{})
	c.guard.set(&awsapi.Error{Status: 500, Code: "InternalServerError", Message: "injected"}, false)
	api, ok := errors.AsType[smithy.APIError](c.post("x", "x"))
	if !ok || api.ErrorCode() != "InternalServerError" {
		t.Errorf("error %v", api)
	}
}
