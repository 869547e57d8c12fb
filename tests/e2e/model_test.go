package e2e_test

import (
	"testing"
	"time"

	"github.com/streaming-service/streaming-service/internal/localcloud/bedrock"
)

// An attempt that fails in the middle of its answer is void: the next one says
// everything anew, under a higher number, and only that is charged.
func TestAFailedAttemptIsVoid(t *testing.T) {
	t.Parallel()
	for name, strike := range map[string]string{
		"exception in the stream": "error=modelStreamErrorException@30 times=1", "no messageStop": "truncate@30 times=1",
		"connection cut": "drop@30 times=1", "damaged stream": "badcrc@30 times=1",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPerson(t, cloud(t))
			first, second := p.dial(), p.dial()
			const prompt, script = "Try again", "tokens=60 rate=200 "
			id := p.submit(prompt, script+strike)
			got := first.Stream(t, id, patience)
			if want := bedrock.ScriptedText(prompt, script); got.Text != want || got.End.Type != "done" || got.End.Attempt != 2 {
				t.Errorf("ended with %s and\n%q\nthe model said\n%q", got.End.Raw, got.Text, want)
			}
			checkShape(t, got, id)
			wantEqualFrames(t, got, second.Stream(t, id, patience))
			p.wantSettled(1, got.End.Usage.InputTokens+got.End.Usage.OutputTokens)
		})
	}
}

// A model that fails every time ends the request, which costs nothing, after a
// bounded number of calls.
func TestAModelThatAlwaysFails(t *testing.T) {
	t.Parallel()
	p := newPerson(t, cloud(t))
	socket := p.dial()
	id := p.submit("Never", "tokens=60 rate=0 error=throttlingException@0")
	if end := endOf(t, socket, id); end.Type != "error" || end.Code != "model_throttled" || !end.Retryable {
		t.Errorf("ended with %s, want model_throttled, to be tried again", end.Raw)
	}
	if calls := modelCalls(t, p.Harness, id); calls < 2 || calls > 4 {
		t.Errorf("%v model calls, want at most 4", calls)
	}
	p.wantSettled(0, 0)
}

// What a model ends for reasons of its own is the end of the request.
func TestWhyAModelStopped(t *testing.T) {
	t.Parallel()
	p := newPerson(t, cloud(t))
	socket := p.dial()
	requests, tokens := 0, 0
	for _, test := range []struct{ stop, kind, code string }{
		{"end_turn", "done", ""}, {"max_tokens", "done", ""}, {"stop_sequence", "done", ""},
		{"guardrail_intervened", "done", ""}, {"content_filtered", "error", "content_filtered"},
	} {
		id := p.submit("Why", "tokens=10 rate=0 stop="+test.stop)
		end := socket.Stream(t, id, patience).End
		if end.Type != test.kind || end.Code != test.code || test.kind == "done" && end.StopReason != test.stop {
			t.Errorf("%s ended with %s", test.stop, end.Raw)
		}
		s := p.state(id)
		if s.StopReason != test.stop || s.Usage == nil {
			t.Errorf("%s reads as %+v", test.stop, s)
			continue
		}
		requests, tokens = requests+1, tokens+s.Usage.InputTokens+s.Usage.OutputTokens
	}
	p.wantSettled(requests, tokens)
}

// A cancel does not wait for a model that says nothing.
func TestCancelOfAModelThatHangs(t *testing.T) {
	t.Parallel()
	p := newPerson(t, cloud(t))
	socket := p.dial()
	id := p.submit("Silence", "tokens=60 rate=0 hang@20")
	waitForText(t, socket, id)
	begun := time.Now()
	wantCancel(t, p, id)
	if end := endOf(t, socket, id); end.Code != "cancelled" {
		t.Errorf("ended with %s", end.Raw)
	}
	if took := time.Since(begun); took > 10*time.Second {
		t.Errorf("the cancel took %v", took)
	}
	if s := p.state(id); s.Text == "" || s.Usage == nil || !s.Usage.Estimated {
		t.Errorf("reads as %+v", s)
	}
}
