package life_test

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/protocol"
)

func TestEndFrame(t *testing.T) {
	t.Parallel()
	done := life.Record{
		Key: life.Key{RequestID: "r"}, Status: protocol.StatusSucceeded, Attempt: 2, EndSeq: 5, StopReason: "end_turn",
		Usage: &protocol.TokenUsage{InputTokens: 1, OutputTokens: 2},
	}
	if got, want := string(life.EndFrame(done).Encode()), `{"type":"done","requestId":"r","attempt":2,"seq":5,"stopReason":"end_turn","usage":{"inputTokens":1,"outputTokens":2}}`; got != want {
		t.Errorf("done = %s", got)
	}
	retryable := map[protocol.Code]bool{
		protocol.CodeModelThrottled: true, protocol.CodeModelError: true, protocol.CodeModelTimeout: true, protocol.CodeContentFiltered: false,
		protocol.CodeCancelled: false, protocol.CodeExpired: true, protocol.CodeDeadLettered: true, protocol.CodeInternal: true,
	}
	for code, want := range retryable {
		f := life.EndFrame(life.Record{Key: life.Key{RequestID: "r"}, Status: protocol.StatusFailed, Attempt: 1, ErrorCode: code})
		if f.Type != protocol.FrameError || f.Code != code || f.Message == "" || *f.Retryable != want || *f.Seq != 0 {
			t.Errorf("%s: %s", code, f.Encode())
		}
	}
	if f := life.Failure("new_code"); f.Code != "new_code" || f.Message == "" {
		t.Errorf("unknown code: %+v", f)
	}
}

// A failure that no other try can mend says so, in its frame and when read.
func TestFinalFailureIsNotRetryable(t *testing.T) {
	t.Parallel()
	r := life.Record{Key: life.Key{RequestID: "r"}, Status: protocol.StatusFailed, Attempt: 1, EndSeq: 1, ErrorCode: protocol.CodeModelError}
	for _, final := range []bool{false, true} {
		r.Final = final
		if f := life.EndFrame(r); *f.Retryable == final {
			t.Errorf("final %v: %s", final, f.Encode())
		}
		if s := life.State(r, nil); s.Error == nil || s.Error.Retryable == final {
			t.Errorf("final %v: read as %+v", final, s.Error)
		}
	}
}

func chunk(first int, texts ...string) life.Chunk {
	c := life.Chunk{FirstSeq: first, Text: strings.Join(texts, "")}
	for _, s := range texts {
		c.Lengths = append(c.Lengths, len(s))
	}
	return c
}

// seqs lists the frames as type and seq.
func seqs(frames []protocol.Frame) (out []string) {
	for _, f := range frames {
		out = append(out, string(f.Type)+" "+string(rune('0'+*f.Seq))+" "+f.Text)
	}
	return out
}

func TestReplay(t *testing.T) {
	t.Parallel()
	streaming := life.Record{Status: protocol.StatusStreaming, Attempt: 2}
	ended := life.Record{Status: protocol.StatusSucceeded, Attempt: 2, EndSeq: 4}
	byOther := life.Record{Status: protocol.StatusFailed, Attempt: 3, ErrorCode: protocol.CodeExpired}
	log := []life.Chunk{chunk(1, "a", "b"), chunk(3, "c")}
	tests := []struct {
		name    string
		record  life.Record
		chunks  []life.Chunk
		attempt int
		after   int
		want    []string
	}{
		{"queued", life.Record{Status: protocol.StatusQueued}, nil, 0, -1, nil},
		{"from nothing", streaming, log, 0, -1, []string{"start 0 ", "delta 1 a", "delta 2 b", "delta 3 c"}},
		{"after the start", streaming, log, 2, 0, []string{"delta 1 a", "delta 2 b", "delta 3 c"}},
		{"within a chunk", streaming, log, 2, 1, []string{"delta 2 b", "delta 3 c"}},
		{"nothing new", streaming, log, 2, 3, nil},
		{"of a lower attempt", streaming, log, 1, 9, []string{"start 0 ", "delta 1 a", "delta 2 b", "delta 3 c"}},
		{"of an attempt that never was", streaming, log, 7, 2, []string{"start 0 ", "delta 1 a", "delta 2 b", "delta 3 c"}},
		{"ended", ended, log, 2, 2, []string{"delta 3 c", "done 4 "}},
		{"ended and known", ended, log, 2, 4, []string{"done 4 "}},
		{"ended by another", byOther, log, 2, 2, []string{"error 0 "}},
		{"up to a gap", streaming, []life.Chunk{chunk(1, "a"), chunk(3, "c")}, 2, 0, []string{"delta 1 a"}},
		{"behind a gap", streaming, []life.Chunk{chunk(3, "c")}, 2, 0, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got := seqs(life.Replay(test.record, test.chunks, test.attempt, test.after)); !reflect.DeepEqual(got, test.want) {
				t.Errorf("Replay = %q, want %q", got, test.want)
			}
		})
	}
}

