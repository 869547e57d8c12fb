package attempt

import (
	"context"
	"sync"

	"github.com/streaming-service/streaming-service/lambdas/internal/model"
)

// listener takes the answer of one call of the model.
type listener struct {
	*attempt
	sent func() // is told that the model has read its input
}

var _ model.Listener = listener{}

// Take implements model.Listener.
func (l listener) Take(piece model.Delta) {
	l.sent()
	l.take(piece)
}

// Rest implements model.Listener. Who is told every piece at once has no rest.
func (l listener) Rest(ctx context.Context) {
	if l.OnDelta == nil {
		l.stream.Rest(ctx)
	}
}

// take receives what the model produces: text, reasoning and uses of tools are
// shown, and all is counted.
func (a *attempt) take(delta model.Delta) {
	a.stream.Count(delta.Size)
	if !delta.Kind.Known() {
		a.unknown.Add(1)
		if a.strangers.first(delta.Kind) {
			a.log.Warn("the model produces what this version does not know", "kind", delta.Kind)
		}
		return
	}
	if a.OnDelta != nil {
		a.OnDelta(delta)
	}
	switch {
	case delta.Kind == model.KindText:
		a.stream.Write(delta.Text)
	case delta.ToolUse != nil:
		a.stream.UseTool(*delta.ToolUse)
	case delta.Redacted != nil:
		a.stream.Redact(delta.Redacted)
	case delta.Kind == model.KindReasoning:
		a.stream.Reason(delta.Text, delta.Signature)
	}
}

// strangers are the kinds of pieces that this process has told of.
type strangers struct{ told sync.Map }

func (s *strangers) first(kind model.Kind) bool {
	_, told := s.told.LoadOrStore(kind, true)
	return !told
}
