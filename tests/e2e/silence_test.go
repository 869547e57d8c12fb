package e2e_test

import (
	"testing"
	"time"
)

// An answer without a word was once done, and charged. It is asked for once more;
// after that the request fails and costs nothing, up to twenty times a month.
func TestAnAnswerWithoutAWord(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		script       string
		kind         string
		calls        float64
		stop         string
		refundsSpent bool
	}{
		"once":            {"empty times=1 tokens=5 rate=0", "done", 2, "end_turn", false},
		"for ever":        {"empty rate=0", "error", 2, "end_turn", false},
		"reasoning only":  {"empty reasoning=30 rate=0", "error", 2, "end_turn", false},
		"no refund left":  {"empty reasoning=30 rate=0", "error", 1, "end_turn", true},
		"cut before it":   {"empty rate=0 stop=max_tokens", "done", 1, "max_tokens", false},
		"stopped at once": {"empty rate=0 stop=stop_sequence", "done", 1, "stop_sequence", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPerson(t, cloud(t))
			if test.refundsSpent {
				p.setAccount("unanswered#"+time.Now().UTC().Format("2006-01"), map[string]any{"N": "20"})
			}
			socket := p.dial()
			id := p.submit("Say nothing", test.script)
			end := socket.Stream(t, id, patience).End
			attempt := 1
			if name == "reasoning only" {
				attempt = 2 // shown reasoning is voided by another
			}
			if end.Type != test.kind || end.Attempt != attempt || end.Type == "error" && (end.Code != "model_error" || !end.Retryable) {
				t.Errorf("ended with %s, want %s of attempt %d", end.Raw, test.kind, attempt)
			}
			if calls := modelCalls(t, p.Harness, id); calls != test.calls {
				t.Errorf("%v model calls, want %v", calls, test.calls)
			}
			s := p.state(id)
			if s.StopReason != test.stop {
				t.Errorf("stopped for %q, want %q", s.StopReason, test.stop)
			}
			if test.kind == "error" && !test.refundsSpent {
				p.wantSettled(0, 0)
				return
			}
			if s.Usage == nil {
				t.Fatalf("reads as %+v, want its usage", s)
			}
			p.wantSettled(1, s.Usage.InputTokens+s.Usage.OutputTokens)
		})
	}
}
