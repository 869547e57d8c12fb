// Package connection answers the WebSocket API: it opens and closes connections
// and does what clients ask for over them.
package connection

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/streaming-service/streaming-service/lambdas/internal/handshake"
	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/lambdas/internal/relay"
	"github.com/streaming-service/streaming-service/protocol"
)

// Store is what the WebSocket API needs of the state. Its methods are those of
// dynamo.Store.
type Store interface {
	Record(ctx context.Context, key life.Key) (life.Record, error)
	Chunks(ctx context.Context, requestID, owner string, afterSeq int) ([]life.Chunk, error)
	Connections(ctx context.Context, userID string, consistent bool) ([]life.Connection, error)
	PutConnection(ctx context.Context, connection life.Connection) error
	DeleteConnection(ctx context.Context, connection life.Connection, connectedBefore time.Time) error
}

// Life moves requests on. Its methods are those of life.Service.
type Life interface {
	Cancel(ctx context.Context, key life.Key) (life.Record, error)
	Heal(ctx context.Context, record life.Record) (bool, error)
}

// Sockets posts to connections and closes them. The errors wrap relay.ErrGone
// if the connection does not exist, or not yet.
type Sockets interface {
	Deliver(ctx context.Context, to life.Connection, frame []byte) error
	Close(ctx context.Context, c life.Connection) error
}

// Handler answers the events of the three routes.
type Handler struct {
	Store   Store
	Life    Life
	Sockets Sockets
	Log     *slog.Logger
	// MaxConnections is how many sockets a user may have; the oldest is closed
	// for a new one. 0: any number.
	MaxConnections int
}

// headerProtocol names the subprotocol that the server selects.
const headerProtocol = "Sec-WebSocket-Protocol"

// Handle answers one event. The error of a message is reported by API Gateway to
// the client, without saying what it is.
func (h *Handler) Handle(ctx context.Context, e events.APIGatewayWebsocketProxyRequest) (events.APIGatewayProxyResponse, error) {
	connection, err := connectionOf(e.RequestContext)
	if err != nil {
		return status(http.StatusInternalServerError), err
	}
	switch e.RequestContext.EventType {
	case "CONNECT":
		return h.connect(ctx, connection, handshake.Headers{Single: e.Headers, Multi: e.MultiValueHeaders}), nil
	case "DISCONNECT":
		return h.disconnect(ctx, connection), nil
	case "MESSAGE":
		if err := h.message(ctx, connection, e); err != nil {
			return status(http.StatusInternalServerError), err
		}
		return status(http.StatusOK), nil
	}
	return status(http.StatusInternalServerError), fmt.Errorf("unknown event type %q", e.RequestContext.EventType)
}

func status(code int) events.APIGatewayProxyResponse {
	return events.APIGatewayProxyResponse{StatusCode: code}
}

// connectionOf reads whose connection an event is about, as the authorizer
// established it.
func connectionOf(rc events.APIGatewayWebsocketProxyRequestContext) (life.Connection, error) {
	granted, _ := rc.Authorizer.(map[string]any)
	userID, _ := granted[handshake.ContextUserID].(string)
	if userID == "" || rc.ConnectionID == "" {
		return life.Connection{}, errors.New("the event names no user or no connection")
	}
	expires, _ := granted[handshake.ContextTokenExpires].(string)
	seconds, err := strconv.ParseInt(expires, 10, 64)
	if err != nil {
		return life.Connection{}, errors.New("the event does not say when the token expires")
	}
	connected := time.UnixMilli(rc.ConnectedAt)
	return life.Connection{
		UserID:       userID,
		ConnectionID: rc.ConnectionID,
		ConnectedAt:  connected,
		TokenExpires: time.Unix(seconds, 0),
		ExpiresAt:    connected.Add(life.ConnectionTTL),
	}, nil
}

// connect stores the connection before the socket opens, so that no frame after
// the handshake misses it.
func (h *Handler) connect(ctx context.Context, c life.Connection, headers handshake.Headers) events.APIGatewayProxyResponse {
	if !headers.OffersProtocol() {
		return status(http.StatusBadRequest)
	}
	if err := h.Store.PutConnection(ctx, c); err != nil {
		h.Log.ErrorContext(ctx, "cannot store a connection", "error", err)
		return status(http.StatusInternalServerError)
	}
	h.evict(ctx, c)
	response := status(http.StatusOK)
	response.Headers = map[string]string{headerProtocol: protocol.Subprotocol}
	return response
}

// evict closes the user's oldest connections if newest is one too many. Those
// that are newer still, of clients that connect at once, are left to each other.
// It does what it can: a socket more is no reason to refuse one.
func (h *Handler) evict(ctx context.Context, newest life.Connection) {
	if h.MaxConnections <= 0 {
		return
	}
	all, err := h.Store.Connections(ctx, newest.UserID, true)
	if err != nil {
		h.Log.WarnContext(ctx, "cannot list connections", "error", err)
		return
	}
	others := slices.DeleteFunc(all, func(c life.Connection) bool { return c.ConnectionID == newest.ConnectionID })
	slices.SortFunc(others, func(a, b life.Connection) int { return a.ConnectedAt.Compare(b.ConnectedAt) })
	for _, c := range others[:max(0, len(others)+1-h.MaxConnections)] {
		if c.ConnectedAt.After(newest.ConnectedAt) {
			return
		}
		if err := h.close(ctx, c, newest.ConnectedAt.Add(-life.GoneGrace)); err != nil {
			h.Log.WarnContext(ctx, "cannot close the oldest connection", "error", err)
		}
	}
}

// close ends a connection and forgets it. One that is gone is forgotten only if
// it connected before opened: a younger one may still open, and would then stay
// without frames.
func (h *Handler) close(ctx context.Context, c life.Connection, opened time.Time) error {
	err := h.Sockets.Close(ctx, c)
	switch {
	case errors.Is(err, relay.ErrGone):
		return h.Store.DeleteConnection(ctx, c, opened)
	case err != nil:
		return err
	}
	return h.Store.DeleteConnection(ctx, c, time.Time{})
}

// disconnect forgets the connection. If it cannot, or is never called, the next
// post to the socket does, and at last its expiry.
func (h *Handler) disconnect(ctx context.Context, c life.Connection) events.APIGatewayProxyResponse {
	if err := h.Store.DeleteConnection(ctx, c, time.Time{}); err != nil {
		h.Log.WarnContext(ctx, "cannot forget a connection", "error", err)
	}
	return status(http.StatusOK)
}
