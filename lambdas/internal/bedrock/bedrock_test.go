package bedrock_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/protocol/eventstream"

	"github.com/streaming-service/streaming-service/lambdas/internal/awsconfig"
	"github.com/streaming-service/streaming-service/lambdas/internal/bedrock"
	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/lambdas/internal/model"
	"github.com/streaming-service/streaming-service/protocol"
)

// service is a fake of ConverseStream.
type service struct {
	*httptest.Server
	calls atomic.Int32
	mu    sync.Mutex
	body  []byte
	path  string
}

func serve(t *testing.T, respond func(w http.ResponseWriter, r *http.Request)) *service {
	t.Helper()
	s := &service{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.calls.Add(1)
		s.remember(r)
		respond(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *service) remember(r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.body, _ = io.ReadAll(r.Body)
	s.path = r.URL.EscapedPath()
}

func (s *service) models(o bedrock.Options) *bedrock.Models {
	return bedrock.New(aws.Config{
		Region:       "eu-west-1",
		BaseEndpoint: &s.URL,
		HTTPClient:   awsconfig.HTTPClient(),
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "id", SecretAccessKey: "secret"}, nil
		}),
	}, o)
}

// event encodes one message of the stream.
func event(kind, name, payload string) []byte {
	var b bytes.Buffer
	m := eventstream.Message{Payload: []byte(payload)}
	m.Headers.Set(":message-type", eventstream.StringValue(kind))
	m.Headers.Set(":content-type", eventstream.StringValue("application/json"))
	switch kind {
	case "event":
		m.Headers.Set(":event-type", eventstream.StringValue(name))
	case "exception":
		m.Headers.Set(":exception-type", eventstream.StringValue(name))
	case "error":
		m.Headers.Set(":error-code", eventstream.StringValue(name))
		m.Headers.Set(":error-message", eventstream.StringValue("unmodelled"))
	}
	if err := eventstream.NewEncoder().Encode(&b, m); err != nil {
		panic(err)
	}
	return b.Bytes()
}

func delta(text string) []byte {
	encoded, _ := json.Marshal(text)
	return event("event", "contentBlockDelta", `{"contentBlockIndex":0,"delta":{"text":`+string(encoded)+`},"p":"abcdef"}`)
}

func stop(reason string) []byte {
	return event("event", "messageStop", `{"stopReason":"`+reason+`","p":"ab"}`)
}

var (
	opening  = event("event", "messageStart", `{"role":"assistant","p":"abc"}`)
	metadata = event("event", "metadata", `{"usage":{"inputTokens":7,"outputTokens":3,"totalTokens":10},"metrics":{"latencyMs":5}}`)
)

func streaming(events ...[]byte) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/vnd.amazon.eventstream")
		for _, e := range events {
			_, _ = w.Write(e)
		}
	}
}

func failing(status int, code string) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Amzn-Errortype", code)
		w.WriteHeader(status)
		_, _ = fmt.Fprintf(w, `{"message":"no"}`)
	}
}

func record() life.Record {
	return life.Record{
		Key:   life.Key{UserID: "user", RequestID: "request-1"},
		Model: life.ModelParameters{ModelID: "global.amazon.nova-2-lite-v1:0", MaxTokens: 100},
	}
}

// take is a listener that does not rest.
type take func(model.Delta)

func (t take) Take(piece model.Delta) { t(piece) }
func (take) Rest(context.Context)     {}

func ask(t *testing.T, s *service, o bedrock.Options) (string, model.Answer, error) {
	t.Helper()
	var text strings.Builder
	answer, err := s.models(o).Stream(t.Context(), record(), life.Input{Messages: []protocol.Message{{Role: "user", Content: "hi"}}},
		take(func(d model.Delta) { text.WriteString(d.Text) }))
	return text.String(), answer, err
}

