package openai

import (
	"encoding/json"
	"fmt"
	"reflect"

	"github.com/streaming-service/streaming-service/lambdas/internal/jsonobject"
)

// Treatment is what becomes of a field of a request.
type Treatment string

// The treatments of a field.
const (
	Honoured Treatment = "honoured" // it does what it does at OpenAI
	Ignored  Treatment = "ignored"  // it is checked and changes nothing
	Refused  Treatment = "refused"  // any value that asks for something is an error
)

// Field is what the documentation says about one field of a request.
type Field struct {
	Name      string // with the path to it: messages[].role
	Treatment Treatment
	Note      string
	Nothing   []any // values, besides null, that a refused field may have
}

// field is one field of the object that reads into a T.
type field[T any] struct {
	name    string
	note    string
	read    func(into *T, param string, value json.RawMessage) *Error // nil: refused
	ignored bool
	nothing []any
}

// readObject reads an object by the table of its fields.
func readObject[T any](table []field[T], into *T, param string, raw json.RawMessage) *Error {
	members, err := jsonobject.Members(raw)
	if err != nil {
		return invalid(param, codeInvalidType, "Invalid %s: it %v.", subject(param), err)
	}
	for _, m := range members {
		if e := readMember(table, into, param, m); e != nil {
			return e
		}
	}
	return nil
}

// readEach reads a list of objects, or null for none, and has each taken with the
// name of its parameter.
func readEach[T any](table []field[T], param string, value json.RawMessage, take func(one T, name string) *Error) *Error {
	if isNull(value) {
		return nil
	}
	list, e := array(param, value)
	if e != nil {
		return e
	}
	for i, raw := range list {
		var one T
		name := fmt.Sprintf("%s[%d]", param, i)
		if e := readObject(table, &one, name, raw); e != nil {
			return e
		}
		if e := take(one, name); e != nil {
			return e
		}
	}
	return nil
}

func readMember[T any](table []field[T], into *T, parent string, m jsonobject.Member) *Error {
	for _, f := range table {
		if f.name == m.Name {
			return f.readValue(into, join(parent, f.name), m.Value)
		}
	}
	param := join(parent, unquoted(m.Name))
	return invalid(param, codeUnknownParameter, "Unknown parameter: '%s'.", param)
}

func (f field[T]) readValue(into *T, param string, value json.RawMessage) *Error {
	if f.read != nil {
		return f.read(into, param, value)
	}
	if !asksNothing(value, f.nothing) {
		return invalid(param, codeUnsupportedParameter, "Unsupported parameter: '%s' is not supported here.", param)
	}
	return nil
}

// asksNothing reports whether a value is null or one of those that leave
// everything as it is without the field.
func asksNothing(raw json.RawMessage, nothing []any) bool {
	var value any
	if json.Unmarshal(raw, &value) != nil {
		return false
	}
	for _, v := range append([]any{nil}, nothing...) {
		if reflect.DeepEqual(value, v) {
			return true
		}
	}
	return false
}

// Fields returns the documentation of all fields of a request.
func Fields() []Field {
	list := describe("", requestFields)
	list = append(list, describe("messages[].", messageFields)...)
	list = append(list, describe("messages[].content[].", partFields)...)
	list = append(list, describe("messages[].content[].image_url.", imageFields)...)
	list = append(list, describe("messages[].content[].file.", fileFields)...)
	list = append(list, describe("messages[].tool_calls[].", toolCallFields)...)
	list = append(list, describe("messages[].tool_calls[].function.", calledFields)...)
	list = append(list, describe("messages[].thinking_blocks[].", thoughtFields)...)
	list = append(list, describe("stream_options.", streamOptionsFields)...)
	list = append(list, describe("tool_choice.", choiceFields)...)
	list = append(list, describe("tool_choice.function.", chosenFields)...)
	list = append(list, describe("tools[].", toolFields)...)
	return append(list, describe("tools[].function.", functionFields)...)
}

func describe[T any](prefix string, table []field[T]) []Field {
	list := make([]Field, len(table))
	for i, f := range table {
		list[i] = Field{Name: prefix + f.name, Treatment: Honoured, Note: f.note, Nothing: f.nothing}
		switch {
		case f.ignored:
			list[i].Treatment = Ignored
		case f.read == nil:
			list[i].Treatment = Refused
		}
	}
	return list
}

func join(parent, name string) string {
	if parent == "" {
		return name
	}
	return parent + "." + name
}
