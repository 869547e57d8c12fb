package attempt

import (
	"sync"

	"github.com/streaming-service/streaming-service/lambdas/internal/model"
)

// take receives what the model produces: text is shown, and all is counted.
func (a *attempt) take(delta model.Delta) {
	if delta.Kind == model.KindText {
		if a.OnText != nil {
			a.OnText(delta.Text)
		}
		a.stream.Write(delta.Text)
		return
	}
	a.stream.Count(delta.Size)
	if !delta.Kind.Known() {
		a.unknown.Add(1)
		if a.strangers.first(delta.Kind) {
			a.log.Warn("the model produces what this version does not know", "kind", delta.Kind)
		}
	}
}

// strangers are the kinds of pieces that this process has told of.
type strangers struct{ told sync.Map }

func (s *strangers) first(kind model.Kind) bool {
	_, told := s.told.LoadOrStore(kind, true)
	return !told
}
