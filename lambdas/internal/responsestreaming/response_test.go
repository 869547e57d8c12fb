package responsestreaming_test

import (
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/streaming-service/streaming-service/lambdas/internal/responsestreaming"
)

// The first byte goes out long before the response begins, but lets the call of
// the model go first; of a refusal it does not wait.
func TestFirstByteGoesAhead(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ begins, ahead time.Duration }{
		{0, 0}, {time.Millisecond, time.Millisecond}, {time.Minute, 2 * time.Millisecond},
	} {
		t.Run(test.begins.String(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				called := time.Now()
				response := responsestreaming.Awaited(func() *events.APIGatewayProxyStreamingResponse {
					time.Sleep(test.begins)
					return &events.APIGatewayProxyStreamingResponse{StatusCode: 429, Body: strings.NewReader("text")}
				})
				first := make([]byte, 100)
				n, err := response.Read(first)
				if err != nil || string(first[:n]) != "{" || time.Since(called) != test.ahead {
					t.Errorf("read %q, %v after %v, want { after %v", first[:n], err, time.Since(called), test.ahead)
				}
				rest, err := io.ReadAll(iotest.OneByteReader(response))
				if want := `"statusCode":429}` + strings.Repeat("\x00", 8) + "text"; err != nil || string(rest) != want || time.Since(called) != test.begins {
					t.Errorf("then %q, %v after %v, want %q after %v", rest, err, time.Since(called), want, test.begins)
				}
				if got := response.Begin().StatusCode; got != 429 {
					t.Errorf("begins with %d", got)
				}
			})
		})
	}
}
