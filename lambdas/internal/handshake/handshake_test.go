package handshake_test

import (
	"slices"
	"testing"

	"github.com/streaming-service/streaming-service/lambdas/internal/handshake"
)

func TestHeadersAreFoundInAnyCase(t *testing.T) {
	t.Parallel()
	const jwt = "head.claims.signature"
	tests := []struct {
		name      string
		headers   handshake.Headers
		wantOffer bool
		wantToken string
	}{
		{"browser", single("Sec-WebSocket-Protocol", "streaming.v1, "+jwt), true, jwt},
		{"canonicalised by Go", single("Sec-Websocket-Protocol", "streaming.v1,"+jwt), true, jwt},
		{"lower-cased by HTTP/2", single("sec-websocket-protocol", "streaming.v1 ,  "+jwt), true, jwt},
		{"two header lines", handshake.Headers{
			Single: map[string]string{"Sec-WebSocket-Protocol": jwt},
			Multi:  map[string][]string{"sec-websocket-protocol": {"streaming.v1", jwt}},
		}, true, jwt},
		{"bearer", handshake.Headers{Single: map[string]string{
			"Sec-WebSocket-Protocol": "streaming.v1", "authorization": "bearer  " + jwt,
		}}, true, jwt},
		{"raw authorization", handshake.Headers{Single: map[string]string{
			"Sec-WebSocket-Protocol": "streaming.v1, something", "AUTHORIZATION": jwt,
		}}, true, jwt},
		{"token without subprotocol", single("Sec-WebSocket-Protocol", jwt), false, jwt},
		{"subprotocol of another version", single("Sec-WebSocket-Protocol", "streaming.v2, "+jwt), false, jwt},
		{"subprotocol in another case", single("Sec-WebSocket-Protocol", "Streaming.V1"), false, ""},
		{"nothing", handshake.Headers{}, false, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := tt.headers.OffersProtocol(); got != tt.wantOffer {
				t.Errorf("OffersProtocol() = %v, want %v", got, tt.wantOffer)
			}
			if got := tt.headers.Token(); got != tt.wantToken {
				t.Errorf("Token() = %q, want %q", got, tt.wantToken)
			}
		})
	}
}

func single(name, value string) handshake.Headers {
	return handshake.Headers{Single: map[string]string{name: value}}
}

func FuzzHeaders(f *testing.F) {
	f.Add("Sec-WebSocket-Protocol", "streaming.v1, a.b.c", "Bearer a.b.c")
	f.Add("sec-websocket-protocol", ",,, ,", "Bearer ")
	f.Fuzz(func(t *testing.T, name, offered, authorization string) {
		h := handshake.Headers{Single: map[string]string{name: offered, "Authorization": authorization}}
		if h.OffersProtocol() != slices.Contains(h.Offered(), "streaming.v1") {
			t.Errorf("OffersProtocol() disagrees with Offered() = %q", h.Offered())
		}
		if slices.Contains(h.Offered(), "") {
			t.Errorf("an empty offer in %q", h.Offered())
		}
	})
}
