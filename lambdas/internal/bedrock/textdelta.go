package bedrock

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"strings"
	"unicode/utf8"
)

// The parts of an event of AWS's event streams, in bytes: its size, that of its
// headers and a checksum of the two; the headers; the payload; a checksum of all
// before it.
const (
	preludeSize  = 12
	checksumSize = 4
	headerString = 7 // the type of a header that is text
)

// The headers and the payload of a piece of text. "p" is filled with letters that
// hide how long the text is.
var (
	eventType   = []byte(":event-type")
	messageType = []byte(":message-type")
	pieceEvent  = []byte("contentBlockDelta")
	plainEvent  = []byte("event")

	beforeIndex   = []byte(`{"contentBlockIndex":`)
	beforeText    = []byte(`,"delta":{"text":"`)
	afterText     = []byte(`"}`)
	beforePadding = []byte(`,"p":"`)
	afterPadding  = []byte(`"}`)
)

// textOf returns the text of an event that is a piece of text, in the one form
// that Bedrock sends. Of every other, and of one that is damaged or has anything
// unusual in it, it says nothing: that is for the SDK to read or to refuse.
func textOf(event []byte) (string, bool) {
	headers, payload, ok := parts(event)
	if !ok || !isPiece(headers) {
		return "", false
	}
	payload, ok = bytes.CutPrefix(payload, beforeIndex)
	if !ok {
		return "", false
	}
	digits := 0
	for digits < len(payload) && '0' <= payload[digits] && payload[digits] <= '9' {
		digits++
	}
	if digits == 0 || digits > 9 || payload[0] == '0' && digits > 1 {
		return "", false
	}
	payload, ok = bytes.CutPrefix(payload[digits:], beforeText)
	if !ok {
		return "", false
	}
	text, rest, ok := literal(payload)
	if !ok || !isEnd(rest) {
		return "", false
	}
	return text, true
}

// parts cuts a whole, undamaged event.
func parts(event []byte) (headers, payload []byte, ok bool) {
	if len(event) < preludeSize+checksumSize || int(binary.BigEndian.Uint32(event)) != len(event) {
		return nil, nil, false
	}
	end := len(event) - checksumSize
	size := int(binary.BigEndian.Uint32(event[4:]))
	if size > end-preludeSize ||
		crc32.ChecksumIEEE(event[:8]) != binary.BigEndian.Uint32(event[8:]) ||
		crc32.ChecksumIEEE(event[:end]) != binary.BigEndian.Uint32(event[end:]) {
		return nil, nil, false
	}
	return event[preludeSize : preludeSize+size], event[preludeSize+size : end], true
}

// isPiece reports whether the headers are those of a contentBlockDelta.
func isPiece(headers []byte) bool {
	var plain, piece bool
	for len(headers) > 0 {
		n := int(headers[0])
		if len(headers) < 1+n+3 || headers[1+n] != headerString {
			return false
		}
		name, value := headers[1:1+n], headers[1+n+3:]
		size := int(binary.BigEndian.Uint16(headers[1+n+1:]))
		if size > len(value) {
			return false
		}
		value, headers = value[:size], value[size:]
		switch {
		case bytes.Equal(name, messageType):
			plain = bytes.Equal(value, plainEvent)
		case bytes.Equal(name, eventType):
			piece = bytes.Equal(value, pieceEvent)
		}
	}
	return plain && piece
}

// literal reads a JSON string up to its closing quote. Escapes of code points,
// which may be halves of one, it does not read.
func literal(json []byte) (text string, rest []byte, ok bool) {
	end, escaped := 0, false
	for ; end < len(json) && json[end] != '"'; end++ {
		switch {
		case json[end] < ' ':
			return "", nil, false
		case json[end] == '\\':
			escaped = true
			end++
		}
	}
	if end >= len(json) || !utf8.Valid(json[:end]) {
		return "", nil, false
	}
	if !escaped {
		return string(json[:end]), json[end:], true
	}
	text, ok = unescape(json[:end])
	return text, json[end:], ok
}

// escapes are the letters that stand for a character, and the characters.
const (
	escapeLetters = `"\/bfnrt`
	escaped       = "\"\\/\b\f\n\r\t"
)

func unescape(json []byte) (string, bool) {
	var text strings.Builder
	text.Grow(len(json))
	for i := 0; i < len(json); i++ {
		if json[i] != '\\' {
			text.WriteByte(json[i])
			continue
		}
		i++
		letter := strings.IndexByte(escapeLetters, json[i])
		if letter < 0 {
			return "", false
		}
		text.WriteByte(escaped[letter])
	}
	return text.String(), true
}

// isEnd reports whether nothing but padding follows the text.
func isEnd(json []byte) bool {
	json, ok := bytes.CutPrefix(json, afterText)
	if !ok {
		return false
	}
	padding, padded := bytes.CutPrefix(json, beforePadding)
	if !padded {
		return string(json) == "}"
	}
	for len(padding) > 0 && isLetter(padding[0]) {
		padding = padding[1:]
	}
	return bytes.Equal(padding, afterPadding)
}

func isLetter(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}
