package localcloud_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/streaming-service/streaming-service/internal/localcloud"
	"github.com/streaming-service/streaming-service/internal/localcloud/localcloudtest"
)

func TestAPromptIsStreamed(t *testing.T) {
	t.Parallel()
	h := localcloudtest.Start(t, localcloud.Options{})
	token := h.Demo(t).IDToken
	socket := h.Dial(t, token)

	id := h.Submit(t, token, localcloudtest.Prompt("Tell me a story", "tokens=60 seed=7"))
	stream := socket.Stream(t, id, 20*time.Second)
	if stream.End.Type != "done" || stream.Frames[0].Type != "start" || stream.Text == "" {
		t.Fatalf("got %+v; the processor logged:\n%s", stream, h.Logs(t, "processor"))
	}

	var state struct {
		Status  string
		Text    string
		LastSeq int
	}
	h.Rest(t, token, http.MethodGet, "/requests/"+id, nil).Decode(t, &state)
	if state.Status != "succeeded" || state.Text != stream.Text {
		t.Errorf("read %+v, want the text of the socket %q", state, stream.Text)
	}

	var used struct {
		Requests struct{ Used int }
		InFlight int
	}
	h.Rest(t, token, http.MethodGet, "/usage", nil).Decode(t, &used)
	if used.Requests.Used != 1 || used.InFlight != 0 {
		t.Errorf("usage %+v, want one request used and none in flight", used)
	}
}
