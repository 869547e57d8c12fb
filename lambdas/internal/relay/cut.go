package relay

import (
	"unicode/utf8"

	"github.com/streaming-service/streaming-service/protocol"
)

// frameOverhead is more than a delta frame holds besides its text: the names of
// its fields, a request id of 26 characters and two numbers.
const frameOverhead = 256

// maxEncodedText is how many bytes the text of one frame may take once encoded.
const maxEncodedText = protocol.MaxFrameBytes - frameOverhead

// cut splits text, which is valid UTF-8, between characters into pieces that
// fit into a frame each.
func cut(text string) []string {
	if len(text)*maxGrowth <= maxEncodedText {
		return []string{text}
	}
	var pieces []string
	from, size := 0, 0
	for i, r := range text {
		n := encodedLen(r)
		if size+n > maxEncodedText {
			pieces = append(pieces, text[from:i])
			from, size = i, 0
		}
		size += n
	}
	return append(pieces, text[from:])
}

// maxGrowth is the most that JSON makes of one byte: a control character
// becomes six.
const maxGrowth = 6

// encodedLen is the number of bytes that encoding/json, without escaping of
// HTML, makes of r.
func encodedLen(r rune) int {
	switch {
	case r == '"', r == '\\', r == '\n', r == '\r', r == '\t', r == '\b', r == '\f':
		return 2
	case r < ' ', r == '\u2028', r == '\u2029':
		return 6
	default:
		return utf8.RuneLen(r)
	}
}
