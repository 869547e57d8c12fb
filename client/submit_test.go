package client_test

import (
	"context"
	"errors"
	"net/http"
	"reflect"
	"testing"
	"time"

	"github.com/streaming-service/streaming-service/client"
	"github.com/streaming-service/streaming-service/protocol"
)

var hello = protocol.SubmitRequest{Prompt: "Hello"}

func TestSubmitStreamsTheAnswer(t *testing.T) {
	t.Parallel()
	serve(t, func(t *testing.T, f *fakeService) {
		var got *http.Request
		var sent string
		f.submit = func(w http.ResponseWriter, r *http.Request, body []byte) {
			got, sent = r, string(body)
			accept(w, requestID)
		}
		stream, err := f.connected().Submit(t.Context(), protocol.SubmitRequest{Prompt: "a < b & c"})
		if err != nil {
			t.Fatal(err)
		}
		f.last().send(startFrame(), deltaFrame(1, "Hel"), deltaFrame(2, "lo"), doneFrame(3))
		var events []client.Event
		for event, err := range stream.Events(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			events = append(events, event)
		}
		wantEvents(t, events, client.Delta{Text: "Hel"}, client.Delta{Text: "lo"},
			client.Done{StopReason: "end_turn", Usage: protocol.TokenUsage{InputTokens: 3, OutputTokens: 2}})
		if key := got.Header.Get("Idempotency-Key"); len(key) < 20 {
			t.Errorf("idempotency key %q", key)
		}
		if got.Header.Get("Authorization") != "the-token" || sent != `{"prompt":"a < b & c"}` {
			t.Errorf("sent %q with %v", sent, got.Header)
		}
		if stream.RequestID() != requestID || stream.Quota().Tier != "gold" || stream.Text() != "Hello" {
			t.Errorf("stream of %s: %+v, %q", stream.RequestID(), stream.Quota(), stream.Text())
		}
		if len(f.resumes()) != 0 {
			t.Errorf("resumes without need: %v", f.resumes())
		}
	})
}

func TestTheTokenIsNotInTheURL(t *testing.T) {
	t.Parallel()
	serve(t, func(t *testing.T, f *fakeService) {
		handshake := make(chan *http.Request, 1)
		f.handshake = func(_ http.ResponseWriter, r *http.Request) bool {
			handshake <- r
			return true
		}
		f.client().Connect()
		r := <-handshake
		if r.URL.RawQuery != "" || r.Header.Get("Authorization") != "the-token" || r.Header.Get("Sec-WebSocket-Protocol") != "streaming.v1" {
			t.Errorf("handshake %s with %v", r.URL, r.Header)
		}
	})
}

func TestSubmitTriesAgainWithTheSameKey(t *testing.T) {
	t.Parallel()
	lost := func(http.ResponseWriter) { panic(http.ErrAbortHandler) }
	for name, test := range map[string]struct {
		answer  func(http.ResponseWriter)
		atLeast time.Duration
	}{
		"unavailable":       {func(w http.ResponseWriter) { refuse(w, 503, protocol.CodeUnavailable, "1") }, time.Second},
		"gateway timeout":   {func(w http.ResponseWriter) { refuse(w, 504, protocol.CodeInternal, "") }, 0},
		"rate limited":      {func(w http.ResponseWriter) { refuse(w, 429, protocol.CodeRateLimited, "7") }, 7 * time.Second},
		"the gateway's own": {func(w http.ResponseWriter) { answer(w, 429, map[string]string{"message": "Too Many Requests"}) }, 0},
		"lost answer":       {lost, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			serve(t, func(t *testing.T, f *fakeService) {
				var keys []string
				f.submit = func(w http.ResponseWriter, r *http.Request, _ []byte) {
					keys = append(keys, r.Header.Get("Idempotency-Key"))
					if len(keys) < 3 {
						test.answer(w)
						return
					}
					accept(w, requestID)
				}
				began := time.Now()
				if _, err := f.client().Submit(t.Context(), hello); err != nil {
					t.Fatal(err)
				}
				if len(keys) != 3 || keys[0] == "" || keys[0] != keys[1] || keys[1] != keys[2] {
					t.Errorf("keys %q", keys)
				}
				if took := time.Since(began); took < 2*test.atLeast || took > 2*test.atLeast+10*time.Second {
					t.Errorf("took %v", took)
				}
			})
		})
	}
}