// drawAnswer draws the frames of an answer: text, reasoning and uses of tools,
// some of them in parts.
func drawAnswer(t *rapid.T) []protocol.Frame {
	var frames []protocol.Frame
	add := func(f protocol.Frame) {
		seq := len(frames) + 1
		f.RequestID, f.Attempt, f.Seq = "r", 1, &seq
		frames = append(frames, f)
	}
	for range rapid.IntRange(1, 40).Draw(t, "frames") {
		text := rapid.StringN(1, 5, 20).Draw(t, "text")
		switch rapid.SampledFrom([]string{"text", "text", "reasoning", "signature", "redacted", "tool", "parts"}).Draw(t, "kind") {
		case "text":
			add(protocol.Frame{Type: protocol.FrameDelta, Text: text})
		case "reasoning":
			add(protocol.Frame{Type: protocol.FrameReasoning, Text: text})
		case "signature":
			add(protocol.Frame{Type: protocol.FrameReasoning, Text: text, Signature: text})
		case "redacted":
			add(protocol.Frame{Type: protocol.FrameReasoning, Redacted: []byte(text)})
		case "tool":
			add(protocol.Frame{Type: protocol.FrameToolUse, ToolUseID: "t", Name: "n", Input: protocol.Encode(map[string]string{text: text})})
		case "parts":
			for part, input := range []string{`{"a\u2028":`, `"<`, `"}`} {
				add(protocol.Frame{Type: protocol.FrameToolUse, ToolUseID: "t", Name: "n", Input: protocol.Encode(input), Part: part + 1, Parts: 3})
			}
		}
	}
	return frames
}

// A replay from any point gives the very frames that the stream had, and GET the
// blocks that they carry; of a block that the log holds in part it gives none.
func TestReplayGivesTheFramesOfTheStream(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		frames := drawAnswer(t)
		frames = frames[:rapid.IntRange(1, len(frames)).Draw(t, "so far")]
		record := life.Record{Key: life.Key{RequestID: "r"}, Status: protocol.StatusStreaming, Attempt: 1}
		var live [][]byte
		var pieces []life.Piece
		var want protocol.Answer
		last := 0
		for _, f := range frames {
			live, pieces = append(live, f.Encode()), append(pieces, life.PieceOf(f))
			if want.Add(f); !want.Partial() {
				last = *f.Seq
			}
		}
		var log []life.Chunk
		for i := 0; i < len(pieces); {
			n := rapid.IntRange(1, len(pieces)-i).Draw(t, "chunk")
			log = append(log, life.ChunkOf(i+1, pieces[i:i+n]))
			i += n
		}
		after := rapid.IntRange(0, len(frames)).Draw(t, "after")
		var replayed [][]byte
		for _, f := range life.Replay(record, log, 1, after) {
			replayed = append(replayed, f.Encode())
		}
		if !reflect.DeepEqual(replayed, append([][]byte(nil), live[after:]...)) {
			t.Fatalf("replayed %q, want %q", replayed, live[after:])
		}
		got := life.State(record, log)
		if got.Text != want.Text() || got.LastSeq != last || string(protocol.Encode(got.Content)) != string(protocol.Encode(want.Content())) {
			t.Fatalf("state %s, want %s up to %d", protocol.Encode(got), protocol.Encode(want.Content()), last)
		}
	})
}

