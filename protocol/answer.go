package protocol

import (
	"encoding/json"
	"slices"
	"strings"
)

// Answer puts the blocks of an answer together from its frames, applied in their
// order. The zero value is an answer without a word. It is not to be copied once
// in use.
type Answer struct {
	text, reasoning strings.Builder
	pieces          []piece
	parts           []Frame // of a block of which more are to come
}

// piece is a block of an answer: a range of its text or of its reasoning, or one
// that came whole.
type piece struct {
	kind      BlockType
	from, to  int
	signature string
	whole     *Block
}

// AnswerOf is the answer that a state tells.
func AnswerOf(s RequestState) *Answer {
	a := new(Answer)
	for _, b := range s.Content {
		switch {
		case b.Type == BlockText:
			a.addText(b.Text)
		case b.Type == BlockReasoning && b.Redacted == nil:
			a.addReasoning(b.Text, b.Signature)
		default:
			a.addWhole(b)
		}
	}
	if a.text.Len() == 0 { // a service that knows text only
		a.addText(s.Text)
	}
	return a
}

// Text is the joined text of the blocks.
func (a *Answer) Text() string { return a.text.String() }

// Reasoning is the joined text of the reasoning.
func (a *Answer) Reasoning() string { return a.reasoning.String() }

// Partial reports whether a block has come in part only.
func (a *Answer) Partial() bool { return len(a.parts) > 0 }

// Content is the answer so far, as blocks: what the next request of the
// conversation has for the assistant's message.
func (a *Answer) Content() []Block {
	var blocks []Block
	for _, p := range a.pieces {
		switch {
		case p.whole != nil:
			blocks = append(blocks, *p.whole)
		case p.kind == BlockText:
			blocks = append(blocks, TextBlock(a.text.String()[p.from:p.to]))
		default:
			blocks = append(blocks, Block{Type: p.kind, Text: a.reasoning.String()[p.from:p.to], Signature: p.signature})
		}
	}
	return blocks
}

// ToolUses are the uses of tools that the answer asks for.
func (a *Answer) ToolUses() []Block {
	var uses []Block
	for _, p := range a.pieces {
		if p.kind == BlockToolUse {
			uses = append(uses, *p.whole)
		}
	}
	return uses
}

// Add appends what the next frame of an attempt carries.
func (a *Answer) Add(f Frame) {
	switch {
	case f.Type == FrameDelta:
		a.addText(f.Text)
	case f.Type == FrameReasoning && f.Redacted == nil:
		a.addReasoning(f.Text, f.Signature)
	case f.Type == FrameReasoning, f.Type == FrameToolUse:
		a.addPart(f)
	}
}

func (a *Answer) addText(text string) {
	if text == "" {
		return
	}
	from := a.text.Len()
	a.text.WriteString(text)
	if last := a.last(); last != nil && last.kind == BlockText {
		last.to = a.text.Len()
		return
	}
	a.pieces = append(a.pieces, piece{kind: BlockText, from: from, to: a.text.Len()})
}

// addReasoning goes on with the last block of reasoning. Text after a signature
// begins another.
func (a *Answer) addReasoning(text, signature string) {
	if text == "" && signature == "" {
		return
	}
	from := a.reasoning.Len()
	a.reasoning.WriteString(text)
	if last := a.last(); last != nil && last.kind == BlockReasoning && last.whole == nil && (last.signature == "" || text == "") {
		last.to = a.reasoning.Len()
		last.signature += signature
		return
	}
	a.pieces = append(a.pieces, piece{kind: BlockReasoning, from: from, to: a.reasoning.Len(), signature: signature})
}

func (a *Answer) addWhole(b Block) {
	a.pieces = append(a.pieces, piece{kind: b.Type, whole: &b})
}

// addPart takes a block that came whole, or one more part of it. Parts come one
// after the other; what is not the next one of its block is not taken.
func (a *Answer) addPart(f Frame) {
	if f.Part != len(a.parts)+1 || len(a.parts) > 0 && f.Parts != a.parts[0].Parts {
		a.parts = nil
	}
	if f.Parts == 0 {
		a.addWhole(f.block(f.Input, f.Redacted))
		return
	}
	if f.Part != len(a.parts)+1 {
		return
	}
	if a.parts = append(a.parts, f); f.Part < f.Parts {
		return
	}
	var input, redacted []byte
	for _, part := range a.parts {
		var text string
		if len(part.Input) > 0 && json.Unmarshal(part.Input, &text) != nil {
			text = ""
		}
		input, redacted = append(input, text...), append(redacted, part.Redacted...)
	}
	a.parts = nil
	if f.Type == FrameReasoning || json.Valid(input) {
		a.addWhole(f.block(input, redacted))
	}
}

// block is the block that a frame carries, alone or with the parts before it.
func (f Frame) block(input json.RawMessage, redacted []byte) Block {
	if f.Type == FrameReasoning {
		return Block{Type: BlockReasoning, Redacted: redacted}
	}
	return Block{Type: BlockToolUse, ToolUseID: f.ToolUseID, Name: f.Name, Input: slices.Clone(input)}
}

func (a *Answer) last() *piece {
	if len(a.pieces) == 0 {
		return nil
	}
	return &a.pieces[len(a.pieces)-1]
}

// toolUsesFrom are the uses of tools after the first n.
func (a *Answer) toolUsesFrom(n int) []Block {
	if uses := a.ToolUses(); n < len(uses) {
		return uses[n:]
	}
	return nil
}

// beginsWith reports whether other may be what this answer was some time ago.
func (a *Answer) beginsWith(other *Answer) bool {
	uses := a.ToolUses()
	if !strings.HasPrefix(a.Text(), other.Text()) || !strings.HasPrefix(a.Reasoning(), other.Reasoning()) {
		return false
	}
	for i, use := range other.ToolUses() {
		if i >= len(uses) || uses[i].ToolUseID != use.ToolUseID {
			return false
		}
	}
	return true
}
