package connection_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/streaming-service/streaming-service/lambdas/internal/connection"
	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/protocol"
)

var (
	connectedAt = time.UnixMilli(1_700_000_000_000)
	tokenExp    = time.Unix(1_700_003_600, 0)
	errBroken   = errors.New("broken")
	requestID   = strings.Repeat("a", 26)
)

// world fakes everything around the handler and remembers what happened, in
// order.
type world struct {
	records     map[life.Key]life.Record
	chunks      map[string][]life.Chunk // by owner
	connections []life.Connection
	fail        map[string]error // by operation
	deliver     func(n int) error

	steps  []string
	frames []string
	stored []life.Connection
}

func newWorld() *world {
	return &world{records: map[life.Key]life.Record{}, chunks: map[string][]life.Chunk{}, fail: map[string]error{}}
}

func (w *world) handler() *connection.Handler {
	return &connection.Handler{Store: w, Life: w, Sockets: w, Log: slog.New(slog.DiscardHandler)}
}

func (w *world) step(operation, what string) error {
	w.steps = append(w.steps, strings.TrimSpace(operation+" "+what))
	return w.fail[operation]
}

func (w *world) Record(_ context.Context, key life.Key) (life.Record, error) {
	err := w.step("record", "")
	r, ok := w.records[key]
	if !ok {
		return r, life.ErrNotFound
	}
	return r, err
}

func (w *world) Chunks(_ context.Context, _, owner string, _ int) ([]life.Chunk, error) {
	return w.chunks[owner], w.step("chunks", owner)
}

func (w *world) Connections(context.Context, string, bool) ([]life.Connection, error) {
	return slices.Clone(w.connections), w.step("list", "")
}

func (w *world) PutConnection(_ context.Context, c life.Connection) error {
	w.stored = append(w.stored, c)
	return w.step("put", c.ConnectionID)
}

func (w *world) DeleteConnection(_ context.Context, c life.Connection, before time.Time) error {
	if !before.IsZero() {
		return w.step("delete", c.ConnectionID+" conditionally")
	}
	return w.step("delete", c.ConnectionID)
}

func (w *world) Cancel(_ context.Context, key life.Key) (life.Record, error) {
	err := w.step("cancel", key.UserID)
	r, ok := w.records[key]
	if !ok {
		return r, life.ErrNotFound
	}
	return r, err
}

func (w *world) Heal(_ context.Context, r life.Record) (bool, error) {
	return true, w.step("heal", string(r.Status))
}

func (w *world) Deliver(ctx context.Context, to life.Connection, frame []byte) error {
	if w.deliver != nil {
		if err := w.deliver(len(w.frames)); err != nil {
			return err
		}
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	w.frames = append(w.frames, string(frame))
	return w.step("post", to.ConnectionID)
}

func (w *world) Close(_ context.Context, c life.Connection) error {
	return w.step("close", c.ConnectionID)
}

// event is one of the WebSocket API, from a socket that the authorizer let in
// for "user".
func event(kind, body string) events.APIGatewayWebsocketProxyRequest {
	return events.APIGatewayWebsocketProxyRequest{
		Body: body,
		RequestContext: events.APIGatewayWebsocketProxyRequestContext{
			EventType:    kind,
			ConnectionID: "me=",
			ConnectedAt:  connectedAt.UnixMilli(),
			Authorizer: map[string]any{
				"userId": "user", "tokenExp": strconv.FormatInt(tokenExp.Unix(), 10), "principalId": "user",
			},
		},
	}
}

func message(body string) events.APIGatewayWebsocketProxyRequest {
	return event("MESSAGE", body)
}

// request is a record of the test's user.
func request(status protocol.Status, change func(*life.Record)) life.Record {
	r := life.Record{
		Key: life.Key{UserID: "user", RequestID: requestID}, Status: status, Attempt: 2, Owner: "owner", EndSeq: 4,
		Model: life.ModelParameters{ModelID: "model"}, StopReason: "end_turn",
		Usage: &protocol.TokenUsage{InputTokens: 1, OutputTokens: 2},
	}
	if change != nil {
		change(&r)
	}
	return r
}
