package e2e_test

import (
	"testing"
	"time"
)

// A usage that is missing, or that says nothing, once made an answer free. It is
// estimated, and marked; a report that stands is not.
func TestUsageThatSaysNothingIsEstimated(t *testing.T) {
	t.Parallel()
	for report, estimated := range map[string]bool{"none": true, "zero": true, "negative": true, "input": true, "zero-after": false} {
		t.Run(report, func(t *testing.T) {
			t.Parallel()
			p := newPerson(t, cloud(t))
			socket := p.dial()
			end := socket.Stream(t, p.submit("Count", "tokens=40 rate=0 input=9 usage="+report), patience).End
			if end.Type != "done" || end.Usage == nil || end.Usage.Estimated != estimated || end.Usage.OutputTokens < 20 || end.Usage.OutputTokens > 80 {
				t.Fatalf("ended with %s, want about 40 tokens, estimated %v", end.Raw, estimated)
			}
			if in := end.Usage.InputTokens; report == "zero-after" && (in != 9 || end.Usage.OutputTokens != 40) || in < 9 {
				t.Errorf("charged %+v", end.Usage)
			}
			p.wantSettled(1, end.Usage.InputTokens+end.Usage.OutputTokens)
		})
	}
}

// What reasoning costs is charged: whether the model reports
// it, does not, or is stopped in the middle of it.
func TestReasoningIsCharged(t *testing.T) {
	t.Parallel()
	t.Run("reported", func(t *testing.T) {
		t.Parallel()
		p := newPerson(t, cloud(t))
		got := p.dial().Stream(t, p.submit("Think", "tokens=20 reasoning=50 rate=0"), patience)
		if got.End.Type != "done" || got.End.Usage.OutputTokens != 70 || got.End.Usage.Estimated {
			t.Errorf("ended with %s", got.End.Raw)
		}
	})
	t.Run("not reported", func(t *testing.T) {
		t.Parallel()
		p := newPerson(t, cloud(t))
		got := p.dial().Stream(t, p.submit("Think", "reasoning=200 rate=0 usage=none text=word"), patience)
		if got.Text != "word" || got.End.Usage.OutputTokens < 100 || !got.End.Usage.Estimated {
			t.Errorf("said %q, ended with %s", got.Text, got.End.Raw)
		}
	})
	t.Run("cancelled", func(t *testing.T) {
		t.Parallel()
		p := newPerson(t, cloud(t))
		socket := p.dial()
		id := p.submit("Think", "tokens=20 reasoning=4000 rate=40")
		p.await(id, "streaming")
		time.Sleep(2 * time.Second)
		wantCancel(t, p, id)
		if end := endOf(t, socket, id); end.Code != "cancelled" {
			t.Errorf("ended with %s", end.Raw)
		}
		s := p.state(id)
		if s.Text != "" || s.Usage == nil || !s.Usage.Estimated || s.Usage.OutputTokens < 10 {
			t.Fatalf("reads as %+v with %+v, want at least 10 tokens of output", s, s.Usage)
		}
		p.wantSettled(1, s.Usage.InputTokens+s.Usage.OutputTokens)
	})
}

// What this version does not know of a model's answer ends nothing.
func TestUnknownPiecesOfAnAnswer(t *testing.T) {
	t.Parallel()
	p := newPerson(t, cloud(t))
	got := p.dial().Stream(t, p.submit("News", "unknown rate=0 text=word"), patience)
	if got.Text != "word" || got.End.Type != "done" {
		t.Errorf("said %q, ended with %s", got.Text, got.End.Raw)
	}
}
