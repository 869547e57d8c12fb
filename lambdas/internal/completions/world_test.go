package completions_test

import (
	"context"
	"encoding/json"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/streaming-service/streaming-service/internal/environment"
	"github.com/streaming-service/streaming-service/lambdas/internal/admission"
	"github.com/streaming-service/streaming-service/lambdas/internal/attempt"
	"github.com/streaming-service/streaming-service/lambdas/internal/completions"
	"github.com/streaming-service/streaming-service/lambdas/internal/dynamo/dynamotest"
	"github.com/streaming-service/streaming-service/lambdas/internal/httpapi"
	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/lambdas/internal/logging"
	"github.com/streaming-service/streaming-service/lambdas/internal/model"
	"github.com/streaming-service/streaming-service/lambdas/internal/relay"
	"github.com/streaming-service/streaming-service/lambdas/internal/sockets"
	"github.com/streaming-service/streaming-service/protocol"
)

// holdNothing is an attempt that nobody reads.
var holdNothing = attempt.Hold{}

// message is what was sent to the queue.
type message struct {
	key   life.Key
	after time.Duration
}

// world is the function on a real store, with a model of the test's making.
type world struct {
	*completions.Function
	db     *dynamotest.Database
	answer func(ctx context.Context, call int, write func(string)) (model.Answer, error)

	mu       sync.Mutex
	calls    int
	sent     []message // to arrive now
	standing []message // to arrive later
}

func newWorld(t *testing.T) *world {
	t.Helper()
	calendar, err := life.NewCalendar("UTC")
	if err != nil {
		t.Fatal(err)
	}
	w := &world{db: dynamotest.New(t), answer: says("Hello", ", ", "world")}
	now := time.Now
	lives := &life.Service{Store: w.db, Queue: w, Now: now, MaxAge: 15 * time.Minute}
	log := logging.New(io.Discard, 0)
	backoff := &sockets.Backoff{}
	w.Function = &completions.Function{
		API:    &httpapi.API{ClientID: "client", Log: log},
		Models: []string{"m", "n"},
		Admission: &admission.Service{
			Store: w.db, Queue: w, Life: lives, Calendar: calendar, Cap: 5, Now: now, Log: log, InputTTL: time.Hour,
			Tiers: environment.Tiers{Default: environment.Limits{MonthlyRequests: 10, MonthlyTokens: 10_000}},
			Model: admission.Model{ID: "m", Allowed: []string{"m", "n"}, MaxTokens: 100, AllowSystem: true},
		},
		Attempts: attempt.New(attempt.Deps{
			Store: w.db, Life: lives, Model: w, Hub: relay.NewHub(nil, w.db), Backoff: backoff, Log: log,
		}, attempt.Options{LogTTL: time.Hour}),
		Store: w.db, Life: lives, Queue: w, Now: now, Log: log,
	}
	return w
}

// Stream implements attempt.Model.
func (w *world) Stream(ctx context.Context, _ life.Record, _ life.Input, listener model.Listener) (model.Answer, error) {
	w.mu.Lock()
	w.calls++
	call := w.calls
	w.mu.Unlock()
	return w.answer(ctx, call, func(text string) { listener.Take(model.Delta{Kind: model.KindText, Text: text}) })
}

// says is a model that says some words.
func says(words ...string) func(context.Context, int, func(string)) (model.Answer, error) {
	return func(_ context.Context, _ int, write func(string)) (model.Answer, error) {
		for _, word := range words {
			write(word)
		}
		return model.Answer{StopReason: "end_turn", Usage: &protocol.TokenUsage{InputTokens: 7, OutputTokens: int64(len(words))}}, nil
	}
}

func (w *world) Send(_ context.Context, key life.Key) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sent = append(w.sent, message{key, 0})
	return nil
}

func (w *world) SendAfter(_ context.Context, key life.Key, d time.Duration) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.standing = append(w.standing, message{key, d})
	return nil
}

func (w *world) messages() []message {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.sent
}

func (w *world) modelCalls() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.calls
}

const (
	plain    = `{"model":"m","messages":[{"role":"user","content":"hi"}]}`
	streamed = `{"model":"m","stream":true,"stream_options":{"include_usage":true},"messages":[{"role":"user","content":"hi"}]}`
)

// event is a call by user u; key "" is none.
func event(key, body string) events.APIGatewayProxyRequest {
	e := events.APIGatewayProxyRequest{
		HTTPMethod: "POST", Resource: httpapi.ResourceChatCompletions, Path: "/openai/v1/chat/completions", Body: body,
		Headers: map[string]string{"Origin": "https://app.example.com"},
		RequestContext: events.APIGatewayProxyRequestContext{
			Authorizer: map[string]any{"claims": map[string]any{"sub": "u", "aud": "client", "token_use": "id"}},
		},
	}
	if key != "" {
		e.Headers["Idempotency-Key"] = key
	}
	return e
}

func (w *world) post(t *testing.T, key, body string) *events.APIGatewayProxyStreamingResponse {
	t.Helper()
	response, err := w.Serve(t.Context(), event(key, body))
	if err != nil {
		t.Fatal(err)
	}
	return response.Begin()
}

// text reads a body to its end.
func text(t *testing.T, response *events.APIGatewayProxyStreamingResponse) string {
	t.Helper()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// data are the events of a streamed body.
func data(body string) []string {
	var list []string
	for event := range strings.SplitSeq(strings.TrimSuffix(body, "\n\n"), "\n\n") {
		list = append(list, strings.TrimPrefix(event, "data: "))
	}
	return list
}

// said joins what the chunks of a streamed body add.
func said(t *testing.T, body string) string {
	t.Helper()
	var b strings.Builder
	for _, event := range data(body) {
		var chunk struct {
			Choices []struct{ Delta struct{ Content string } }
		}
		if event != "[DONE]" {
			if err := json.Unmarshal([]byte(event), &chunk); err != nil {
				t.Fatalf("%v in %s", err, event)
			}
		}
		for _, choice := range chunk.Choices {
			b.WriteString(choice.Delta.Content)
		}
	}
	return b.String()
}

// errorOf is the code of an error body or event.
func errorOf(t *testing.T, body string) string {
	t.Helper()
	var e struct {
		Error struct{ Code, Param, Message string }
	}
	if err := json.Unmarshal([]byte(body), &e); err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	return e.Error.Code
}

func (w *world) record(t *testing.T, response *events.APIGatewayProxyStreamingResponse) life.Record {
	t.Helper()
	record, err := w.db.Record(t.Context(), life.Key{UserID: "u", RequestID: response.Headers["x-request-id"]})
	if err != nil {
		t.Fatal(err)
	}
	return record
}

func (w *world) account(t *testing.T) life.Account {
	t.Helper()
	account, err := w.db.Account(t.Context(), "u")
	if err != nil {
		t.Fatal(err)
	}
	return account
}

func (w *world) month(t *testing.T) life.Month {
	t.Helper()
	for _, month := range w.account(t).Months {
		return month
	}
	return life.Month{}
}
