package completions_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/streaming-service/streaming-service/lambdas/internal/httpapi"
	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/lambdas/internal/model"
	"github.com/streaming-service/streaming-service/protocol"
)

// TestPagesOfTheSite read answers though the list names others.
func TestPagesOfTheSite(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.API.AllowedOrigins = []string{"https://a.example"}
	for variable, want := range map[string]string{"https://app.example.com": "https://app.example.com", "https://other.example.com": ""} {
		e := event("", streamed)
		e.StageVariables = map[string]string{"siteOrigin": variable}
		pending, err := w.Serve(t.Context(), e)
		if err != nil {
			t.Fatal(err)
		}
		response := pending.Begin()
		text(t, response)
		if got := response.Headers["Access-Control-Allow-Origin"]; got != want {
			t.Errorf("with the site at %s a page of https://app.example.com is allowed %q, want %q", variable, got, want)
		}
	}
}

func TestStreamedAnswer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	response := w.post(t, "", streamed)
	body := text(t, response)
	list := data(body)
	if response.StatusCode != 200 || response.Headers["Content-Type"] != "text/event-stream; charset=utf-8" || said(t, body) != "Hello, world" {
		t.Fatalf("status %d, headers %v, body %s", response.StatusCode, response.Headers, body)
	}
	if response.Headers["Access-Control-Allow-Origin"] != "https://app.example.com" || response.Headers["x-ratelimit-remaining-requests"] != "9" {
		t.Errorf("headers %v", response.Headers)
	}
	tail := list[len(list)-3:]
	if !strings.Contains(tail[0], `"finish_reason":"stop"`) || !strings.Contains(tail[1], `"choices":[]`) ||
		!strings.Contains(tail[1], `"prompt_tokens":7,"completion_tokens":3,"total_tokens":10`) || tail[2] != "[DONE]" {
		t.Errorf("ends with %q", tail)
	}
	if r := w.record(t, response); r.Status != protocol.StatusSucceeded || r.Attempt != 1 {
		t.Errorf("record %+v", r)
	}
	if m := w.month(t); m.Used != 1 || m.Tokens != 10 || m.Reserved() != 0 || w.account(t).InFlight != 0 {
		t.Errorf("month %+v", m)
	}
}

func TestAnswerInOnePiece(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	response := w.post(t, "", plain)
	body := text(t, response)
	if response.StatusCode != 200 || !strings.Contains(body, `"message":{"role":"assistant","content":"Hello, world","refusal":null}`) ||
		!strings.Contains(body, `"total_tokens":10`) || !strings.Contains(body, `"id":"chatcmpl-`+response.Headers["x-request-id"]) {
		t.Errorf("status %d, body %s", response.StatusCode, body)
	}
}

// A word is read while the model thinks about the next: nothing collects them.
func TestEveryWordLeavesAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	next := make(chan string)
	w.answer = func(_ context.Context, _ int, write func(string)) (model.Answer, error) {
		for word := range next {
			write(word)
		}
		return model.Answer{StopReason: "end_turn"}, nil
	}
	go func() { next <- "one" }()
	response := w.post(t, "", streamed)
	buffer := make([]byte, 1<<16)
	n := 0
	for !strings.Contains(string(buffer[:n]), `"content":"one"`) {
		more, err := response.Body.Read(buffer[n:])
		if err != nil {
			t.Fatalf("%v after %s", err, buffer[:n])
		}
		n += more
	}
	next <- "two"
	close(next)
	if rest := text(t, response); !strings.Contains(rest, `"content":"two"`) {
		t.Errorf("rest %s", rest)
	}
}

// The message that brings another attempt arrives when the lease of this one can
// be taken over. One that arrives at once means that this one gave up.
func TestAnotherAttemptIsOnItsWay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	response := w.post(t, "", streamed)
	text(t, response)
	later := w.standing
	if len(later) != 1 || later[0].key.RequestID != response.Headers["x-request-id"] || later[0].after != life.DefaultLease+life.Skew+time.Second {
		t.Errorf("sent to arrive later: %v", later)
	}
	if len(w.messages()) != 0 {
		t.Errorf("sent %v, although the request has ended", w.messages())
	}
}

