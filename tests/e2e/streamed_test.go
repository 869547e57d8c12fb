package e2e_test

import (
	"bufio"
	"net/http"
	"strings"
	"testing"

	"github.com/streaming-service/streaming-service/internal/localcloud/localcloudtest"
)

// An answer over HTTP is at the client while the model is still writing it: the
// function streams it, Lambda and API Gateway hand it on.
func TestAnswerOverHTTPComesAsItIsWritten(t *testing.T) {
	t.Parallel()
	h := ownCloud(t)
	p := newPerson(t, h)
	body := `{"model":"global.amazon.nova-2-lite-v1:0","stream":true,"messages":[{"role":"system","content":"script: tokens=200 rate=40"},{"role":"user","content":"Hello"}]}`
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, h.Config.RestURL+"/openai/v1/chat/completions", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+p.token())
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request) // whose answers have no time limit
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	events := bufio.NewScanner(response.Body)
	if response.StatusCode != http.StatusOK || !events.Scan() || !strings.HasPrefix(events.Text(), "data: {") {
		t.Fatalf("%d %q", response.StatusCode, events.Text())
	}
	if s := p.state(response.Header.Get("X-Request-Id")); s.Status != "streaming" {
		t.Errorf("the request is %s at the first event", s.Status)
	}
	last := ""
	for events.Scan() {
		if events.Text() != "" {
			last = events.Text()
		}
	}
	if err := events.Err(); err != nil || last != "data: [DONE]" {
		t.Errorf("ended with %q, %v", last, err)
	}
	var used struct{ Counters map[string]float64 }
	localcloudtest.Eventually(t, patience, "the streamed bytes", func() bool {
		h.Get(t, "/_local/usage", &used)
		return used.Counters["lambda.bytesStreamed"] > 0
	})
}
