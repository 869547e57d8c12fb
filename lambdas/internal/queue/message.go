package queue

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/protocol"
)

// ErrUnreadable says that a message will never be understood.
var ErrUnreadable = errors.New("unreadable message")

// message is the body of a queue message: a claim check, never a prompt.
type message struct {
	Version   int    `json:"v"`
	UserID    string `json:"userId"`
	RequestID string `json:"requestId"`
}

// Encode returns the body of the message for a request.
func Encode(key life.Key) string {
	return string(protocol.Encode(message{protocol.Version, key.UserID, key.RequestID}))
}

// Decode reads the body of a message. The error is ErrUnreadable if it is none
// of this service's, and never quotes it. Fields that a later version adds are
// ignored.
func Decode(body string) (life.Key, error) {
	var m message
	decoder := json.NewDecoder(bytes.NewBufferString(body))
	if err := decoder.Decode(&m); err != nil {
		return life.Key{}, fmt.Errorf("%w: not JSON", ErrUnreadable)
	}
	switch {
	case decoder.More():
		return life.Key{}, fmt.Errorf("%w: more than one value", ErrUnreadable)
	case m.Version != protocol.Version:
		return life.Key{}, fmt.Errorf("%w: version %d", ErrUnreadable, m.Version)
	case m.UserID == "" || !life.ValidRequestID(m.RequestID):
		return life.Key{}, fmt.Errorf("%w: no request", ErrUnreadable)
	}
	return life.Key{UserID: m.UserID, RequestID: m.RequestID}, nil
}

// SentAt is when a message was first sent; the zero time if it does not say.
func SentAt(m events.SQSMessage) time.Time {
	ms, err := strconv.ParseInt(m.Attributes["SentTimestamp"], 10, 64)
	if err != nil {
		return time.Time{}
	}
	return time.UnixMilli(ms)
}
