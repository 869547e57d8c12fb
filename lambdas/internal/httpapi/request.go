package httpapi

import (
	"encoding/base64"
	"net/textproto"

	"github.com/aws/aws-lambda-go/events"

	"github.com/streaming-service/streaming-service/lambdas/internal/caller"
	"github.com/streaming-service/streaming-service/protocol"
)

// Request is a call of the REST API, as far as the handlers look at it.
type Request struct {
	caller.Caller
	PathParameters map[string]string
	Body           []byte
	header         map[string][]string // by canonical name
}

// Header returns the values of a header, whose name is found in any case: API
// Gateway passes names on as the client wrote them.
func (r Request) Header(name string) []string {
	return r.header[textproto.CanonicalMIMEHeaderKey(name)]
}

// NewRequest returns a call for tests of handlers.
func NewRequest(userID string, groups []string, header map[string]string, body []byte) Request {
	return Request{Caller: caller.Caller{UserID: userID, Groups: groups}, Body: body, header: foldHeaders(header, nil)}
}

func foldHeaders(single map[string]string, multi map[string][]string) map[string][]string {
	folded := make(map[string][]string, len(single)+len(multi))
	for name, values := range multi {
		key := textproto.CanonicalMIMEHeaderKey(name)
		folded[key] = append(folded[key], values...)
	}
	for name, value := range single {
		key := textproto.CanonicalMIMEHeaderKey(name)
		if len(folded[key]) == 0 {
			folded[key] = []string{value}
		}
	}
	return folded
}

func bodyOf(event events.APIGatewayProxyRequest) ([]byte, error) {
	if !event.IsBase64Encoded {
		return []byte(event.Body), nil
	}
	body, err := base64.StdEncoding.DecodeString(event.Body)
	if err != nil {
		return nil, Invalid(protocol.FieldError{Field: "body", Message: "must be base64 where it says so"})
	}
	return body, nil
}
