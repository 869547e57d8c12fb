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
	const prompt, script = "Hold on", "tokens=300 rate=100"
	// The kill strikes within the time that invocations took so far: in the
	// first half of one that takes twice as long.
	first := p.await(p.submit("Practice", "tokens=150 rate=100"), "succeeded")
	localcloudtest.Eventually(t, patience, "the end of the first invocation", func() bool { return invocations(t, h, "processor") > 0 })
	h.SetFaults(t, map[string]any{"function": "processor", "kill": 1, "times": 1, "seed": 1})
	id := p.submit(prompt, script)
	r := newReader(id)
	r.follow(t, p.dial(), r.complete)
	if want := bedrock.ScriptedText(prompt, script); r.text() != want || r.end.Type != "done" || r.attempt != 2 {
		t.Errorf("attempt %d ended with %s and said\n%q\nthe model said\n%q", r.attempt, r.end.Raw, r.text(), want)
	}
	s := p.await(id, "succeeded")
	if s.Attempt != r.attempt || s.Text != r.text() {
		t.Errorf("read attempt %d with %q", s.Attempt, s.Text)
	}
	p.wantSettled(2, first.Usage.InputTokens+first.Usage.OutputTokens+s.Usage.InputTokens+s.Usage.OutputTokens)
}
