package bedrock

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"regexp"

	"github.com/aws/aws-sdk-go-v2/aws/protocol/eventstream"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/transport/http/protocol/restjson1"
)

// wholeCharacters is the protocol of one stream, which puts characters together
// that came in two events: JSON may escape one beyond U+FFFF as two surrogates,
// and the SDK makes a U+FFFD of each that it meets alone.
type wholeCharacters struct {
	*restjson1.Protocol
	frame bytes.Buffer
	held  map[string]string // by block and member: a high surrogate's escape, without its low one
}

// maxFrame is what an event may have: more is left to the SDK to refuse.
const maxFrame = 24 << 20

// DeserializeEventMessage implements smithyhttp.ClientProtocol. An event that
// has nothing to put together is passed on byte by byte.
func (p *wholeCharacters) DeserializeEventMessage(schema *smithy.Schema, types *smithy.TypeRegistry, r io.Reader) (smithy.Deserializable, error) {
	p.frame.Reset()
	if _, err := io.CopyN(&p.frame, r, 4); err == nil {
		if size := int64(binary.BigEndian.Uint32(p.frame.Bytes())); size > 4 && size <= maxFrame {
			_, _ = io.CopyN(&p.frame, r, size-4) // what fails here fails again below
		}
	}
	if len(p.held) > 0 || cutOff.Match(p.frame.Bytes()) {
		p.rewrite()
	}
	return p.Protocol.DeserializeEventMessage(schema, types, io.MultiReader(&p.frame, r))
}

// cutOff is the escape of a high surrogate at the end of a string. The escape of
// a backslash may come before it.
var cutOff = regexp.MustCompile(`(?:^|[^\\])(?:\\\\)*(\\u[dD][89abAB][0-9a-fA-F]{2})"`)

// rewrite replaces the frame, if it is a delta, by one with whole characters.
func (p *wholeCharacters) rewrite() {
	message, err := eventstream.NewDecoder().Decode(bytes.NewReader(p.frame.Bytes()), nil)
	if err != nil {
		return // the SDK says what is wrong with it
	}
	var event struct {
		Index json.RawMessage `json:"contentBlockIndex"`
		Delta json.RawMessage `json:"delta"`
	}
	if json.Unmarshal(message.Payload, &event) != nil || event.Index == nil || event.Delta == nil {
		return
	}
	delta := p.join(string(event.Index), event.Delta)
	message.Payload = fmt.Appendf(nil, `{"contentBlockIndex":%s,"delta":%s}`, event.Index, delta)
	var frame bytes.Buffer
	if eventstream.NewEncoder().Encode(&frame, message) == nil {
		p.frame = frame
	}
}

// join returns a value whose string begins with the half that the last one at
// this place ended with, and ends before a half of its own. A union has one
// member, so that there is one string however deep.
func (p *wholeCharacters) join(place string, value json.RawMessage) json.RawMessage {
	switch value[0] {
	case '"':
		text := append([]byte(`"`+p.held[place]), value[1:]...)
		delete(p.held, place)
		if half := cutOff.FindSubmatchIndex(text); half != nil {
			if p.held == nil {
				p.held = map[string]string{}
			}
			p.held[place] = string(text[half[2]:half[3]])
			text = append(text[:half[2]], '"')
		}
		return text
	case '{':
		var members map[string]json.RawMessage
		if json.Unmarshal(value, &members) != nil || len(members) != 1 {
			return value
		}
		for name, member := range members {
			return fmt.Appendf(nil, `{%q:%s}`, name, p.join(place+"."+name, member))
		}
	}
	return value
}
