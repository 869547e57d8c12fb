package bedrock

import (
	"bytes"
	"encoding/json"

	"github.com/streaming-service/streaming-service/lambdas/internal/model"
)

// whole is a block that is passed on when it has ended: a use of a tool, or
// reasoning that the model keeps to itself.
type whole struct {
	use  *model.ToolUse // nil: reasoning
	data []byte
}

// block is the open block with an index.
func (t *transcript) block(index int32) *whole {
	if t.open == nil {
		t.open = map[int32]*whole{}
	}
	if t.open[index] == nil {
		t.open[index] = &whole{}
	}
	return t.open[index]
}

// end passes on the block with an index, if it was gathered.
func (t *transcript) end(index int32) {
	b := t.open[index]
	delete(t.open, index)
	switch {
	case b == nil:
	case b.use == nil:
		t.onDelta(model.Delta{Kind: model.KindReasoning, Redacted: b.data})
	default:
		var ok bool
		if b.use.Input, ok = toolInput(b.data); !ok {
			t.malformed = true
			return
		}
		t.onDelta(model.Delta{Kind: model.KindToolUse, ToolUse: b.use})
	}
}

// toolInput is the input of a tool as one JSON object. The input of a tool that
// takes none may be empty; one that was cut off is none.
func toolInput(data []byte) (json.RawMessage, bool) {
	data = bytes.ToValidUTF8(bytes.TrimSpace(data), []byte("\uFFFD"))
	if len(data) == 0 {
		return json.RawMessage("{}"), true
	}
	var compact bytes.Buffer
	if data[0] != '{' || json.Compact(&compact, data) != nil {
		return nil, false
	}
	return compact.Bytes(), true
}
