package completions

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/streaming-service/streaming-service/lambdas/internal/admission"
	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/lambdas/internal/openai"
	"github.com/streaming-service/streaming-service/protocol"
)

func begunReply(streamed bool) *reply {
	record := life.Record{Key: life.Key{UserID: "u", RequestID: "r"}, CreatedAt: time.Unix(7, 0), Model: life.ModelParameters{ModelID: "m"}}
	return newReply(openai.Request{Stream: streamed}, admission.Admitted{Record: record}, time.Now())
}

var succeeded = life.Record{Status: protocol.StatusSucceeded, Attempt: 1, EndSeq: 2, StopReason: "end_turn"}

// A model that thinks for long must not look like a dead connection.
func TestSlowModelIsHeardOf(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		r := begunReply(true)
		go func() {
			time.Sleep(50 * time.Second)
			r.write("at last")
			r.end(succeeded)
			r.close()
		}()
		response := r.response()
		if waited := time.Since(begun); waited != 15*time.Second || response.StatusCode != 200 {
			t.Errorf("status %d after %v", response.StatusCode, waited)
		}
		body, err := io.ReadAll(response.Body)
		if err != nil || strings.Count(string(body), openai.Heartbeat) != 2 || !strings.HasSuffix(string(body), openai.Done) {
			t.Errorf("%v in %s", err, body)
		}
	})
}

func TestSlowAnswerInOnePiece(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*reply){
		"well":   func(r *reply) { r.end(succeeded) },
		"failed": func(r *reply) { r.fail(openai.AsError(errors.New("broken"))) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := begunReply(false)
				go func() {
					r.write("long")
					time.Sleep(5 * time.Minute)
					end(r)
					r.close()
				}()
				begun := time.Now()
				response := r.response()
				if waited := time.Since(begun); waited != 4*time.Minute || response.StatusCode != 200 {
					t.Errorf("status %d after %v", response.StatusCode, waited)
				}
				body, err := io.ReadAll(response.Body)
				text := strings.TrimLeft(string(body), " ")
				switch {
				case len(body)-len(text) < 3:
					t.Errorf("nothing was heard for a minute: %q", body)
				case name == "well" && (err != nil || !strings.Contains(text, `"content":"long"`)):
					t.Errorf("%v in %s", err, body)
				case name == "failed" && (err == nil || text != ""):
					t.Errorf("a body that is cut short looks whole: %s", body)
				}
			})
		})
	}
}

// What was shown is not taken back.
func TestBeginAgain(t *testing.T) {
	t.Parallel()
	whole := begunReply(false)
	whole.write("one")
	if !whole.beginAgain() {
		t.Error("nobody has read an answer in one piece")
	}
	whole.write("two")
	whole.end(succeeded)
	whole.close()
	if body, _ := io.ReadAll(whole.response().Body); !strings.Contains(string(body), `"content":"two"`) {
		t.Errorf("body %s", body)
	}
	streamed := begunReply(true)
	if !streamed.beginAgain() {
		t.Error("nothing was shown yet")
	}
	streamed.write("one")
	if streamed.beginAgain() {
		t.Error("what was shown cannot be taken back")
	}
}

// The reader of the body is told of a failure when nothing of the function is
// left to do: it is frozen then.
func TestBodyBreaksOffOnlyWhenClosed(t *testing.T) {
	t.Parallel()
	r := begunReply(false)
	r.begin()
	r.fail(openai.AsError(errors.New("broken")))
	if _, err := r.feed.take(make([]byte, 1)); err != nil {
		t.Errorf("the body ended with %v while the function runs", err)
	}
	r.close()
	if _, err := r.feed.take(make([]byte, 1)); err == nil || errors.Is(err, io.EOF) {
		t.Errorf("the body ended with %v", err)
	}
}