func TestFailures(t *testing.T) {
	t.Parallel()
	throttled := &model.Failure{Code: protocol.CodeModelThrottled, Err: errors.New("slow down")}
	broken := &model.Failure{Code: protocol.CodeModelError, Retryable: true, Err: errors.New("broke off")}
	filtered := &model.Failure{Code: protocol.CodeContentFiltered}
	tests := []struct {
		name       string
		body       string
		words      []string
		err        error
		wantStatus int
		wantCode   string // of the error
		wantUsed   int64
	}{
		{"before the first word", streamed, nil, throttled, 503, "model_throttled", 0},
		{"before the first word, in one piece", plain, nil, throttled, 503, "model_throttled", 0},
		{"after a word", streamed, []string{"Hel"}, broken, 200, "model_error", 0},
		{"filtered", streamed, []string{"Hel"}, filtered, 200, "", 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.answer = func(_ context.Context, _ int, write func(string)) (model.Answer, error) {
				for _, word := range tt.words {
					write(word)
				}
				return model.Answer{}, tt.err
			}
			response := w.post(t, "", tt.body)
			body := text(t, response)
			last := data(body)[len(data(body))-1]
			switch {
			case response.StatusCode != tt.wantStatus:
				t.Errorf("status %d, body %s", response.StatusCode, body)
			case tt.wantCode == "" && last != "[DONE]":
				t.Errorf("ends with %s", last)
			case tt.wantCode != "" && errorOf(t, last) != tt.wantCode:
				t.Errorf("ends with %s", last)
			}
			if tt.wantStatus == 503 && response.Headers["Retry-After"] == "" {
				t.Errorf("headers %v", response.Headers)
			}
			if got := w.month(t).Used; got != tt.wantUsed {
				t.Errorf("%d requests are charged, want %d", got, tt.wantUsed)
			}
			if r := w.record(t, response); !r.Status.Terminal() || r.Attempt != 1 {
				t.Errorf("record %+v: another attempt would say something else", r)
			}
		})
	}
}

func TestCancelledMeanwhile(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	begun := make(chan struct{})
	w.answer = func(ctx context.Context, _ int, write func(string)) (model.Answer, error) {
		write("Hel")
		close(begun)
		<-ctx.Done()
		return model.Answer{}, context.Cause(ctx)
	}
	response := w.post(t, "", streamed)
	<-begun
	key := life.Key{UserID: "u", RequestID: response.Headers["x-request-id"]}
	if _, err := w.db.RequestCancel(t.Context(), key, time.Now()); err != nil {
		t.Fatal(err)
	}
	list := data(text(t, response))
	if code := errorOf(t, list[len(list)-1]); code != "cancelled" {
		t.Errorf("ends with %s", list[len(list)-1])
	}
	if m := w.month(t); m.Used != 1 || m.Tokens == 0 || m.Reserved() != 0 {
		t.Errorf("month %+v", m)
	}
}

func TestSameKeyFollows(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	begun, goOn := make(chan struct{}), make(chan struct{})
	w.answer = func(_ context.Context, _ int, write func(string)) (model.Answer, error) {
		write("Hello")
		close(begun)
		<-goOn
		write(", world")
		return model.Answer{StopReason: "max_tokens", Usage: &protocol.TokenUsage{InputTokens: 1, OutputTokens: 2}}, nil
	}
	first := w.post(t, "key", streamed)
	<-begun
	followers := make(chan string, 2)
	for range 2 {
		go func() { followers <- text(t, w.post(t, "key", streamed)) }()
	}
	time.Sleep(300 * time.Millisecond) // they follow now
	close(goOn)
	for _, body := range []string{text(t, first), <-followers, <-followers, text(t, w.post(t, "key", streamed))} {
		if said(t, body) != "Hello, world" || !strings.Contains(body, `"finish_reason":"length"`) || !strings.HasSuffix(body, "data: [DONE]\n\n") {
			t.Errorf("body %s", body)
		}
	}
	if w.modelCalls() != 1 || w.month(t).Used != 1 {
		t.Errorf("%d model calls, month %+v", w.modelCalls(), w.month(t))
	}
}

