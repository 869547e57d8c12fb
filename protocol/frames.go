package protocol

import (
	"bytes"
	"encoding/json"
)

// FrameType says what a frame from the server is.
type FrameType string

// The frames that the server sends.
const (
	FrameStart FrameType = "start"
	FrameDelta FrameType = "delta"
	FrameDone  FrameType = "done"
	FrameError FrameType = "error"
	FramePong  FrameType = "pong"
)

// Stop reasons of an answer that ends a request and is not whole. All others, of
// an answer that is, are those of Bedrock's Converse API.
const (
	// StopReasonMaxTokens is an answer that reached the request's maxTokens.
	StopReasonMaxTokens = "max_tokens"
	// StopReasonContextWindow is an answer that filled the model's context.
	StopReasonContextWindow = "model_context_window_exceeded"
	// StopReasonDeadline is an answer that the service cut, because the model had
	// had all the time that a request may take (functions.timeout).
	StopReasonDeadline = "deadline"
)

// IsCut reports whether the answer was cut short: there may be more to say.
func IsCut(stopReason string) bool {
	switch stopReason {
	case StopReasonMaxTokens, StopReasonContextWindow, StopReasonDeadline:
		return true
	}
	return false
}

// Frame is one JSON object that the server sends over the socket. Which fields
// are present depends on Type. An error frame without RequestID answers the
// client's own frame and ends nothing.
type Frame struct {
	Type       FrameType   `json:"type"`
	RequestID  string      `json:"requestId,omitempty"`
	Attempt    int         `json:"attempt,omitempty"`
	Seq        *int        `json:"seq,omitempty"`
	Model      string      `json:"model,omitempty"`
	Text       string      `json:"text,omitempty"`
	StopReason string      `json:"stopReason,omitempty"`
	Usage      *TokenUsage `json:"usage,omitempty"`
	Code       Code        `json:"code,omitempty"`
	Message    string      `json:"message,omitempty"`
	Retryable  *bool       `json:"retryable,omitempty"`
}

// StartFrame opens an attempt: seq 0.
func StartFrame(requestID string, attempt int, model string) Frame {
	return Frame{Type: FrameStart, RequestID: requestID, Attempt: attempt, Seq: new(int), Model: model}
}

// DeltaFrame carries the next piece of an attempt's text.
func DeltaFrame(requestID string, attempt, seq int, text string) Frame {
	return Frame{Type: FrameDelta, RequestID: requestID, Attempt: attempt, Seq: &seq, Text: text}
}

// DoneFrame ends a request that succeeded.
func DoneFrame(requestID string, attempt, seq int, stopReason string, usage TokenUsage) Frame {
	return Frame{Type: FrameDone, RequestID: requestID, Attempt: attempt, Seq: &seq, StopReason: stopReason, Usage: &usage}
}

// ErrorFrame ends a request that did not succeed.
func ErrorFrame(requestID string, attempt, seq int, e RequestError) Frame {
	return Frame{Type: FrameError, RequestID: requestID, Attempt: attempt, Seq: &seq, Code: e.Code, Message: e.Message, Retryable: &e.Retryable}
}

// NoticeFrame tells a client that a frame of its own was not understood
// (CodeInvalidMessage) or names no request of its user (CodeNotFound).
func NoticeFrame(code Code, message string) Frame {
	return Frame{Type: FrameError, Code: code, Message: message}
}

// PongFrame answers a ping.
func PongFrame() Frame { return Frame{Type: FramePong} }

// Encode returns the bytes that go over the wire. Equal frames encode to equal
// bytes, and text is not HTML-escaped.
func (f Frame) Encode() []byte { return Encode(f) }

// Encode marshals v as the service does everywhere: compact, without escaping
// of HTML characters. It panics if v cannot be marshalled, which no wire type
// of this package can cause.
func Encode(v any) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		panic("protocol: encoding " + err.Error())
	}
	return bytes.TrimRight(b.Bytes(), "\n")
}

// Action is what a client asks for over the socket.
type Action string

// The actions of a client.
const (
	ActionPing   Action = "ping"
	ActionCancel Action = "cancel"
	ActionResume Action = "resume"
)

// ClientFrame is one JSON object that a client sends over the socket. Attempt
// and AfterSeq belong to resume and default to 0 and -1: "I have nothing".
type ClientFrame struct {
	Action    Action `json:"action"`
	RequestID string `json:"requestId,omitempty"`
	Attempt   *int   `json:"attempt,omitempty"`
	AfterSeq  *int   `json:"afterSeq,omitempty"`
}