func TestStreamReadsTheWholeAnswer(t *testing.T) {
	t.Parallel()
	s := serve(t, streaming(
		opening,
		event("event", "contentBlockStart", `{"contentBlockIndex":0,"start":{}}`),
		delta("Hé"), delta("llo"),
		event("event", "somethingNew", `{}`),
		event("event", "contentBlockStop", `{"contentBlockIndex":0}`),
		stop("end_turn"), metadata,
	))
	text, answer, err := ask(t, s, bedrock.Options{})
	if err != nil || text != "Héllo" || answer.StopReason != "end_turn" {
		t.Fatalf("got %q, %+v, %v", text, answer, err)
	}
	if want := (protocol.TokenUsage{InputTokens: 7, OutputTokens: 3}); answer.Usage == nil || *answer.Usage != want {
		t.Errorf("usage %+v, want %+v", answer.Usage, want)
	}
}

// Errors are logged, and Bedrock's text about an invalid request may quote it.
func TestErrorsDoNotQuoteTheRequest(t *testing.T) {
	t.Parallel()
	const secret = "my diary"
	for name, respond := range map[string]func(http.ResponseWriter, *http.Request){
		"before the stream": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Amzn-ErrorType", "ValidationException")
			w.Header().Set("X-Amzn-RequestId", "aws-request-7")
			w.WriteHeader(http.StatusBadRequest)
			_, _ = io.WriteString(w, `{"message":"cannot read `+secret+`"}`)
		},
		"in the stream": streaming(opening, event("exception", "validationException", `{"message":"cannot read `+secret+`"}`)),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, _, err := ask(t, serve(t, respond), bedrock.Options{})
			if err == nil || strings.Contains(err.Error(), secret) {
				t.Errorf("got %v", err)
			}
			if name == "before the stream" && !strings.Contains(err.Error(), "aws-request-7") {
				t.Errorf("the request's id is missing in %v", err)
			}
		})
	}
}

// All streams of a client once shared one decoder, which the race detector sees.
func TestConcurrentStreamsDoNotMix(t *testing.T) {
	t.Parallel()
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/vnd.amazon.eventstream")
		_, text, _ := strings.Cut(r.URL.Path, "model/m")
		text, _, _ = strings.Cut(text, "/")
		for range 50 {
			_, _ = w.Write(delta(text))
		}
		_, _ = w.Write(event("event", "messageStop", `{"stopReason":"end_turn"}`))
		_, _ = w.Write(event("event", "metadata", `{"usage":{"inputTokens":1,"outputTokens":50,"totalTokens":51}}`))
	})
	models := s.models(bedrock.Options{})
	var streams sync.WaitGroup
	for i := range 16 {
		streams.Go(func() {
			id := fmt.Sprint(i)
			var got strings.Builder
			_, err := models.Stream(t.Context(), life.Record{Model: life.ModelParameters{ModelID: "m" + id, MaxTokens: 100}}, life.Input{}, take(func(d model.Delta) { got.WriteString(d.Text) }))
			if err != nil {
				t.Errorf("stream %s: %v", id, err)
			}
			if want := strings.Repeat(id, 50); got.String() != want {
				t.Errorf("stream %s: got %q, want %q", id, got.String(), want)
			}
		})
	}
	streams.Wait()
}

