package openai

import (
	"encoding/json"
	"math"
	"strings"
	"unicode/utf8"

	"github.com/streaming-service/streaming-service/lambdas/internal/jsonobject"
)

func isNull(raw json.RawMessage) bool { return string(raw) == "null" }

// optional reads a value that may be null.
func optional[T any](raw json.RawMessage, read func() (T, *Error)) (*T, *Error) {
	if isNull(raw) {
		return nil, nil
	}
	v, e := read()
	if e != nil {
		return nil, e
	}
	return &v, nil
}

func text(param string, raw json.RawMessage) (string, *Error) {
	s, ok := jsonobject.Text(raw)
	if !ok {
		return "", wrongType(param, "a string", raw)
	}
	return s, nil
}

func filledText(param string, raw json.RawMessage) (string, *Error) {
	s, e := text(param, raw)
	if e == nil && s == "" {
		e = invalid(param, codeEmptyString, "Invalid '%s': empty string. Expected a string with minimum length 1, but got an empty string instead.", param)
	}
	return s, e
}

func array(param string, raw json.RawMessage) ([]json.RawMessage, *Error) {
	list, ok := jsonobject.Array(raw)
	if !ok {
		return nil, wrongType(param, "an array", raw)
	}
	return list, nil
}

func filledArray(param string, raw json.RawMessage) ([]json.RawMessage, *Error) {
	list, e := array(param, raw)
	if e == nil && len(list) == 0 {
		e = invalid(param, codeEmptyArray, "Invalid '%s': empty array. Expected an array with minimum length 1, but got an empty array instead.", param)
	}
	return list, e
}

// flag reads a boolean; null is false.
func flag(param string, raw json.RawMessage) (bool, *Error) {
	switch string(raw) {
	case "true":
		return true, nil
	case "false", "null":
		return false, nil
	}
	return false, wrongType(param, "a boolean", raw)
}

// positive reads a whole number from 1.
func positive(param string, raw json.RawMessage) (int, *Error) {
	n, ok := jsonobject.Number(raw)
	switch {
	case !ok || n != math.Trunc(n):
		return 0, wrongType(param, "an integer", raw)
	case n < 1:
		return 0, invalid(param, codeIntegerTooSmall, "Invalid '%s': integer below minimum value. Expected a value >= 1, but got %.0f instead.", param, n)
	}
	return int(min(n, math.MaxInt32)), nil
}

// fraction reads a number from 0 to most.
func fraction(param string, raw json.RawMessage, most float64) (float64, *Error) {
	n, ok := jsonobject.Number(raw)
	switch {
	case !ok:
		return 0, wrongType(param, "a number", raw)
	case n < 0:
		return 0, invalid(param, codeDecimalTooSmall, "Invalid '%s': decimal below minimum value. Expected a value >= 0, but got %v instead.", param, n)
	case n > most:
		return 0, invalid(param, codeDecimalTooLarge, "Invalid '%s': decimal above maximum value. Expected a value <= %v, but got %v instead.", param, most, n)
	}
	return n, nil
}

func ignoreAll[T any](*T, string, json.RawMessage) *Error { return nil }

func ignoreNumber[T any](_ *T, param string, raw json.RawMessage) *Error {
	if _, ok := jsonobject.Number(raw); !ok && !isNull(raw) {
		return wrongType(param, "a number", raw)
	}
	return nil
}

func ignoreText[T any](_ *T, param string, raw json.RawMessage) *Error {
	_, e := optional(raw, func() (string, *Error) { return text(param, raw) })
	return e
}

func ignoreIdentifier[T any](_ *T, param string, raw json.RawMessage) *Error {
	s, e := optional(raw, func() (string, *Error) { return text(param, raw) })
	if e != nil || s == nil {
		return e
	}
	return atMost(param, *s, maxSafetyIdentifier)
}

func ignoreObject[T any](_ *T, param string, raw json.RawMessage) *Error {
	if !isNull(raw) && raw[0] != '{' {
		return wrongType(param, "an object", raw)
	}
	return nil
}

func readMetadata(_ *request, param string, raw json.RawMessage) *Error {
	if isNull(raw) {
		return nil
	}
	members, err := jsonobject.Members(raw)
	switch {
	case err != nil:
		return invalid(param, codeInvalidType, "Invalid '%s': it %v.", param, err)
	case len(members) > maxMetadata:
		return invalid(param, codeObjectTooLong, "Invalid '%s': too many properties. Expected an object with at most %d properties, but got an object with %d properties instead.", param, maxMetadata, len(members))
	}
	for _, m := range members {
		name := join(param, unquoted(m.Name))
		value, e := text(name, m.Value)
		if e == nil {
			e = atMost(name, value, maxMetadataValue)
		}
		if e == nil {
			e = atMost(name, m.Name, maxMetadataName)
		}
		if e != nil {
			return e
		}
	}
	return nil
}

func atMost(param, s string, most int) *Error {
	if n := utf8.RuneCountInString(s); n > most {
		return invalid(param, codeStringTooLong, "Invalid '%s': string too long. Expected a string with maximum length %d, but got a string with length %d instead.", param, most, n)
	}
	return nil
}

// unquoted is a caller's own name, bounded and without control characters.
func unquoted(name string) string { return strings.Trim(jsonobject.Quote(name), `"`) }

// typeOf names the type of a JSON value.
func typeOf(raw json.RawMessage) string {
	switch raw[0] {
	case '{':
		return "an object"
	case '[':
		return "an array"
	case '"':
		return "a string"
	case 't', 'f':
		return "a boolean"
	case 'n':
		return "null"
	}
	if n, ok := jsonobject.Number(raw); ok && n == math.Trunc(n) {
		return "an integer"
	}
	return "a decimal"
}
