package processor

import (
	"strconv"
	"time"

	"github.com/aws/aws-lambda-go/events"
)

// sentAt is when a message was sent; zero if that is not known.
func sentAt(m *events.SQSMessage) time.Time {
	ms, err := strconv.ParseInt(m.Attributes["SentTimestamp"], 10, 64)
	if err != nil {
		return time.Time{}
	}
	return time.UnixMilli(ms)
}
