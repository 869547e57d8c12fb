package protocol

import "encoding/json"

// FrameType says what a frame from the server is.
type FrameType string

// The frames that the server sends.
const (
	FrameStart     FrameType = "start"
	FrameDelta     FrameType = "delta"
	FrameReasoning FrameType = "reasoning"
	FrameToolUse   FrameType = "toolUse"
	FrameDone      FrameType = "done"
	FrameError     FrameType = "error"
	FramePong      FrameType = "pong"
)

// Stop reasons that mean something to a client. All others are those of Bedrock's
// Converse API, of an answer that is whole.
const (
	// StopReasonToolUse is an answer that waits for the results of the tools that
	// it uses, in the next request of the conversation.
	StopReasonToolUse = "tool_use"
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
	Type      FrameType `json:"type"`
	RequestID string    `json:"requestId,omitempty"`
	Attempt   int       `json:"attempt,omitempty"`
	Seq       *int      `json:"seq,omitempty"`
	Model     string    `json:"model,omitempty"`
	Text      string    `json:"text,omitempty"`
	// Signature and Redacted are those of reasoning, as a Block has them. Long
	// signatures come in several frames, to be joined.
	Signature string `json:"signature,omitempty"`
	Redacted  []byte `json:"redacted,omitempty"`
	// ToolUseID, Name and Input are those of a use of a tool.
	ToolUseID string          `json:"toolUseId,omitempty"`
	Name      string          `json:"name,omitempty"`
	Input     json.RawMessage `json:"input,omitempty"`
	// Part, from 1, and Parts are of a use of a tool, or of redacted reasoning,
	// that is too long for one frame. Input is then a string, a piece of the
	// JSON: joined, the pieces are the whole.
	Part       int         `json:"part,omitempty"`
	Parts      int         `json:"parts,omitempty"`
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

// ReasoningFrame carries the next piece of an attempt's reasoning: text, a piece
// of the signature that ends a block of it, or both.
func ReasoningFrame(requestID string, attempt, seq int, text, signature string) Frame {
	return Frame{Type: FrameReasoning, RequestID: requestID, Attempt: attempt, Seq: &seq, Text: text, Signature: signature}
}

// RedactedFrame carries reasoning that the model keeps to itself.
func RedactedFrame(requestID string, attempt, seq int, redacted []byte) Frame {
	return Frame{Type: FrameReasoning, RequestID: requestID, Attempt: attempt, Seq: &seq, Redacted: redacted}
}

// ToolUseFrame carries a use of a tool. input is a JSON object.
func ToolUseFrame(requestID string, attempt, seq int, toolUseID, name string, input json.RawMessage) Frame {
	return Frame{Type: FrameToolUse, RequestID: requestID, Attempt: attempt, Seq: &seq, ToolUseID: toolUseID, Name: name, Input: input}
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
func (f Frame) Encode() []byte { return Encode(f.wire()) }

// MarshalJSON implements json.Marshaler.
func (f Frame) MarshalJSON() ([]byte, error) { return marshal(f.wire()) }

// wire is the frame as JSON has it: the text of reasoning is there even if it is
// empty.
func (f Frame) wire() any {
	type plain Frame
	if f.Type != FrameReasoning {
		return plain(f)
	}
	return struct {
		Type      FrameType `json:"type"`
		RequestID string    `json:"requestId,omitempty"`
		Attempt   int       `json:"attempt,omitempty"`
		Seq       *int      `json:"seq,omitempty"`
		Text      string    `json:"text"`
		plain
	}{f.Type, f.RequestID, f.Attempt, f.Seq, f.Text, plain(f)}
}

// Encode marshals v as the service does everywhere: compact, without escaping
// of HTML characters. It panics if v cannot be marshalled, which no wire type
// of this package can cause.
func Encode(v any) []byte {
	data, err := marshal(v)
	if err != nil {
		panic("protocol: encoding " + err.Error())
	}
	return data
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
