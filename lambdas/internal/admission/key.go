package admission

import (
	"fmt"

	"github.com/streaming-service/streaming-service/lambdas/internal/httpapi"
	"github.com/streaming-service/streaming-service/lambdas/internal/jsonobject"
	"github.com/streaming-service/streaming-service/protocol"
)

// HeaderIdempotencyKey is the header that makes a submission safe to repeat.
const HeaderIdempotencyKey = "Idempotency-Key"

// ParseKey reads the values of the Idempotency-Key header; "" is none.
func ParseKey(values []string) (string, *httpapi.Error) {
	switch {
	case len(values) == 0:
		return "", nil
	case len(values) > 1:
		return "", invalidKey("must be given once")
	case !visible(values[0]):
		return "", invalidKey(fmt.Sprintf("must have 1 to %d visible ASCII characters, got %d: %s",
			protocol.MaxIdempotencyKeyLength, len(values[0]), jsonobject.Quote(values[0])))
	}
	return values[0], nil
}

func invalidKey(message string) *httpapi.Error {
	return httpapi.Invalid(protocol.FieldError{Field: HeaderIdempotencyKey, Message: message})
}

func visible(key string) bool {
	if key == "" || len(key) > protocol.MaxIdempotencyKeyLength {
		return false
	}
	for i := range len(key) {
		if key[i] <= ' ' || key[i] > '~' {
			return false
		}
	}
	return true
}
