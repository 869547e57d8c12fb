package completions_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/streaming-service/streaming-service/lambdas/internal/admission"
	"github.com/streaming-service/streaming-service/lambdas/internal/attempt"
	"github.com/streaming-service/streaming-service/lambdas/internal/completions"
	"github.com/streaming-service/streaming-service/lambdas/internal/httpapi"
	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/lambdas/internal/logging"
	"github.com/streaming-service/streaming-service/lambdas/internal/model"
	"github.com/streaming-service/streaming-service/protocol"
)

// attempts are attempts of a test's making.
type attempts func(record life.Record, hold attempt.Hold) attempt.Verdict

func (run attempts) Run(_ context.Context, record life.Record, hold attempt.Hold) attempt.Verdict {
	return run(record, hold)
}

func (attempts) CountPosts() {}

// lastError is the code of the error that ends a body.
func lastError(t *testing.T, body string) string {
	t.Helper()
	list := data(body)
	return errorOf(t, list[len(list)-1])
}

// The end was written, but the answer to that write is lost for good: what was
// shown is the text of the end, so the response ends well.
func TestEndWithoutAnAnswerIsFound(t *testing.T) {
	t.Parallel()
	for _, body := range []string{streamed, plain} {
		w := newWorld(t)
		inner := w.Attempts
		w.Attempts = attempts(func(record life.Record, hold attempt.Hold) attempt.Verdict {
			inner.Run(t.Context(), record, hold)
			return attempt.HandBack(0, errors.New("no answer"))
		})
		if got := text(t, w.post(t, "", body)); strings.Count(got, "Hello") != 1 || strings.Contains(got, `"error"`) || !strings.Contains(got, `"stop"`) {
			t.Errorf("body %s", got)
		}
	}
}

// A panic is no end of the request, which another attempt answers.
func TestPanicInterruptsTheResponseOnly(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Attempts = attempts(func(_ life.Record, hold attempt.Hold) attempt.Verdict {
		hold.OnDelta(model.Delta{Kind: model.KindText, Text: "Hel"})
		panic("defect")
	})
	response := w.post(t, "", streamed)
	if body := text(t, response); said(t, strings.Split(body, `data: {"error"`)[0]) != "Hel" || lastError(t, body) != "unavailable" {
		t.Errorf("body %s", body)
	}
	if r := w.record(t, response); r.Status.Terminal() {
		t.Errorf("record %+v", r)
	}
}

// Some models begin a block with nothing. That is no first word: the failure
// after it is met by another attempt, as if nothing had been shown.
func TestNothingIsNoFirstWord(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.answer = func(_ context.Context, call int, write func(string)) (model.Answer, error) {
		write("")
		if call == 1 {
			return model.Answer{}, &model.Failure{Code: protocol.CodeModelThrottled, Err: errors.New("slow down")}
		}
		return says("Hello")(t.Context(), call, write)
	}
	response := w.post(t, "", streamed)
	if body := text(t, response); response.StatusCode != 503 || errorOf(t, body) != "model_throttled" {
		t.Errorf("status %d, body %s", response.StatusCode, body)
	}
}

// The log of an answer goes before its record does. An empty answer would be a
// lie.
func TestReplayOfAForgottenAnswer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	text(t, w.post(t, "key", streamed))
	w.Store = forgetful{w.Store}
	response := w.post(t, "key", streamed)
	if body := text(t, response); response.StatusCode != 404 || errorOf(t, body) != "not_found" {
		t.Errorf("status %d, body %s", response.StatusCode, body)
	}
}

// forgetful is a store without logs.
type forgetful struct{ completions.Store }

func (forgetful) Chunks(context.Context, string, string, int) ([]life.Chunk, error) { return nil, nil }

// alone is the function without services, in a bubble of fake time: it admits
// everything, its attempts are of the test's making, and its store is stuck or
// stands still.
func alone(store completions.Store, queue completions.Queue, run attempts) *completions.Function {
	log := logging.New(io.Discard, 0)
	return &completions.Function{
		API: &httpapi.API{ClientID: "client", Log: log}, Admission: admitsAll{}, Attempts: run,
		Store: store, Life: idle{}, Queue: queue, Now: time.Now, Log: log,
	}
}

var streaming = life.Record{
	Key: life.Key{UserID: "u", RequestID: "r"}, Status: protocol.StatusStreaming, Attempt: 1, Owner: "me",
}

type admitsAll struct{}

func (admitsAll) Start(context.Context, httpapi.Request, []byte, life.Claim) (admission.Admitted, error) {
	return admission.Admitted{Record: streaming}, nil
}

// idle is a store, a healer and a queue of a request that stands still.
type idle struct{}

func (idle) Record(context.Context, life.Key) (life.Record, error)             { return streaming, nil }
func (idle) Chunks(context.Context, string, string, int) ([]life.Chunk, error) { return nil, nil }
func (idle) Heal(context.Context, life.Record) (bool, error)                   { return false, nil }
func (idle) Send(context.Context, life.Key) error                              { return nil }

// stuck is a store that does not answer before its caller gives up.
type stuck struct{ idle }

func (stuck) Record(ctx context.Context, _ life.Key) (life.Record, error) {
	<-ctx.Done()
	return life.Record{}, ctx.Err()
}

func gaveUp(life.Record, attempt.Hold) attempt.Verdict {
	return attempt.HandBack(0, errors.New("gave up"))
}

// A follower says that it has to go before its function is killed, also when the
// store is slow.
func TestFollowerLeavesBeforeTheDeadline(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		begun := time.Now()
		response, err := alone(stuck{}, idle{}, gaveUp).Serve(ctx, event("", streamed))
		if err != nil {
			t.Fatal(err)
		}
		body := text(t, response.Begin())
		if took := time.Since(begun); took > 28*time.Second || lastError(t, body) != "unavailable" {
			t.Errorf("after %v of 30 s: %s", took, body)
		}
	})
}

// Nobody reads what a follower finds when the call of its function is over.
func TestFollowerStopsWithItsCall(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(20*time.Second, cancel)
		begun := time.Now()
		response, err := alone(idle{}, idle{}, gaveUp).Serve(ctx, event("", streamed))
		if err != nil {
			t.Fatal(err)
		}
		text(t, response.Begin())
		if took := time.Since(begun); took != 20*time.Second {
			t.Errorf("followed for %v", took)
		}
	})
}

// The function is frozen when its body was read, so nothing of it may run by
// then: not even where the body breaks off.
func TestBodyThatBreaksOffIsTheLastThing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
		defer cancel()
		f := alone(idle{}, idle{}, func(life.Record, attempt.Hold) attempt.Verdict {
			time.Sleep(4*time.Minute + 40*time.Second) // longer than the status waits
			return gaveUp(streaming, attempt.Hold{})
		})
		pending, err := f.Serve(ctx, event("", plain))
		if err != nil {
			t.Fatal(err)
		}
		response := pending.Begin()
		if response.StatusCode != 200 {
			t.Fatalf("%+v", response)
		}
		if _, err := io.ReadAll(response.Body); err == nil || !strings.Contains(err.Error(), "interrupted") {
			t.Errorf("the body ends with %v", err)
		}
		synctest.Wait() // a goroutine that is left fails the bubble
	})
}
