package e2e_test

import (
	"testing"

	"github.com/streaming-service/streaming-service/internal/localcloud/bedrock"
	"github.com/streaming-service/streaming-service/internal/localcloud/localcloudtest"
)

// A processor that dies in the middle of an answer is followed by another
// attempt, which voids what the first one said, and only that is charged.
func TestAKilledProcessorIsFollowedByAnotherAttempt(t *testing.T) {
	t.Parallel()
	o := options()
	o.FunctionEnv = map[string]string{"LEASE_SECONDS": "3"}
	h := localcloudtest.Start(t, o)
	p := newPerson(t, h)
	// A kill strikes within the time that invocations took so far: in the first
	// half of one that takes twice as long, unless the machine was busier before.
	practice := p.await(p.submit("Practice", "tokens=150 rate=100"), "succeeded")
	localcloudtest.Eventually(t, patience, "the end of the first invocation", func() bool { return invocations(t, h) > 0 })
	requests, tokens := 1, practice.Usage.InputTokens+practice.Usage.OutputTokens
	for attempt := 1; attempt == 1; {
		if requests++; requests > 6 {
			t.Fatal("no kill struck in the middle of an answer")
		}
		h.SetFaults(t, map[string]any{"function": "processor", "kill": 1, "times": 1, "seed": requests})
		s := p.survives("Hold on", "tokens=300 rate=100")
		attempt, tokens = s.Attempt, tokens+s.Usage.InputTokens+s.Usage.OutputTokens
	}
	p.wantSettled(requests, tokens)
}

// survives follows a request to its end, whatever happens to its attempts.
func (p *person) survives(prompt, script string) state {
	p.t.Helper()
	id := p.submit(prompt, script)
	r := newReader(id)
	r.follow(p.t, p.dial(), r.complete)
	if want := bedrock.ScriptedText(prompt, script); r.text() != want || r.end.Type != "done" {
		p.t.Errorf("attempt %d ended with %s and said\n%q\nthe model said\n%q", r.attempt, r.end.Raw, r.text(), want)
	}
	s := p.await(id, "succeeded")
	if s.Attempt != r.attempt || s.Text != r.text() {
		p.t.Errorf("read attempt %d with %q", s.Attempt, s.Text)
	}
	return s
}
