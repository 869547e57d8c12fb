package protocol

import (
	"encoding/json"
	"fmt"
)

// DecodeFrame reads one frame from the server. Frames of a type that this
// version does not know, and API Gateway's own messages, which have no type,
// are returned as they are: the rules of an Assembler ignore them, but for the
// place that one has in the sequence of its request. It fails on what is not a
// JSON object and on a frame of a request without its attempt or sequence
// number.
func DecodeFrame(data []byte) (Frame, error) {
	var f Frame
	if err := json.Unmarshal(data, &f); err != nil {
		return Frame{}, fmt.Errorf("decoding frame: %w", err)
	}
	if f.numbered() && !f.placed() {
		return Frame{}, fmt.Errorf("decoding frame: %s without requestId, attempt or seq", f.Type)
	}
	return f, nil
}

// numbered reports whether the frame belongs to a request and so carries an
// attempt and a sequence number. One of a type that this version does not know
// does if it has them.
func (f Frame) numbered() bool {
	switch f.Type {
	case FrameStart, FrameDelta, FrameReasoning, FrameToolUse, FrameDone:
		return true
	case FrameError:
		return f.RequestID != ""
	case FramePong, "":
		return false
	default:
		return f.placed()
	}
}

// placed reports whether the frame has a place in the sequence of a request.
func (f Frame) placed() bool {
	return f.RequestID != "" && f.Attempt >= 1 && f.Seq != nil && *f.Seq >= 0
}

// Ends reports whether the frame ends its request.
func (f Frame) Ends() bool {
	return f.RequestID != "" && (f.Type == FrameDone || f.Type == FrameError)
}

// Ping returns the client's frame that asks for a pong.
func Ping() ClientFrame { return ClientFrame{Action: ActionPing} }

// Cancel returns the client's frame that stops a request.
func Cancel(requestID string) ClientFrame {
	return ClientFrame{Action: ActionCancel, RequestID: requestID}
}

// Resume returns the client's frame that asks for what follows afterSeq of an
// attempt. Attempt 0 and afterSeq -1 are left out: they are the defaults.
func Resume(requestID string, attempt, afterSeq int) ClientFrame {
	f := ClientFrame{Action: ActionResume, RequestID: requestID}
	if attempt > 0 {
		f.Attempt = &attempt
	}
	if afterSeq >= 0 {
		f.AfterSeq = &afterSeq
	}
	return f
}

// Encode returns the bytes that go over the wire.
func (f ClientFrame) Encode() []byte { return Encode(f) }