func TestSubmitGivesUp(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		status     int
		code       protocol.Code
		retryAfter string
		tries      int
	}{
		"quota exceeded":           {429, protocol.CodeQuotaExceeded, "5", 1},
		"too many in flight":       {429, protocol.CodeTooManyInFlight, "1", 1},
		"rate limited for long":    {429, protocol.CodeRateLimited, "3600", 1},
		"service budget exceeded":  {503, protocol.CodeServiceBudgetExceeded, "5", 1},
		"unavailable for too long": {503, protocol.CodeUnavailable, "1", 6},
		"invalid":                  {400, protocol.CodeInvalidRequest, "", 1},
		"conflict":                 {409, protocol.CodeIdempotencyConflict, "", 1},
		"bad token":                {401, protocol.CodeUnauthenticated, "", 1},
		"internal":                 {500, protocol.CodeInternal, "", 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			serve(t, func(t *testing.T, f *fakeService) {
				f.submit = func(w http.ResponseWriter, _ *http.Request, _ []byte) {
					refuse(w, test.status, test.code, test.retryAfter)
				}
				_, err := f.client().Submit(t.Context(), hello)
				var refusal *client.APIError
				if !errors.As(err, &refusal) || refusal.Status != test.status || refusal.Code != test.code {
					t.Errorf("error %v", err)
				}
				if got := f.count("POST", "/v1/requests"); got != test.tries {
					t.Errorf("%d tries, want %d", got, test.tries)
				}
			})
		})
	}
}

func TestSubmitEndsWithItsContext(t *testing.T) {
	t.Parallel()
	serve(t, func(t *testing.T, f *fakeService) {
		f.submit = func(w http.ResponseWriter, _ *http.Request, _ []byte) { refuse(w, 503, protocol.CodeUnavailable, "20") }
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		if _, err := f.client().Submit(ctx, hello); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v", err)
		}
	})
}

func TestARefusedTokenIsRenewedOnce(t *testing.T) {
	t.Parallel()
	serve(t, func(t *testing.T, f *fakeService) {
		f.submit = func(w http.ResponseWriter, r *http.Request, _ []byte) {
			if r.Header.Get("Authorization") != "token-1" {
				refuse(w, 401, protocol.CodeUnauthenticated, "")
				return
			}
			accept(w, requestID)
		}
		tokens := &countedTokens{}
		c := f.clientWithTokens(tokens)
		if _, err := c.Submit(t.Context(), hello); err != nil {
			t.Fatal(err)
		}
		f.submit = func(w http.ResponseWriter, _ *http.Request, _ []byte) {
			refuse(w, 401, protocol.CodeUnauthenticated, "")
		}
		if _, err := c.Submit(t.Context(), hello); err == nil || tokens.renewed != 2 {
			t.Errorf("renewed %d times, error %v", tokens.renewed, err)
		}
	})
}

// countedTokens gives token-0, then token-1 and so on, one more a renewal.
type countedTokens struct{ renewed int }

func (c *countedTokens) IDToken(context.Context) (string, error) {
	return "token-" + string(rune('0'+c.renewed)), nil
}

func (c *countedTokens) Renew(context.Context, string) error {
	c.renewed++
	return nil
}

func TestAPIErrorNamesTheFields(t *testing.T) {
	t.Parallel()
	e := &client.APIError{Status: 400, Code: protocol.CodeInvalidRequest, Problem: protocol.Problem{
		Detail: "the body is not valid", Errors: []protocol.FieldError{{Field: "maxTokens", Message: "must be >= 1"}},
	}}
	if got, want := e.Error(), "invalid_request (400): the body is not valid; maxTokens: must be >= 1"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func wantEvents(t *testing.T, got []client.Event, want ...client.Event) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("events %+v, want %+v", got, want)
	}
	for i := range want {
		if !reflect.DeepEqual(got[i], want[i]) {
			t.Errorf("event %d: %+v, want %+v", i, got[i], want[i])
		}
	}
}
