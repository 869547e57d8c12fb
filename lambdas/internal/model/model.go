// Package model says what a language model answers, whoever serves it.
package model

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/streaming-service/streaming-service/protocol"
)

// Delta is one piece of what a model produces. All of it is paid for: Text,
// Signature and Redacted for their bytes, and Size for bytes that are not among
// them.
type Delta struct {
	Kind Kind
	Text string // of KindText and KindReasoning
	// Signature ends a block of reasoning. It may come in pieces.
	Signature string
	Redacted  []byte   // of KindReasoning: a block that the model keeps to itself
	ToolUse   *ToolUse // of KindToolUse, once it is whole
	Size      int
}

// ToolUse is a use of a tool that the model asks for.
type ToolUse struct {
	ID    string
	Name  string
	Input json.RawMessage // an object
}

// Kind says what a piece is. One that has no constant here is named by the
// adapter after what the model's service sent.
type Kind string

// The kinds that this code knows.
const (
	KindText      Kind = "text"
	KindReasoning Kind = "reasoning"
	KindToolUse   Kind = "toolUse"
)

// Known reports whether this code knows the kind.
func (k Kind) Known() bool { return k == KindText || k == KindReasoning || k == KindToolUse }

// Listener takes what a model says.
type Listener interface {
	// Take takes one piece.
	Take(piece Delta)
	// Rest returns once the listener wants more pieces, or ctx is over. Until then
	// they may as well gather wherever they are.
	Rest(ctx context.Context)
}

// Answer is how a complete answer ended.
type Answer struct {
	StopReason string
	// Usage is what the model reported. nil: nothing; a count of 0: not this one,
	// or nothing to count.
	Usage *protocol.TokenUsage
}

// Failure is the error of an answer that is not complete.
type Failure struct {
	Code      protocol.Code // what the user is told
	Retryable bool          // another call is worth its price
	Final     bool          // no call can succeed, whoever makes it
	Err       error         // nil: the model said no more
}

func (f *Failure) Error() string {
	if f.Err == nil {
		return string(f.Code)
	}
	return fmt.Sprintf("%s: %v", f.Code, f.Err)
}

func (f *Failure) Unwrap() error { return f.Err }
