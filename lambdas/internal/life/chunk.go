package life

import (
	"encoding/json"
	"strings"

	"github.com/streaming-service/streaming-service/protocol"
)

// Chunk is a run of consecutive frames of an answer in the log of an attempt.
type Chunk struct {
	FirstSeq     int    // seq of the first frame
	Lengths      []int  // bytes of each frame's text
	Kinds        string // a PieceKind for each frame; "": all are PieceText
	Text         string
	OutputTokens int64 // estimate, as of the last frame, of all that the model produced
}

// LastSeq is the seq of the chunk's last frame.
func (c Chunk) LastSeq() int { return c.FirstSeq + len(c.Lengths) - 1 }

// Piece is what the log keeps of one frame.
type Piece struct {
	Kind PieceKind
	Text string
}

// PieceKind says what the text of a piece is.
type PieceKind byte

// The kinds.
const (
	PieceText      PieceKind = 'd' // that of a delta
	PieceReasoning PieceKind = 'r' // that of a reasoning frame that has nothing else
	PieceFrame     PieceKind = 'f' // the JSON of a frame without its place
)

// PieceOf is what the log keeps of a frame.
func PieceOf(f protocol.Frame) Piece {
	switch {
	case f.Type == protocol.FrameDelta:
		return Piece{PieceText, f.Text}
	case f.Type == protocol.FrameReasoning && f.Signature == "" && f.Redacted == nil:
		return Piece{PieceReasoning, f.Text}
	}
	f.RequestID, f.Attempt, f.Seq = "", 0, nil
	return Piece{PieceFrame, string(f.Encode())}
}

// Frame is the frame of which p was kept, at its place. It is false for what no
// frame was kept as.
func (p Piece) Frame(requestID string, attempt, seq int) (protocol.Frame, bool) {
	switch p.Kind {
	case PieceText:
		return protocol.DeltaFrame(requestID, attempt, seq, p.Text), true
	case PieceReasoning:
		return protocol.ReasoningFrame(requestID, attempt, seq, p.Text, ""), true
	case PieceFrame:
		var f protocol.Frame
		if json.Unmarshal([]byte(p.Text), &f) != nil {
			return f, false
		}
		f.RequestID, f.Attempt, f.Seq = requestID, attempt, &seq
		return f, true
	}
	return protocol.Frame{}, false
}

// ChunkOf is the chunk of consecutive pieces.
func ChunkOf(firstSeq int, pieces []Piece) Chunk {
	c := Chunk{FirstSeq: firstSeq, Lengths: make([]int, len(pieces))}
	var text, kinds strings.Builder
	plain := true
	for i, p := range pieces {
		c.Lengths[i] = len(p.Text)
		text.WriteString(p.Text)
		kinds.WriteByte(byte(p.Kind))
		plain = plain && p.Kind == PieceText
	}
	c.Text = text.String()
	if !plain {
		c.Kinds = kinds.String()
	}
	return c
}

// pieces are those of the chunk, up to one that is broken.
func (c Chunk) pieces() []Piece {
	list := make([]Piece, 0, len(c.Lengths))
	text := c.Text
	for i, n := range c.Lengths {
		if n < 0 || n > len(text) {
			break
		}
		kind := PieceText
		if c.Kinds != "" {
			if i >= len(c.Kinds) {
				break
			}
			kind = PieceKind(c.Kinds[i])
		}
		list = append(list, Piece{kind, text[:n]})
		text = text[n:]
	}
	return list
}
