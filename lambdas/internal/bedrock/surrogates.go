package bedrock

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"

	"github.com/aws/aws-sdk-go-v2/aws/protocol/eventstream"
)

// halves puts characters together that came in two events of a stream: JSON may
// escape one beyond U+FFFF as two surrogates, and the SDK makes a U+FFFD of each
// that it meets alone.
type halves struct {
	held map[string]string // by block and member: a high surrogate's escape, without its low one
}

// none reports whether no half waits for its other one.
func (h *halves) none() bool { return len(h.held) == 0 }

// cutOff is the escape of a high surrogate at the end of a string. The escape of
// a backslash may come before it.
var cutOff = regexp.MustCompile(`(?:^|[^\\])(?:\\\\)*(\\u[dD][89abAB][0-9a-fA-F]{2})"`)

// join returns an event, if it is a delta, with whole characters. One that has
// nothing to put together is returned as it is.
func (h *halves) join(event []byte) []byte {
	if h.none() && !cutOff.Match(event) {
		return event
	}
	message, err := eventstream.NewDecoder().Decode(bytes.NewReader(event), nil)
	if err != nil {
		return event // the SDK says what is wrong with it
	}
	var piece struct {
		Index json.RawMessage `json:"contentBlockIndex"`
		Delta json.RawMessage `json:"delta"`
	}
	if json.Unmarshal(message.Payload, &piece) != nil || piece.Index == nil || piece.Delta == nil {
		return event
	}
	delta := h.complete(string(piece.Index), piece.Delta)
	message.Payload = fmt.Appendf(nil, `{"contentBlockIndex":%s,"delta":%s}`, piece.Index, delta)
	var joined bytes.Buffer
	if eventstream.NewEncoder().Encode(&joined, message) != nil {
		return event
	}
	return joined.Bytes()
}

// complete returns a value whose string begins with the half that the last one at
// this place ended with, and ends before a half of its own. A union has one
// member, so that there is one string however deep.
func (h *halves) complete(place string, value json.RawMessage) json.RawMessage {
	switch value[0] {
	case '"':
		text := append([]byte(`"`+h.held[place]), value[1:]...)
		delete(h.held, place)
		if half := cutOff.FindSubmatchIndex(text); half != nil {
			if h.held == nil {
				h.held = map[string]string{}
			}
			h.held[place] = string(text[half[2]:half[3]])
			text = append(text[:half[2]], '"')
		}
		return text
	case '{':
		var members map[string]json.RawMessage
		if json.Unmarshal(value, &members) != nil || len(members) != 1 {
			return value
		}
		for name, member := range members {
			return fmt.Appendf(nil, `{%q:%s}`, name, h.complete(place+"."+name, member))
		}
	}
	return value
}
