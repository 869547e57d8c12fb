package e2e_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/streaming-service/streaming-service/internal/localcloud/bedrock"
	"github.com/streaming-service/streaming-service/internal/localcloud/localcloudtest"
	"github.com/streaming-service/streaming-service/lambdas/operator"
)

// complete asks for a completion and reads how it begins.
func (p *person) complete(body any, header ...string) *localcloudtest.Completion {
	p.t.Helper()
	return p.Complete(p.t, p.token(), body, header...)
}

// wantCompletion expects an answer that is whole, and says what the model said.
func wantCompletion(t *testing.T, c *localcloudtest.Completion, text string) {
	t.Helper()
	if c.Status != http.StatusOK || !c.Done || c.Broken != nil || c.Text != text || c.Reason != "stop" {
		t.Fatalf("got %+v, want %q", c, text)
	}
}

// wantRefused expects an error as OpenAI has it, and no request.
func wantRefused(t *testing.T, c *localcloudtest.Completion, status int, code string) {
	t.Helper()
	if c.Read(t); c.Status != status || !c.Error.Is(code) || c.Error.Message == "" || c.ID() != "" {
		t.Errorf("got %d %+v, want %d %s", c.Status, c.Error, status, code)
	}
}

func TestCompletions(t *testing.T) {
	t.Parallel()
	p := newPerson(t, cloud(t))
	const prompt, script = "Hello", "tokens=40 rate=200"
	want := bedrock.ScriptedText(prompt, script)
	socket := p.dial()

	body := localcloudtest.Chat(prompt, script, true)
	body["stream_options"] = map[string]any{"include_usage": true}
	c := p.complete(body).Read(t)
	wantCompletion(t, c, want)
	s := p.state(c.ID())
	if s.Status != "succeeded" || s.Text != want || s.Attempt != 1 || c.Usage == nil ||
		c.Usage.PromptTokens != s.Usage.InputTokens || c.Usage.CompletionTokens != s.Usage.OutputTokens || c.Usage.TotalTokens != s.Usage.InputTokens+s.Usage.OutputTokens {
		t.Errorf("GET has %+v, the stream %+v", s, c.Usage)
	}
	r := newReader(c.ID())
	r.follow(t, socket, r.complete)
	if r.text() != want || r.end.Type != "done" || r.attempt != 1 {
		t.Errorf("the socket had %q, %s", r.text(), r.end.Raw)
	}

	whole := p.complete(localcloudtest.Chat(prompt, script, false)).Read(t)
	wantCompletion(t, whole, want)
	if whole.Usage == nil || whole.Usage.CompletionTokens != c.Usage.CompletionTokens {
		t.Errorf("usage %+v, streamed %+v", whole.Usage, c.Usage)
	}
	short := localcloudtest.Chat(prompt, script, true)
	short["max_tokens"] = 5
	if c := p.complete(short).Read(t); c.Reason != "length" || !strings.HasPrefix(want, c.Text) || !c.Done {
		t.Errorf("cut at max_tokens: %+v", c)
	}
	if got := opens(t, p.Harness, p.token()); got.Status != 200 || !strings.Contains(string(got.Body), `"global.amazon.nova-2-lite-v1:0"`) {
		t.Errorf("models: %d %s", got.Status, got.Body)
	}
	if u := p.settled(); u.Requests.Used != 3 || u.Tokens.Reserved != 0 {
		t.Errorf("usage %+v", u)
	}
}

// What is cancelled ends on the stream, too, and is charged.
func TestCompletionIsCancelled(t *testing.T) {
	t.Parallel()
	p := newPerson(t, cloud(t))
	c := p.complete(localcloudtest.Chat("Stop", "tokens=600 rate=20", true))
	for c.Text == "" && c.Next(t) {
	}
	if answer := p.call("DELETE", "/requests/"+c.ID(), nil); answer.Status != http.StatusAccepted {
		t.Fatalf("cancelling: %d %s", answer.Status, answer.Body)
	}
	if c.Read(t); !c.Error.Is("cancelled") || c.Done || c.Broken != nil {
		t.Errorf("the stream ended with %+v", c)
	}
	if s := p.await(c.ID(), "cancelled"); s.Text != c.Text {
		t.Errorf("read %q, GET has %q", c.Text, s.Text)
	}
	if u := p.settled(); u.Requests.Used != 1 || u.Tokens.Used == 0 {
		t.Errorf("usage %+v", u)
	}
}

// Nobody reads on, no socket is open, and the deployment ends what nobody
// follows: an answer of this API still comes to its end, and can be read.
func TestCompletionOutlivesItsClient(t *testing.T) {
	t.Parallel()
	p := newPerson(t, ownCloud(t, "streaming.onDisconnect=cancel"))
	const prompt, script = "Go on", "tokens=60 rate=30"
	c := p.complete(localcloudtest.Chat(prompt, script, true), "Idempotency-Key", "left")
	for c.Text == "" && c.Next(t) {
	}
	c.HangUp()
	want := bedrock.ScriptedText(prompt, script)
	if s := p.await(c.ID(), "succeeded"); s.Text != want || s.Attempt != 1 {
		t.Errorf("GET has %+v", s)
	}
	again := p.complete(localcloudtest.Chat(prompt, script, true), "Idempotency-Key", "left").Read(t)
	wantCompletion(t, again, want)
	if again.ID() != c.ID() {
		t.Errorf("the replay is %s, the request %s", again.ID(), c.ID())
	}
	if u := p.settled(); u.Requests.Used != 1 {
		t.Errorf("usage %+v", u)
	}
}

