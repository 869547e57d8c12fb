package protocol_test

import (
	"bytes"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/streaming-service/streaming-service/protocol"
)

// life is what a service may truthfully send about one request: the frames of
// each attempt, of which the last one may end.
type life struct {
	attempts [][]protocol.Frame
	answer   *protocol.Answer // of the attempt that the end belongs to
	end      protocol.Frame
	foreign  bool // the end is somebody else's: attempt+1, seq 0
}

func drawLife(t *rapid.T) life {
	var l life
	voided := rapid.IntRange(0, 2).Draw(t, "voided attempts")
	for attempt := 1; attempt <= voided+1; attempt++ {
		frames := []protocol.Frame{protocol.StartFrame(requestID, attempt, "m")}
		l.answer = new(protocol.Answer)
		for range rapid.IntRange(0, 12).Draw(t, "blocks") {
			frames = append(frames, drawPieces(t, attempt, len(frames))...)
		}
		for _, frame := range frames {
			l.answer.Add(frame)
		}
		l.attempts = append(l.attempts, frames)
	}
	last := voided + 1
	failure := protocol.RequestError{Code: protocol.CodeModelError, Message: "failed", Retryable: true}
	switch rapid.SampledFrom([]string{"done", "error", "foreign"}).Draw(t, "end") {
	case "done":
		l.end = protocol.DoneFrame(requestID, last, len(l.attempts[last-1]), "end_turn", protocol.TokenUsage{OutputTokens: 1})
	case "error":
		l.end = protocol.ErrorFrame(requestID, last, len(l.attempts[last-1]), failure)
	case "foreign":
		l.end, l.foreign = protocol.ErrorFrame(requestID, last+1, 0, failure), true
	}
	if !l.foreign {
		l.attempts[last-1] = append(l.attempts[last-1], l.end)
	}
	return l
}

// drawPieces draws the frames of the next piece of an answer.
func drawPieces(t *rapid.T, attempt, seq int) []protocol.Frame {
	text := rapid.StringN(1, 4, -1).Draw(t, "text")
	switch rapid.SampledFrom([]string{"text", "text", "reasoning", "signature", "redacted", "tool", "parts"}).Draw(t, "piece") {
	case "reasoning":
		return []protocol.Frame{protocol.ReasoningFrame(requestID, attempt, seq, text, "")}
	case "signature":
		return []protocol.Frame{protocol.ReasoningFrame(requestID, attempt, seq, "", "c2lnbmVk")}
	case "redacted":
		return []protocol.Frame{protocol.RedactedFrame(requestID, attempt, seq, []byte(text))}
	case "tool":
		return []protocol.Frame{protocol.ToolUseFrame(requestID, attempt, seq, text, "tool", protocol.Encode(map[string]string{"x": text}))}
	case "parts":
		first := protocol.ToolUseFrame(requestID, attempt, seq, text, "tool", protocol.Encode(`{"x":`))
		second := protocol.ToolUseFrame(requestID, attempt, seq+1, text, "tool", protocol.Encode("7}"))
		first.Part, first.Parts, second.Part, second.Parts = 1, 2, 2, 2
		return []protocol.Frame{first, second}
	}
	return []protocol.Frame{protocol.DeltaFrame(requestID, attempt, seq, text)}
}

// frames are all frames of the life in the order in which they were made.
func (l life) frames() []protocol.Frame {
	all := slices.Concat(l.attempts...)
	if l.foreign {
		all = append(all, l.end)
	}
	return all
}

// replay is what the service answers to a resume: what is missing of the
// current attempt, and the end.
func (l life) replay(attempt, afterSeq int) []protocol.Frame {
	current := l.attempts[len(l.attempts)-1]
	if attempt != len(l.attempts) {
		afterSeq = -1
	}
	frames := slices.Clone(current[min(afterSeq+1, len(current)):])
	if l.foreign {
		frames = append(frames, l.end)
	}
	return frames
}

// client is the least a client does around an Assembler.
type client struct {
	protocol.Assembler
	shown, reasoned string
	uses            []protocol.Block
	ends            int
}

func (c *client) see(change protocol.Change) {
	if change.Restarted {
		c.shown, c.reasoned, c.uses = "", "", nil
	}
	c.shown += change.Text
	c.reasoned += change.Reasoning
	c.uses = append(c.uses, change.ToolUses...)
	if change.Ended {
		c.ends++
	}
}

// TestAnyDeliveryGivesTheExactText delivers the frames of a life in any order,
// with any loss and duplication, and then replays as often as asked for.
func TestAnyDeliveryGivesTheExactText(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		l := drawLife(t)
		var c client
		for _, frame := range drawDelivery(t, l) {
			c.see(c.Apply(frame))
		}
		for resumes := 0; c.End() == nil; resumes++ {
			if resumes > 50 {
				t.Fatalf("no end after %d resumes at (%d, %d)", resumes, c.Attempt(), c.Last())
			}
			replay := l.replay(c.Attempt(), c.Last())
			for _, frame := range replay[:rapid.IntRange(1, len(replay)).Draw(t, "prefix")] {
				c.see(c.Apply(frame))
			}
		}
		for _, frame := range l.frames() {
			c.see(c.Apply(frame))
		}
		c.check(t, l)
	})
}

// TestStatesAndFramesTogetherGiveTheExactText mixes in what GET says at some
// point of the delivery.
func TestStatesAndFramesTogetherGiveTheExactText(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		l := drawLife(t)
		var c client
		for _, frame := range drawDelivery(t, l) {
			c.see(c.Apply(frame))
			if rapid.IntRange(0, 4).Draw(t, "read") == 0 {
				c.see(c.Adopt(l.stateAt(t)))
			}
		}
		c.see(c.Adopt(l.finalState()))
		c.check(t, l)
	})
}

