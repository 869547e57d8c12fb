// Package handshake reads the headers of a WebSocket opening handshake, and of
// other calls that the authorizer decides on. Header names are found in any
// case: API Gateway passes them on as the client wrote them.
package handshake

import (
	"slices"
	"strings"

	"github.com/streaming-service/streaming-service/protocol"
)

// Headers are the headers of an API Gateway event.
type Headers struct {
	Single map[string]string
	Multi  map[string][]string
}

// Values returns every value of the header with this name.
func (h Headers) Values(name string) []string {
	var values []string
	for key, v := range h.Multi {
		if strings.EqualFold(key, name) {
			values = append(values, v...)
		}
	}
	if values != nil {
		return values
	}
	for key, v := range h.Single {
		if strings.EqualFold(key, name) {
			values = append(values, v)
		}
	}
	return values
}

// Value returns the first value of the header with this name, or "".
func (h Headers) Value(name string) string {
	if values := h.Values(name); len(values) > 0 {
		return strings.TrimSpace(values[0])
	}
	return ""
}

// Offered returns the subprotocols that the client offers, in its order.
func (h Headers) Offered() []string {
	var offered []string
	for _, line := range h.Values("Sec-WebSocket-Protocol") {
		for value := range strings.SplitSeq(line, ",") {
			if value = strings.TrimSpace(value); value != "" {
				offered = append(offered, value)
			}
		}
	}
	return offered
}

// OffersProtocol reports whether the client offers the service's subprotocol.
func (h Headers) OffersProtocol() bool {
	return slices.Contains(h.Offered(), protocol.Subprotocol)
}

// Token returns the token that the client presents, or "": an offered value
// with the shape of a JWT, else the Authorization header, whose scheme may be
// Bearer or left out.
func (h Headers) Token() string {
	for _, value := range h.Offered() {
		if value != protocol.Subprotocol && strings.Count(value, ".") == 2 {
			return value
		}
	}
	return h.Authorization()
}

// Authorization returns the credential in the Authorization header, whose
// scheme may be Bearer or left out; "" without one, and with several.
func (h Headers) Authorization() string {
	values := h.Values("Authorization")
	if len(values) != 1 {
		return ""
	}
	value := strings.TrimSpace(values[0])
	if scheme, credential, found := strings.Cut(value, " "); found && strings.EqualFold(scheme, "Bearer") {
		return strings.TrimSpace(credential)
	}
	return value
}
