// Package jsonobject reads JSON as a contract does: a member is known by its
// exact name and comes once, a value has the type that it must have.
// encoding/json would match names in any case and let the last of several win.
package jsonobject

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
)

// Member is one member of a JSON object.
type Member struct {
	Name  string
	Value json.RawMessage
}

var errNoObject = errors.New("must be a JSON object")

// Members reads the members of an object that is known to be valid JSON. It
// fails on any other value and on a name that comes twice.
func Members(raw []byte) ([]Member, error) {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	if token, err := decoder.Token(); err != nil || token != json.Delim('{') {
		return nil, errNoObject
	}
	var list []Member
	seen := map[string]bool{}
	for decoder.More() {
		token, err := decoder.Token()
		name, ok := token.(string)
		if err != nil || !ok {
			return nil, errNoObject
		}
		if seen[name] {
			return nil, fmt.Errorf("must not repeat %s", Quote(name))
		}
		seen[name] = true
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			return nil, errNoObject
		}
		list = append(list, Member{name, value})
	}
	return list, nil
}

// Text reads a string.
func Text(raw json.RawMessage) (s string, ok bool) {
	ok = raw[0] == '"' && json.Unmarshal(raw, &s) == nil
	return s, ok
}

// Array reads the elements of an array.
func Array(raw json.RawMessage) (list []json.RawMessage, ok bool) {
	ok = raw[0] == '[' && json.Unmarshal(raw, &list) == nil
	return list, ok
}

// Number reads a number that a float64 can hold.
func Number(raw json.RawMessage) (n float64, ok bool) {
	if raw[0] != '-' && (raw[0] < '0' || raw[0] > '9') {
		return 0, false
	}
	n, err := strconv.ParseFloat(string(raw), 64)
	return n, err == nil
}

// maxQuoted bounds how much of a caller's own word an answer repeats, in runes.
const maxQuoted = 64

// Quote returns a caller's own word for an answer, without letting it grow.
func Quote(word string) string { return strconv.Quote(cut(word)) }

// Show returns a caller's own value for an answer, likewise: strings as Quote
// does, everything else as it was written.
func Show(raw json.RawMessage) string {
	if word, ok := Text(raw); ok {
		return Quote(word)
	}
	return cut(string(raw))
}

func cut(word string) string {
	if r := []rune(word); len(r) > maxQuoted {
		return string(r[:maxQuoted]) + "…"
	}
	return word
}