// drawDelivery loses some frames, repeats some and moves the others about.
func drawDelivery(t *rapid.T, l life) []protocol.Frame {
	var delivery []protocol.Frame
	for _, frame := range l.frames() {
		for range rapid.SampledFrom([]int{0, 1, 1, 1, 2}).Draw(t, "copies") {
			delivery = append(delivery, frame)
		}
	}
	if rapid.Bool().Draw(t, "shuffled") {
		delivery = rapid.Permutation(delivery).Draw(t, "order")
	}
	return delivery
}

// stateAt is what GET may say while the request is open.
func (l life) stateAt(t *rapid.T) protocol.RequestState {
	attempt := rapid.IntRange(1, len(l.attempts)).Draw(t, "state's attempt")
	frames := l.attempts[attempt-1]
	state := protocol.RequestState{RequestID: requestID, Status: protocol.StatusStreaming, Attempt: attempt, LastSeq: -1}
	var answer protocol.Answer
	for _, frame := range frames[:rapid.IntRange(0, len(frames)).Draw(t, "state's frames")] {
		if answer.Add(frame); !frame.Ends() && !answer.Partial() {
			state.LastSeq = *frame.Seq
		}
	}
	state.Text, state.Content = answer.Text(), answer.Content()
	return state
}

// finalState is what GET says once the request has ended.
func (l life) finalState() protocol.RequestState {
	state := protocol.RequestState{RequestID: requestID, Attempt: l.end.Attempt, Text: l.answer.Text(), Content: l.answer.Content(), LastSeq: *l.end.Seq}
	if l.end.Type == protocol.FrameDone {
		state.Status, state.StopReason, state.Usage = protocol.StatusSucceeded, l.end.StopReason, l.end.Usage
		return state
	}
	state.Status = protocol.StatusFailed
	state.Error = &protocol.RequestError{Code: l.end.Code, Message: l.end.Message, Retryable: *l.end.Retryable}
	return state
}

// check fails unless exactly one end was said, what was shown is the
// assembler's text, and that text is exact when the request succeeded.
func (c *client) check(t *rapid.T, l life) {
	t.Helper()
	if c.ends != 1 {
		t.Fatalf("%d ends", c.ends)
	}
	if got, want := string(c.End().Encode()), string(l.end.Encode()); got != want {
		t.Fatalf("end %s, want %s", got, want)
	}
	if c.shown != c.Text() {
		t.Fatalf("shown %q, text %q", c.shown, c.Text())
	}
	if c.reasoned != c.Reasoning() {
		t.Fatalf("shown reasoning %q, reasoning %q", c.reasoned, c.Reasoning())
	}
	if l.end.Type != protocol.FrameDone {
		return
	}
	if got, want := protocol.Encode(c.Content()), protocol.Encode(l.answer.Content()); !bytes.Equal(got, want) {
		t.Fatalf("content %s, want %s", got, want)
	}
	if got, want := protocol.Encode(c.uses), protocol.Encode(l.answer.ToolUses()); !bytes.Equal(got, want) || c.shown != l.answer.Text() {
		t.Fatalf("shown %q and tools %s, want %q and %s", c.shown, got, l.answer.Text(), want)
	}
}

// FuzzDecodeFrame feeds arbitrary bytes to a client's first two steps.
func FuzzDecodeFrame(f *testing.F) {
	for _, seed := range drawnSeeds {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		frame, err := protocol.DecodeFrame(data)
		if err != nil {
			return
		}
		again, err := protocol.DecodeFrame(frame.Encode())
		if err != nil || string(again.Encode()) != string(frame.Encode()) {
			t.Fatalf("%s decoded again: %s, %v", frame.Encode(), again.Encode(), err)
		}
		if inside := protocol.Encode([]protocol.Frame{frame}); string(inside) != "["+string(frame.Encode())+"]" {
			t.Fatalf("%s is %s in a list", frame.Encode(), inside)
		}
		var c client
		c.see(c.Apply(protocol.StartFrame(frame.RequestID, 1, "m")))
		c.see(c.Apply(frame))
		c.see(c.Apply(frame))
		if c.ends > 1 || c.shown != c.Text() {
			t.Fatalf("%d ends, shown %q, text %q", c.ends, c.shown, c.Text())
		}
	})
}

var drawnSeeds = []string{
	`{"type":"start","requestId":"aaaaaaaaaaaaaaaaaaaaaaaaaa","attempt":1,"seq":0,"model":"m"}`,
	`{"type":"delta","requestId":"aaaaaaaaaaaaaaaaaaaaaaaaaa","attempt":1,"seq":1,"text":"日本\u0000<"}`,
	`{"type":"done","requestId":"a","attempt":1,"seq":9,"stopReason":"end_turn","usage":{"inputTokens":1,"outputTokens":2}}`,
	`{"type":"error","requestId":"a","attempt":2,"seq":0,"code":"cancelled","message":"m","retryable":true}`,
	`{"type":"error","code":"not_found","message":"m"}`,
	`{"type":"reasoning","requestId":"a","attempt":1,"seq":1,"text":"","redacted":"c2Vj","part":1,"parts":2}`,
	`{"type":"toolUse","requestId":"a","attempt":1,"seq":1,"toolUseId":"t","name":"n","input":{"a":[1e400]}}`,
	`{"type":"toolUse","requestId":"a","attempt":1,"seq":1,"toolUseId":"t","name":"n","input":"{\"a","part":1,"parts":1}`,
	`{"message":"Internal server error","connectionId":"R1kmxc2VNjMCFIA=","requestId":"x"}`,
	`{"type":"pong"}`, `{"type":"delta","requestId":"a","attempt":9007199254740993,"seq":-0,"text":"\ud800"}`, `null`, `[]`, ``,
}
