package relay_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/lambdas/internal/model"
	"github.com/streaming-service/streaming-service/lambdas/internal/relay"
	"github.com/streaming-service/streaming-service/protocol"
)

// blocksOf relays an answer and returns its frames, which are those of a replay,
// and its content, which is that of the log.
func blocksOf(t *testing.T, say func(*relay.Stream)) ([]received, []protocol.Block, []life.Chunk) {
	t.Helper()
	g, log := newGateway(), &chunks{}
	hub := relay.NewHub(g, sockets("a"))
	s := hub.Open(t.Context(), options(log))
	say(s)
	finish(t, hub, s)
	got := g.frames("a")
	var answer protocol.Assembler
	for _, r := range got {
		answer.Apply(r.frame)
		if len(r.raw) > protocol.MaxFrameBytes {
			t.Errorf("a frame of %d bytes", len(r.raw))
		}
	}
	logged, last := life.Answer(log.all())
	if want := protocol.Encode(answer.Content()); !bytes.Equal(protocol.Encode(logged.Content()), want) {
		t.Errorf("the log holds %s, the frames %s", protocol.Encode(logged.Content()), want)
	}
	for _, f := range life.AnswerFrames(record("request"), log.all(), 0) {
		if want := got[*f.Seq].raw; string(f.Encode()) != want {
			t.Errorf("replayed %s, sent %s", f.Encode(), want)
		}
	}
	if end := got[len(got)-1].frame; last != *end.Seq-1 {
		t.Errorf("the log ends at %d, the frames at %d", last, *end.Seq)
	}
	return got, answer.Content(), log.all()
}

func TestBlocksAreRelayedInTheirOrder(t *testing.T) {
	t.Parallel()
	use := model.ToolUse{ID: "t1", Name: "weather", Input: json.RawMessage(`{"city":"Köln"}`)}
	_, content, log := blocksOf(t, func(s *relay.Stream) {
		s.Reason("Let me ", "")
		s.Reason("see.", "")
		s.Reason("", "c2ln")
		s.Count(6)
		s.Redact([]byte("secret"))
		s.Reason("More.", "")
		s.Write("I look.")
		s.Count(22)
		s.UseTool(use)
	})
	want := []protocol.Block{
		{Type: protocol.BlockReasoning, Text: "Let me see.", Signature: "c2ln"},
		{Type: protocol.BlockReasoning, Redacted: []byte("secret")},
		{Type: protocol.BlockReasoning, Text: "More."},
		protocol.TextBlock("I look."),
		{Type: protocol.BlockToolUse, ToolUseID: "t1", Name: "weather", Input: use.Input},
	}
	if !reflect.DeepEqual(content, want) {
		t.Errorf("content %+v\nwant    %+v", content, want)
	}
	said := int64(len("Let me see.") + len("c2ln") + 6 + len("More.") + len("I look.") + 22)
	if got := log[len(log)-1].OutputTokens; got != relay.EstimateTokens(said) {
		t.Errorf("the log counts %d tokens, want those of %d bytes", got, said)
	}
}

// Reasoning is paced like text, and its signature travels with what waits.
func TestReasoningIsPaced(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		got, _, _ := blocksOf(t, func(s *relay.Stream) {
			for range 1000 {
				s.Reason("word ", "")
				time.Sleep(10 * time.Millisecond)
			}
			s.Reason("end", "c2ln")
		})
		if len(got) < 40 || len(got) > 120 {
			t.Errorf("%d frames for ten seconds", len(got))
		}
		if last := got[len(got)-2].frame; last.Signature != "c2ln" || !strings.HasSuffix(last.Text, "end") {
			t.Errorf("the last reasoning is %+v", last)
		}
	})
}

func TestLongBlocksAreCutIntoParts(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a\"é\n語\x02🚀\u2029<", 20_000)
	input := protocol.Encode(map[string]string{"text": long})
	redacted := bytes.Repeat([]byte{0, 1, 254, 255}, 25_000)
	for name, test := range map[string]struct {
		say  func(*relay.Stream)
		want protocol.Block
	}{
		"tool": {
			func(s *relay.Stream) {
				s.UseTool(model.ToolUse{ID: strings.Repeat("t", 64), Name: strings.Repeat("n", 64), Input: input})
			},
			protocol.Block{Type: protocol.BlockToolUse, ToolUseID: strings.Repeat("t", 64), Name: strings.Repeat("n", 64), Input: input},
		},
		"redacted": {func(s *relay.Stream) { s.Redact(redacted) }, protocol.Block{Type: protocol.BlockReasoning, Redacted: redacted}},
		"signature": {
			func(s *relay.Stream) { s.Reason("hm", strings.Repeat("c2ln", 20_000)) },
			protocol.Block{Type: protocol.BlockReasoning, Text: "hm", Signature: strings.Repeat("c2ln", 20_000)},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, content, _ := blocksOf(t, test.say)
			if len(got) < 5 {
				t.Errorf("only %d frames", len(got))
			}
			if len(content) != 1 || !reflect.DeepEqual(content[0], test.want) {
				t.Errorf("%d blocks, not the one that was said", len(content))
			}
		})
	}
}

func TestReasoningBeginsAnAnswerAndIsNone(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		say               func(*relay.Stream)
		started, answered bool
	}{
		"nothing":          {func(*relay.Stream) {}, false, false},
		"what is counted":  {func(s *relay.Stream) { s.Count(9) }, false, false},
		"reasoning":        {func(s *relay.Stream) { s.Reason("a", "") }, true, false},
		"a signature":      {func(s *relay.Stream) { s.Reason("", "a") }, true, false},
		"redacted":         {func(s *relay.Stream) { s.Redact([]byte("a")) }, true, false},
		"text":             {func(s *relay.Stream) { s.Write("a") }, true, true},
		"a use of a tool":  {func(s *relay.Stream) { s.UseTool(model.ToolUse{ID: "t", Name: "n", Input: json.RawMessage("{}")}) }, true, true},
		"nothing redacted": {func(s *relay.Stream) { s.Redact([]byte{}) }, false, false},
	} {
		s := relay.NewHub(newGateway(), sockets("a")).Open(t.Context(), options(&chunks{}))
		test.say(s)
		if s.Started() != test.started || s.Answered() != test.answered {
			t.Errorf("%s: started %v, answered %v", name, s.Started(), s.Answered())
		}
		s.Leave()
	}
}
