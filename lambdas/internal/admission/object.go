package admission

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"

	"github.com/streaming-service/streaming-service/protocol"
)

// maxProblems bounds how many fields one refusal names.
const maxProblems = 20

// problems collects what is wrong with a body, field by field.
type problems struct{ fields []protocol.FieldError }

func (p *problems) add(field, format string, args ...any) {
	if len(p.fields) < maxProblems {
		p.fields = append(p.fields, protocol.FieldError{Field: field, Message: fmt.Sprintf(format, args...)})
	}
}

// member is one member of a JSON object. encoding/json would match names in any
// case and let the last of several win; a contract must do neither.
type member struct {
	name  string
	value json.RawMessage
}

var errNoObject = errors.New("must be a JSON object")

// members reads the members of an object that is known to be valid JSON.
func members(raw []byte) ([]member, error) {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	if token, err := decoder.Token(); err != nil || token != json.Delim('{') {
		return nil, errNoObject
	}
	var list []member
	seen := map[string]bool{}
	for decoder.More() {
		token, err := decoder.Token()
		name, ok := token.(string)
		if err != nil || !ok {
			return nil, errNoObject
		}
		if seen[name] {
			return nil, fmt.Errorf("must not repeat %s", quote(name))
		}
		seen[name] = true
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			return nil, errNoObject
		}
		list = append(list, member{name, value})
	}
	return list, nil
}

// maxQuoted bounds how much of a caller's own word an answer repeats.
const maxQuoted = 64

func quote(name string) string {
	if r := []rune(name); len(r) > maxQuoted {
		name = string(r[:maxQuoted]) + "…"
	}
	return strconv.Quote(name)
}

func (p *problems) text(field string, raw json.RawMessage) (string, bool) {
	var s string
	if raw[0] != '"' || json.Unmarshal(raw, &s) != nil {
		p.add(field, "must be a string")
		return "", false
	}
	return s, true
}

func (p *problems) array(field string, raw json.RawMessage) ([]json.RawMessage, bool) {
	var list []json.RawMessage
	if raw[0] != '[' || json.Unmarshal(raw, &list) != nil {
		p.add(field, "must be an array")
		return nil, false
	}
	return list, true
}

func (p *problems) number(field string, raw json.RawMessage) (float64, bool) {
	n, err := strconv.ParseFloat(string(raw), 64)
	if (raw[0] != '-' && (raw[0] < '0' || raw[0] > '9')) || err != nil {
		p.add(field, "must be a number")
		return 0, false
	}
	return n, true
}

// whole reads a whole number from 1 to most.
func (p *problems) whole(field string, raw json.RawMessage, most int) *int {
	f, ok := p.number(field, raw)
	if !ok {
		return nil
	}
	if f != math.Trunc(f) || f < 1 || f > float64(most) {
		p.add(field, "must be a whole number from 1 to %d", most)
		return nil
	}
	n := int(f)
	return &n
}

// fraction reads a number from 0 to 1.
func (p *problems) fraction(field string, raw json.RawMessage) *float64 {
	f, ok := p.number(field, raw)
	if !ok {
		return nil
	}
	if f < 0 || f > 1 {
		p.add(field, "must be from 0 to 1")
		return nil
	}
	return &f
}