// What died before its first word is answered by the attempt of somebody else.
func TestFollowsTheNextAttempt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.answer = func(ctx context.Context, _ int, _ func(string)) (model.Answer, error) {
		return model.Answer{}, errors.New("no failure of the model") // as when the function's time is over
	}
	done := make(chan string)
	go func() { done <- text(t, w.post(t, "", streamed)) }()
	for len(w.messages()) < 1 {
		time.Sleep(time.Millisecond)
	}
	key := w.messages()[0].key
	record, err := w.db.Claim(t.Context(), key, life.Claim{Owner: "processor", Now: time.Now(), Lease: life.DefaultLease})
	if err != nil {
		t.Fatal(err)
	}
	w.answer = says("from the queue")
	w.Attempts.Run(t.Context(), record, holdNothing)
	if body := <-done; said(t, body) != "from the queue" || record.Attempt != 2 {
		t.Errorf("attempt %d, body %s", record.Attempt, body)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, body string
		key        string
		wantStatus int
		wantCode   string
	}{
		{"not JSON", `{`, "", 400, ""},
		{"a parameter nobody knows", `{"model":"m","messages":[{"role":"user","content":"hi"}],"temprature":1}`, "", 400, "unknown_parameter"},
		{"more choices", `{"model":"m","messages":[{"role":"user","content":"hi"}],"n":2}`, "", 400, "unsupported_parameter"},
		{"another model", `{"model":"gpt","messages":[{"role":"user","content":"hi"}]}`, "", 404, "model_not_found"},
		{"more than the deployment allows", `{"model":"m","max_tokens":101,"messages":[{"role":"user","content":"hi"}]}`, "", 400, "invalid_value"},
		{"a bad key", plain, "with space", 400, "invalid_value"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			response := w.post(t, tt.key, tt.body)
			body := text(t, response)
			if response.StatusCode != tt.wantStatus || errorOf(t, body) != tt.wantCode {
				t.Errorf("status %d, body %s", response.StatusCode, body)
			}
			if w.month(t).Used != 0 || w.modelCalls() != 0 {
				t.Error("something was admitted")
			}
		})
	}
}

func TestQuotaExceeded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for range 10 {
		text(t, w.post(t, "", plain))
	}
	response := w.post(t, "", streamed)
	if body := text(t, response); response.StatusCode != 429 || errorOf(t, body) != "insufficient_quota" ||
		response.Headers["Retry-After"] == "" || response.Headers["x-should-retry"] != "false" {
		t.Errorf("status %d, headers %v, body %s", response.StatusCode, response.Headers, body)
	}
}

func TestModels(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	event := events.APIGatewayProxyRequest{
		HTTPMethod: "GET", Resource: httpapi.ResourceModels,
		RequestContext: events.APIGatewayProxyRequestContext{
			Authorizer: map[string]any{"claims": map[string]any{"sub": "u", "aud": "client", "token_use": "id"}},
		},
	}
	pending, _ := w.Serve(t.Context(), event)
	response := pending.Begin()
	if body := text(t, response); !strings.Contains(body, `{"id":"m",`) || !strings.Contains(body, `{"id":"n",`) {
		t.Errorf("body %s", body)
	}
	event.RequestContext.Authorizer = nil
	pending, _ = w.Serve(t.Context(), event)
	response = pending.Begin()
	if body := text(t, response); response.StatusCode != 401 || errorOf(t, body) != "invalid_api_key" {
		t.Errorf("status %d, body %s", response.StatusCode, body)
	}
}

// Every read before the first word is time that its reader waits.
func TestNothingIsReadThatIsKnown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	text(t, w.post(t, "", streamed))
	reads := 0
	for _, call := range w.db.Calls() {
		if call.Operation == "GetItem" {
			reads++
		}
	}
	if reads != 1 { // of the account
		t.Errorf("%d items were read", reads)
	}
}
