// Package attribute holds DynamoDB's attribute values: their JSON form, their
// limits, order and size.
package attribute

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Kind is the type of a value, as its member in JSON is called.
type Kind string

// The kinds of values.
const (
	String    Kind = "S"
	Number    Kind = "N"
	Binary    Kind = "B"
	Bool      Kind = "BOOL"
	Null      Kind = "NULL"
	StringSet Kind = "SS"
	NumberSet Kind = "NS"
	BinarySet Kind = "BS"
	List      Kind = "L"
	Map       Kind = "M"
)

// Value is an attribute value. Values that are stored are never changed: a
// write builds new ones.
type Value struct {
	Kind    Kind
	Text    string   // of String; of Number in canonical form; the bytes of Binary
	True    bool     // of Bool
	Set     []string // of the set kinds, each as Text
	List    []Value
	Members map[string]Value
}

// Item is an item by attribute name.
type Item map[string]Value

// S returns a string value.
func S(text string) Value { return Value{Kind: String, Text: text} }

// IsSet tells whether the value is one of the three sets.
func (v Value) IsSet() bool {
	return v.Kind == StringSet || v.Kind == NumberSet || v.Kind == BinarySet
}

// Element returns the kind of a set's elements.
func (k Kind) Element() Kind { return Kind(strings.TrimSuffix(string(k), "S")) }

// wire is the JSON form of a value, as read.
type wire struct {
	S    *string           `json:"S"`
	N    *string           `json:"N"`
	B    *[]byte           `json:"B"`
	BOOL *bool             `json:"BOOL"`
	NULL *bool             `json:"NULL"`
	SS   *[]string         `json:"SS"`
	NS   *[]string         `json:"NS"`
	BS   *[][]byte         `json:"BS"`
	L    *[]Value          `json:"L"`
	M    *map[string]Value `json:"M"`
}

// errKinds is DynamoDB's answer to a value without, or with more than one, type.
var errKinds = errors.New("Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes") //nolint:staticcheck // AWS's words

// UnmarshalJSON reads and validates the JSON form.
func (v *Value) UnmarshalJSON(text []byte) error {
	if kind, plain, ok := plainScalar(text); ok {
		*v = Value{Kind: kind, Text: plain}
		return nil
	}
	var w wire
	if err := json.Unmarshal(text, &w); err != nil {
		return err
	}
	return v.fromWire(&w)
}

// plainScalar reads what most values are, and what any SDK writes like this: a
// string without escapes, or an integer.
func plainScalar(text []byte) (kind Kind, plain string, ok bool) {
	const begin, end = len(`{"S":"`), len(`"}`)
	if len(text) < begin+end || string(text[:2]) != `{"` || string(text[3:begin]) != `":"` || string(text[len(text)-end:]) != `"}` {
		return "", "", false
	}
	value := text[begin : len(text)-end]
	switch kind = Kind(text[2:3]); kind {
	case String:
		return kind, string(value), !bytes.ContainsAny(value, `"\`) && utf8.Valid(value)
	case Number:
		number, err := strconv.ParseInt(string(value), 10, 64)
		return kind, strconv.FormatInt(number, 10), err == nil
	}
	return "", "", false
}

func (v *Value) fromWire(w *wire) error {
	given := 0
	for _, present := range []bool{w.S != nil, w.N != nil, w.B != nil, w.BOOL != nil, w.NULL != nil, w.SS != nil, w.NS != nil, w.BS != nil, w.L != nil, w.M != nil} {
		if present {
			given++
		}
	}
	if given != 1 {
		return &Invalid{errKinds.Error()}
	}
	var err error
	switch {
	case w.S != nil:
		*v = Value{Kind: String, Text: *w.S}
	case w.N != nil:
		*v = Value{Kind: Number}
		v.Text, err = canonical(*w.N)
	case w.B != nil:
		*v = Value{Kind: Binary, Text: string(*w.B)}
	case w.BOOL != nil:
		*v = Value{Kind: Bool, True: *w.BOOL}
	case w.NULL != nil:
		*v = Value{Kind: Null}
		if !*w.NULL {
			err = &Invalid{"One or more parameter values were invalid: Null attribute value types must have the value of true"}
		}
	case w.L != nil:
		*v = Value{Kind: List, List: *w.L}
	case w.M != nil:
		*v = Value{Kind: Map, Members: *w.M}
	default:
		err = v.setFromWire(w)
	}
	return err
}

func (v *Value) setFromWire(w *wire) error {
	switch {
	case w.SS != nil:
		*v = Value{Kind: StringSet, Set: *w.SS}
	case w.NS != nil:
		*v = Value{Kind: NumberSet}
		for _, text := range *w.NS {
			number, err := canonical(text)
			if err != nil {
				return err
			}
			v.Set = append(v.Set, number)
		}
	case w.BS != nil:
		*v = Value{Kind: BinarySet}
		for _, element := range *w.BS {
			v.Set = append(v.Set, string(element))
		}
	}
	if len(v.Set) == 0 {
		return &Invalid{"One or more parameter values were invalid: An " + setName(v.Kind) + " set may not be empty"}
	}
	sorted := slices.Sorted(slices.Values(v.Set))
	if len(slices.Compact(sorted)) != len(v.Set) {
		return &Invalid{"One or more parameter values were invalid: Input collection contains duplicates"}
	}
	return nil
}

func setName(k Kind) string {
	return map[Kind]string{StringSet: "string", NumberSet: "number", BinarySet: "binary"}[k]
}

// Invalid is a value that DynamoDB refuses with a ValidationException.
type Invalid struct{ Message string }

func (e *Invalid) Error() string { return e.Message }

// Equal compares as DynamoDB's = does: sets have no order.
func (v Value) Equal(other Value) bool {
	if v.Kind != other.Kind {
		return false
	}
	switch v.Kind {
	case Bool:
		return v.True == other.True
	case Null:
		return true
	case StringSet, NumberSet, BinarySet:
		return len(v.Set) == len(other.Set) && slices.Equal(slices.Sorted(slices.Values(v.Set)), slices.Sorted(slices.Values(other.Set)))
	case List:
		return slices.EqualFunc(v.List, other.List, Value.Equal)
	case Map:
		return Item(v.Members).Equal(other.Members)
	}
	return v.Text == other.Text
}

// Equal compares two items.
func (i Item) Equal(other Item) bool {
	if len(i) != len(other) {
		return false
	}
	for name, value := range i {
		if theirs, ok := other[name]; !ok || !value.Equal(theirs) {
			return false
		}
	}
	return true
}

// Compare orders two values of one scalar kind that has an order; ok is false
// for others.
func (v Value) Compare(other Value) (order int, ok bool) {
	if v.Kind != other.Kind {
		return 0, false
	}
	switch v.Kind {
	case String, Binary:
		return strings.Compare(v.Text, other.Text), true
	case Number:
		return compareNumbers(v.Text, other.Text), true
	}
	return 0, false
}