func TestStreamEnds(t *testing.T) {
	t.Parallel()
	hello := delta("hello")
	tests := []struct {
		name          string
		respond       func(http.ResponseWriter, *http.Request)
		wantText      string
		wantCode      protocol.Code // "": success
		wantRetryable bool
		wantUsage     bool
	}{
		{"guardrail", streaming(opening, hello, stop("guardrail_intervened"), metadata), "hello", "", false, true},
		{"length", streaming(opening, hello, stop("max_tokens"), metadata), "hello", "", false, true},
		{"stopped without usage", streaming(opening, hello, stop("end_turn")), "hello", "", false, false},
		{"content filtered", streaming(opening, hello, stop("content_filtered"), metadata), "hello", protocol.CodeContentFiltered, false, true},
		{"malformed output", streaming(opening, hello, stop("malformed_model_output"), metadata), "hello", protocol.CodeModelError, false, true},
		{"no event", streaming(), "", protocol.CodeModelError, true, false},
		{"broken off between events", streaming(opening, hello), "hello", protocol.CodeModelError, true, false},
		{"broken off within an event", streaming(opening, hello, stop("end_turn")[:20]), "hello", protocol.CodeModelError, true, false},
		{"damaged", streaming(opening, hello, damaged(delta("world"))), "hello", protocol.CodeModelError, true, false},
		{"in-stream throttle", streaming(opening, hello, event("exception", "throttlingException", `{"message":"slow"}`)), "hello", protocol.CodeModelThrottled, true, false},
		{"in-stream model error", streaming(opening, event("exception", "modelStreamErrorException", `{"message":"x","originalStatusCode":500}`)), "", protocol.CodeModelError, true, false},
		{"in-stream internal", streaming(opening, event("exception", "internalServerException", `{}`)), "", protocol.CodeModelError, true, false},
		{"in-stream unavailable", streaming(opening, event("exception", "serviceUnavailableException", `{}`)), "", protocol.CodeModelError, true, false},
		{"in-stream validation", streaming(opening, event("exception", "validationException", `{}`)), "", protocol.CodeModelError, false, false},
		{"in-stream timeout, not modelled", streaming(opening, event("exception", "modelTimeoutException", `{}`)), "", protocol.CodeModelTimeout, true, false},
		{"in-stream error, not modelled", streaming(opening, event("error", "ThrottlingException", `{}`)), "", protocol.CodeModelThrottled, true, false},
		{"throttled", failing(429, "ThrottlingException"), "", protocol.CodeModelThrottled, true, false},
		{"not ready", failing(429, "ModelNotReadyException"), "", protocol.CodeModelThrottled, true, false},
		{"429 without a type", failing(429, ""), "", protocol.CodeModelThrottled, true, false},
		{"timeout", failing(408, "ModelTimeoutException"), "", protocol.CodeModelTimeout, true, false},
		{"model error", failing(424, "ModelErrorException"), "", protocol.CodeModelError, true, false},
		{"internal", failing(500, "InternalServerException"), "", protocol.CodeModelError, true, false},
		{"unavailable", failing(503, "ServiceUnavailableException"), "", protocol.CodeModelError, true, false},
		{"502 of a proxy", failing(502, ""), "", protocol.CodeModelError, true, false},
		{"validation", failing(400, "ValidationException"), "", protocol.CodeModelError, false, false},
		{"access denied", failing(403, "AccessDeniedException"), "", protocol.CodeModelError, false, false},
		{"no such model", failing(404, "ResourceNotFoundException"), "", protocol.CodeModelError, false, false},
		{"400 without a type", failing(400, ""), "", protocol.CodeModelError, false, false},
		{"aborted connection", func(w http.ResponseWriter, r *http.Request) {
			streaming(opening, hello)(w, r)
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}, "hello", protocol.CodeModelError, true, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, tt.respond)
			text, answer, err := ask(t, s, bedrock.Options{})
			if text != tt.wantText {
				t.Errorf("text %q, want %q", text, tt.wantText)
			}
			if (answer.Usage != nil) != tt.wantUsage {
				t.Errorf("usage %+v", answer.Usage)
			}
			if got := s.calls.Load(); got != 1 {
				t.Errorf("called the model %d times: whether to call again is not for the adapter", got)
			}
			if tt.wantCode == "" {
				if err != nil {
					t.Errorf("got %v", err)
				}
				return
			}
			var failure *model.Failure
			if !errors.As(err, &failure) || failure.Code != tt.wantCode || failure.Retryable != tt.wantRetryable {
				t.Fatalf("got %v, want %s, retryable %v", err, tt.wantCode, tt.wantRetryable)
			}
			hopeless := []string{"in-stream validation", "validation", "access denied", "no such model"}
			if want := slices.Contains(hopeless, tt.name); failure.Final != want {
				t.Errorf("%v: final %v, want %v", err, failure.Final, want)
			}
		})
	}
}