// Calls with one key follow one answer, however they ask for it.
func TestCompletionsOfOneKey(t *testing.T) {
	t.Parallel()
	p := newPerson(t, cloud(t))
	const prompt, script = "Once", "tokens=60 rate=30"
	want := bedrock.ScriptedText(prompt, script)
	answers := make([]*localcloudtest.Completion, 4)
	together(len(answers), func(i int) {
		answers[i] = p.complete(localcloudtest.Chat(prompt, script, true), "Idempotency-Key", "one").Read(t)
	})
	for _, c := range answers {
		wantCompletion(t, c, want)
		if c.ID() != answers[0].ID() {
			t.Errorf("%s and %s have one key", c.ID(), answers[0].ID())
		}
	}
	wantRefused(t, p.complete(localcloudtest.Chat("Other", script, true), "Idempotency-Key", "one"), http.StatusConflict, "idempotency_conflict")
	if u := p.settled(); u.Requests.Used != 1 {
		t.Errorf("usage %+v", u)
	}
}

func TestCompletionsRefused(t *testing.T) {
	t.Parallel()
	p := newPerson(t, ownCloud(t, "quota.monthlyRequests=1", "auth.allowedOrigins[0]=https://app.example"))
	valid := localcloudtest.Chat("Hello", "tokens=3 rate=0", true)

	wantRefused(t, p.Complete(t, "ssk_wrong", valid), http.StatusUnauthorized, "invalid_api_key")
	misspelt := localcloudtest.Chat("Hello", "tokens=3 rate=0", true)
	misspelt["temprature"] = 1
	c := p.complete(misspelt)
	wantRefused(t, c, http.StatusBadRequest, "unknown_parameter")
	if c.Error.Param == nil || *c.Error.Param != "temprature" {
		t.Errorf("the error names %v", c.Error.Param)
	}
	if u := p.usage(); u.Requests.Used != 0 || u.InFlight != 0 {
		t.Errorf("something was admitted: %+v", u)
	}
	preflight := p.Rest(t, "", "OPTIONS", "/openai/v1/chat/completions", nil,
		"Origin", "https://app.example", "Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "authorization,content-type")
	if preflight.Status != http.StatusNoContent || preflight.Header.Get("Access-Control-Allow-Origin") != "https://app.example" {
		t.Errorf("preflight: %d %v", preflight.Status, preflight.Header)
	}
	for origin, want := range map[string]string{"https://app.example": "https://app.example", "https://evil.example": ""} {
		if c := p.complete(misspelt, "Origin", origin); c.Header.Get("Access-Control-Allow-Origin") != want {
			t.Errorf("a page of %s gets %v", origin, c.Header)
		}
	}
	if c := p.complete(valid, "Origin", "https://app.example").Read(t); !c.Done || c.Header.Get("Access-Control-Allow-Origin") != "https://app.example" {
		t.Errorf("got %+v", c)
	}
	c = p.complete(valid)
	wantRefused(t, c, http.StatusTooManyRequests, "insufficient_quota")
	if c.Header.Get("Retry-After") == "" || c.Header.Get("X-Should-Retry") != "false" {
		t.Errorf("headers %v", c.Header)
	}
}

// A model that takes its time is heard of, and then answers.
func TestSlowFirstWordOfACompletion(t *testing.T) {
	t.Parallel()
	p := newPerson(t, cloud(t))
	const prompt, script = "Think", "tokens=5 rate=0 delay=31000"
	begun := time.Now()
	c := p.complete(localcloudtest.Chat(prompt, script, true))
	if waited := time.Since(begun); c.Status != 200 || c.ID() == "" || waited < 14*time.Second {
		t.Errorf("status %d after %v", c.Status, waited)
	}
	c.Read(t)
	wantCompletion(t, c, bedrock.ScriptedText(prompt, script))
	if c.Heartbeats == 0 {
		t.Error("the silence has no comment")
	}
}

// A block and a revoked key stop the next call. What runs comes to its end.
func TestWhatRunsIsLeftToEnd(t *testing.T) {
	t.Parallel()
	h := keyCloud(t)
	tool, err := operator.Connect(t.Context(), operator.Target{
		Function: h.Config.FunctionARNs["quota"], UserPoolID: h.Config.UserPoolID, Endpoint: h.URL, Region: h.Config.Region,
	})
	if err != nil {
		t.Fatal(err)
	}
	const prompt, script = "Hold on", "tokens=120 rate=40"
	for name, act := range map[string]func(*person, string){
		"revoked": func(p *person, keyID string) { p.call("DELETE", "/keys/"+keyID, nil) },
		"blocked": func(p *person, _ string) {
			if err := tool.Block(t.Context(), p.email, operator.Forever); err != nil {
				t.Error(err)
			}
		},
	} {
		p := newPerson(t, h)
		key := p.newKey(name)
		c := p.Complete(t, key.Key, localcloudtest.Chat(prompt, script, true))
		for c.Text == "" && c.Next(t) {
		}
		act(p, key.KeyID)
		if next := p.Complete(t, key.Key, localcloudtest.Chat(prompt, script, true)).Read(t); next.Status != http.StatusUnauthorized || next.Error == nil {
			t.Errorf("%s: the next call got %d %+v", name, next.Status, next.Error)
		}
		wantCompletion(t, c.Read(t), bedrock.ScriptedText(prompt, script))
	}
}