// Chunks of text alone are what they were before there was anything else.
func TestChunksOfTextSayNoKinds(t *testing.T) {
	t.Parallel()
	plain := life.ChunkOf(3, []life.Piece{{Kind: life.PieceText, Text: "ab"}, {Kind: life.PieceText, Text: "é"}})
	if want := (life.Chunk{FirstSeq: 3, Lengths: []int{2, 2}, Text: "abé"}); !reflect.DeepEqual(plain, want) {
		t.Errorf("chunk %+v, want %+v", plain, want)
	}
	mixed := life.ChunkOf(3, []life.Piece{{Kind: life.PieceReasoning, Text: "ab"}, {Kind: life.PieceText, Text: "c"}})
	if mixed.Kinds != "rd" {
		t.Errorf("kinds %q", mixed.Kinds)
	}
}

func TestFramesOfABrokenChunk(t *testing.T) {
	t.Parallel()
	for name, broken := range map[string]life.Chunk{
		"a length too many": {FirstSeq: 1, Lengths: []int{1, 9}, Text: "ab"},
		"a kind too few":    {FirstSeq: 1, Lengths: []int{1, 1}, Kinds: "d", Text: "ab"},
		"a kind of later":   {FirstSeq: 1, Lengths: []int{1, 1}, Kinds: "d?", Text: "ab"},
		"no frame":          {FirstSeq: 1, Lengths: []int{1, 1}, Kinds: "df", Text: "ab"},
	} {
		next := life.Chunk{FirstSeq: 3, Lengths: []int{1}, Text: "c"}
		if got := seqs(life.AnswerFrames(life.Record{}, []life.Chunk{broken, next}, 0)); !reflect.DeepEqual(got, []string{"delta 1 a"}) {
			t.Errorf("%s: AnswerFrames = %q", name, got)
		}
	}
}

func TestState(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 24, 12, 0, 0, 5e6, time.UTC)
	log := []life.Chunk{chunk(1, "a", "b")}
	tests := []struct {
		name    string
		record  life.Record
		chunks  []life.Chunk
		text    string
		lastSeq int
		failure protocol.Code
	}{
		{"queued", life.Record{Status: protocol.StatusQueued}, nil, "", -1, ""},
		{"started", life.Record{Status: protocol.StatusStreaming, Attempt: 1}, nil, "", 0, ""},
		{"streaming", life.Record{Status: protocol.StatusStreaming, Attempt: 1}, log, "ab", 2, ""},
		{"between attempts", life.Record{Status: protocol.StatusQueued, Attempt: 1}, log, "ab", 2, ""},
		{"succeeded", life.Record{Status: protocol.StatusSucceeded, Attempt: 1, EndSeq: 3}, log, "ab", 2, ""},
		{"failed", life.Record{Status: protocol.StatusFailed, Attempt: 1, EndSeq: 3, ErrorCode: protocol.CodeModelError}, log, "ab", 2, protocol.CodeModelError},
		{"ended by another", life.Record{Status: protocol.StatusCancelled, Attempt: 2, ErrorCode: protocol.CodeCancelled}, log, "ab", -1, protocol.CodeCancelled},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.record.CreatedAt, test.record.UpdatedAt = at, at
			s := life.State(test.record, test.chunks)
			if s.Text != test.text || s.LastSeq != test.lastSeq || s.Attempt != test.record.Attempt || s.CreatedAt != "2026-11-24T12:00:00.005Z" {
				t.Errorf("State = %+v", s)
			}
			if (s.Error == nil) != (test.failure == "") || (s.Error != nil && s.Error.Code != test.failure) {
				t.Errorf("error = %+v", s.Error)
			}
		})
	}
}

func TestRequestIDs(t *testing.T) {
	t.Parallel()
	a := life.KeyedRequestID("u", "key")
	if a != life.KeyedRequestID("u", "key") || a == life.KeyedRequestID("v", "key") || a == life.KeyedRequestID("u", "other") {
		t.Error("keyed ids do not depend on user and key")
	}
	for _, id := range []string{a, life.NewRequestID(), life.NewOwner()} {
		if !life.ValidRequestID(id) {
			t.Errorf("%q is not valid", id)
		}
	}
	if one, another := life.NewRequestID(), life.NewRequestID(); one == another {
		t.Error("random ids repeat")
	}
	for _, id := range []string{"", "short", strings.ToUpper(a), a + "a", a[:25] + "1", a[:25] + "é"} {
		if life.ValidRequestID(id) {
			t.Errorf("%q is valid", id)
		}
	}
}
