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

// maxEncodedInput is the same of a part of a use of a tool, whose frames name the
// use, the tool and the part, too.
const maxEncodedInput = maxEncodedText - frameOverhead

// cut splits text, which is valid UTF-8, between characters into pieces that
// take at most so many bytes each once encoded.
func cut(text string, most int) []string {
	if len(text)*maxGrowth <= most {
		return []string{text}
	}
	var pieces []string
	from, size := 0, 0
	for i, r := range text {
		n := encodedLen(r)
		if size+n > most {
			pieces = append(pieces, text[from:i])
			from, size = i, 0
		}
		size += n
	}
	return append(pieces, text[from:])
}

// fits reports whether text takes at most so many bytes once encoded.
func fits(text string, most int) bool {
	size := 0
	for _, r := range text {
		if size += encodedLen(r); size > most {
			return false
		}
	}
	return true
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
