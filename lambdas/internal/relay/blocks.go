package relay

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/streaming-service/streaming-service/lambdas/internal/model"
	"github.com/streaming-service/streaming-service/protocol"
)

// Reason relays a piece of reasoning: text, soon, and at once a piece of the
// signature that ends it.
func (s *Stream) Reason(text, signature string) {
	s.write(protocol.FrameReasoning, text)
	if signature != "" {
		s.sign(strings.ToValidUTF8(signature, "\uFFFD"))
	}
}

// sign relays a signature with the reasoning that waits, so that it needs no
// frame of its own where there is room.
func (s *Stream) sign(signature string) {
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.begin(protocol.FrameReasoning, now) {
		return
	}
	text := s.pending.String()
	if !fits(text+signature, maxEncodedText) {
		s.flush(now)
		text = ""
	}
	s.pending.Reset()
	for _, piece := range cut(signature, maxEncodedText) {
		s.emit(protocol.Frame{Type: protocol.FrameReasoning, Text: text, Signature: piece}, len(text)+len(piece))
		text = ""
	}
	s.shown += int64(len(signature))
	s.flushed = now
}

// Redact relays reasoning that the model keeps to itself. Its bytes have been
// counted.
func (s *Stream) Redact(data []byte) {
	const most = maxEncodedInput / 4 * 3 // in base64
	parts := slices.Collect(slices.Chunk(data, most))
	frames := make([]protocol.Frame, len(parts))
	for i, part := range parts {
		frames[i] = protocol.Frame{Type: protocol.FrameReasoning, Redacted: part}
	}
	s.whole(frames)
}

// UseTool relays a use of a tool. Its bytes have been counted.
func (s *Stream) UseTool(use model.ToolUse) {
	f := protocol.Frame{Type: protocol.FrameToolUse, ToolUseID: use.ID, Name: use.Name, Input: use.Input}
	if len(use.Input) <= maxEncodedInput { // JSON as it is: nothing grows
		s.whole([]protocol.Frame{f})
		return
	}
	var frames []protocol.Frame
	for _, piece := range cut(string(use.Input), maxEncodedInput) {
		f.Input = json.RawMessage(protocol.Encode(piece))
		frames = append(frames, f)
	}
	s.whole(frames)
}

// whole relays at once a block that is whole, in as many parts as it has frames.
func (s *Stream) whole(frames []protocol.Frame) {
	if len(frames) == 0 {
		return
	}
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.begin(frames[0].Type, now) {
		return
	}
	s.flush(now)
	for i, f := range frames {
		if len(frames) > 1 {
			f.Part, f.Parts = i+1, len(frames)
		}
		s.emit(f, 0)
	}
	s.flushed = now
}