// damaged breaks the checksum of an event.
func damaged(e []byte) []byte {
	e = bytes.Clone(e)
	e[len(e)-1] ^= 1
	return e
}

func hanging(events ...[]byte) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, r *http.Request) {
		streaming(events...)(w, r)
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	}
}

func TestSilentModelTimesOut(t *testing.T) {
	t.Parallel()
	for name, respond := range map[string]func(http.ResponseWriter, *http.Request){
		"before the stream": func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"in the stream":     hanging(opening, delta("hello")),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, _, err := ask(t, serve(t, respond), bedrock.Options{IdleTimeout: 200 * time.Millisecond})
			var failure *model.Failure
			if !errors.As(err, &failure) || failure.Code != protocol.CodeModelTimeout || !failure.Retryable {
				t.Errorf("got %v, want a retryable model_timeout", err)
			}
		})
	}
}

func TestCancellationEndsTheStreamWithItsCause(t *testing.T) {
	t.Parallel()
	s := serve(t, hanging(opening, delta("hello")))
	cause := errors.New("the user cancelled")
	ctx, cancel := context.WithCancelCause(t.Context())
	before := time.Now()
	_, err := s.models(bedrock.Options{}).Stream(ctx, record(), life.Input{}, take(func(model.Delta) { cancel(cause) }))
	if !errors.Is(err, cause) {
		t.Errorf("got %v, want the cause", err)
	}
	if took := time.Since(before); took > 2*time.Second {
		t.Errorf("took %v", took)
	}
}

func TestRequest(t *testing.T) {
	t.Parallel()
	half := 0.5
	tests := []struct {
		name    string
		params  life.ModelParameters
		in      life.Input
		options bedrock.Options
		want    string
	}{
		{
			"least", life.ModelParameters{MaxTokens: 50},
			life.Input{Messages: []protocol.Message{{Role: "user", Content: "hi"}}},
			bedrock.Options{},
			`{"inferenceConfig":{"maxTokens":50},"messages":[{"content":[{"text":"hi"}],"role":"user"}],"requestMetadata":{"requestId":"request-1"}}`,
		},
		{
			"most", life.ModelParameters{MaxTokens: 1, Temperature: &half, TopP: new(float64)},
			life.Input{
				Messages:      []protocol.Message{{Role: "user", Content: "<a>"}, {Role: "assistant", Content: "b"}, {Role: "user", Content: "c"}},
				System:        []string{"operator", "client"},
				StopSequences: []string{"END"},
			},
			bedrock.Options{GuardrailID: "gr", GuardrailVersion: "1"},
			`{"guardrailConfig":{"guardrailIdentifier":"gr","guardrailVersion":"1"},` +
				`"inferenceConfig":{"maxTokens":1,"stopSequences":["END"],"temperature":0.5,"topP":0},` +
				`"messages":[{"content":[{"text":"<a>"}],"role":"user"},{"content":[{"text":"b"}],"role":"assistant"},{"content":[{"text":"c"}],"role":"user"}],` +
				`"requestMetadata":{"requestId":"request-1"},"system":[{"text":"operator"},{"text":"client"}]}`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, streaming(opening, stop("end_turn"), metadata))
			r := record()
			r.Model = tt.params
			r.Model.ModelID = "global.amazon.nova-2-lite-v1:0"
			if _, err := s.models(tt.options).Stream(t.Context(), r, tt.in, take(func(model.Delta) {})); err != nil {
				t.Fatal(err)
			}
			if s.path != "/model/global.amazon.nova-2-lite-v1%3A0/converse-stream" {
				t.Errorf("path %s", s.path)
			}
			if got := sorted(t, s.body); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

// sorted re-encodes JSON with sorted keys.
func sorted(t *testing.T, body []byte) string {
	t.Helper()
	var v any
	if err := json.Unmarshal(body, &v); err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	return string(protocol.Encode(v))
}
