// Package model says what a language model answers, whoever serves it.
package model

import (
	"fmt"

	"github.com/streaming-service/streaming-service/protocol"
)

// Answer is how a complete answer ended.
type Answer struct {
	StopReason string
	Usage      *protocol.TokenUsage // nil: not reported
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
