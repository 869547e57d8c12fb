package connection

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/aws/aws-lambda-go/events"

	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/lambdas/internal/relay"
	"github.com/streaming-service/streaming-service/protocol"
)

// errInvalid says, in words for the client, what is wrong with its frame.
type errInvalid string

func (e errInvalid) Error() string { return string(e) }

// parse reads a client's frame. Its error is an errInvalid, which quotes nothing.
func parse(body string, binary bool) (protocol.ClientFrame, error) {
	var frame protocol.ClientFrame
	if binary {
		return frame, errInvalid("The frame must be text.")
	}
	if err := json.Unmarshal([]byte(body), &frame); err != nil {
		return frame, errInvalid("The frame must be a JSON object with the fields of its action.")
	}
	switch frame.Action {
	case protocol.ActionPing:
		return frame, nil
	case protocol.ActionCancel, protocol.ActionResume:
	default:
		return frame, errInvalid("The action must be ping, cancel or resume.")
	}
	switch {
	case frame.RequestID == "":
		return frame, errInvalid("The field requestId is missing.")
	case frame.Attempt != nil && *frame.Attempt < 0:
		return frame, errInvalid("The field attempt must be at least 0.")
	case frame.AfterSeq != nil && *frame.AfterSeq < -1:
		return frame, errInvalid("The field afterSeq must be at least -1.")
	}
	return frame, nil
}

// message does what the client asks for and answers it on its socket. Any valid
// frame proves that the socket lives, so its row is written again.
func (h *Handler) message(ctx context.Context, c life.Connection, e events.APIGatewayWebsocketProxyRequest) error {
	frame, err := parse(e.Body, e.IsBase64Encoded)
	if err != nil {
		return h.reply(ctx, c, protocol.NoticeFrame(protocol.CodeInvalidMessage, err.Error()))
	}
	if err := h.Store.PutConnection(ctx, c); err != nil {
		return fmt.Errorf("keeping the connection: %w", err)
	}
	switch key := (life.Key{UserID: c.UserID, RequestID: frame.RequestID}); {
	case frame.Action == protocol.ActionPing:
		return h.reply(ctx, c, protocol.PongFrame())
	case !life.ValidRequestID(frame.RequestID):
		err = life.ErrNotFound
	case frame.Action == protocol.ActionCancel:
		// The end frame goes to every socket of the user, this one included.
		_, err = h.Life.Cancel(ctx, key)
	case frame.Action == protocol.ActionResume:
		err = h.resume(ctx, c, key, frame)
	}
	if errors.Is(err, life.ErrNotFound) {
		return h.reply(ctx, c, protocol.NoticeFrame(protocol.CodeNotFound, "There is no such request."))
	}
	return err
}

// reply posts a frame to the client's own socket. A client that has gone needs
// no answer.
func (h *Handler) reply(ctx context.Context, c life.Connection, frame protocol.Frame) error {
	err := h.Sockets.Deliver(ctx, c, frame.Encode())
	if errors.Is(err, relay.ErrGone) {
		return nil
	}
	return err
}
