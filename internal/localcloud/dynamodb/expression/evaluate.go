package expression

import (
	"fmt"
	"strings"

	"github.com/streaming-service/streaming-service/internal/localcloud/dynamodb/attribute"
)

// node is a condition in a tree.
type node interface{ holds(attribute.Item) bool }

// operand is what a condition compares; absent is false.
type operand interface {
	of(attribute.Item) (attribute.Value, bool)
	String() string
}

type (
	orNode  struct{ left, right node }
	andNode struct{ left, right node }
	notNode struct{ inner node }
	inNode  struct {
		value      operand
		candidates []operand
	}
	pathOperand  struct{ path Path }
	sizeOperand  struct{ path Path }
	valueOperand struct {
		placeholder string
		value       attribute.Value
	}
)

func (n orNode) holds(item attribute.Item) bool  { return n.left.holds(item) || n.right.holds(item) }
func (n andNode) holds(item attribute.Item) bool { return n.left.holds(item) && n.right.holds(item) }
func (n notNode) holds(item attribute.Item) bool { return !n.inner.holds(item) }

func (n inNode) holds(item attribute.Item) bool {
	value, ok := n.value.of(item)
	for _, candidate := range n.candidates {
		if other, present := candidate.of(item); ok && present && value.Equal(other) {
			return true
		}
	}
	return false
}

func (o pathOperand) of(item attribute.Item) (attribute.Value, bool) { return o.path.of(item) }
func (o valueOperand) of(attribute.Item) (attribute.Value, bool)     { return o.value, true }
func (o sizeOperand) of(item attribute.Item) (attribute.Value, bool) {
	value, ok := o.path.of(item)
	if !ok {
		return value, false
	}
	n, ok := value.Length()
	return attribute.Value{Kind: attribute.Number, Text: fmt.Sprint(n)}, ok
}

func (o pathOperand) String() string  { return o.path.String() }
func (o valueOperand) String() string { return o.placeholder }
func (o sizeOperand) String() string  { return "size(" + o.path.String() + ")" }

// compareNode is a comparison. An absent operand makes all but <> false.
type compareNode struct {
	operator    string
	left, right operand
}

func newCompare(operator string, left, right operand) (node, error) {
	if left.String() == right.String() {
		return nil, fmt.Errorf("The first operand must be distinct from the remaining operands for this operator or function; operator: %s, first operand: %s", operator, left) //nolint:staticcheck // AWS's words
	}
	if operator != "=" && operator != "<>" {
		for _, side := range []operand{left, right} {
			if err := mustHaveOrder(operator, side); err != nil {
				return nil, err
			}
		}
	}
	return compareNode{operator, left, right}, nil
}

func mustHaveOrder(operator string, side operand) error {
	value, literal := side.(valueOperand)
	if !literal || value.value.Kind == "" {
		return nil
	}
	if _, ok := value.value.Compare(value.value); !ok {
		return wrongType(operator, value.value.Kind)
	}
	return nil
}

func wrongType(operator string, kind attribute.Kind) error {
	return fmt.Errorf("Incorrect operand type for operator or function; operator or function: %s, operand type: %s", operator, kind) //nolint:staticcheck // AWS's words
}

func (n compareNode) holds(item attribute.Item) bool {
	left, okLeft := n.left.of(item)
	right, okRight := n.right.of(item)
	if !okLeft || !okRight {
		return n.operator == "<>"
	}
	switch n.operator {
	case "=":
		return left.Equal(right)
	case "<>":
		return !left.Equal(right)
	}
	order, ok := left.Compare(right)
	return ok && ordered(n.operator, order)
}

func ordered(operator string, order int) bool {
	switch operator {
	case "<":
		return order < 0
	case "<=":
		return order <= 0
	case ">":
		return order > 0
	}
	return order >= 0
}

type betweenNode struct{ value, low, high operand }

func newBetween(value, low, high operand) (node, error) {
	for _, side := range []operand{value, low, high} {
		if err := mustHaveOrder("BETWEEN", side); err != nil {
			return nil, err
		}
	}
	from, okFrom := low.(valueOperand)
	to, okTo := high.(valueOperand)
	if okFrom && okTo && from.value.Kind != "" && to.value.Kind != "" {
		order, same := from.value.Compare(to.value)
		switch {
		case !same:
			return nil, fmt.Errorf("The BETWEEN operator requires same data type for lower and upper bounds; lower bound operand: AttributeValue: %s, upper bound operand: AttributeValue: %s", from.value.Kind, to.value.Kind) //nolint:staticcheck // AWS's words
		case order > 0:
			return nil, fmt.Errorf("The BETWEEN operator requires upper bound to be greater than or equal to lower bound; lower bound operand: %s, upper bound operand: %s", from.placeholder, to.placeholder) //nolint:staticcheck // AWS's words
		}
	}
	return betweenNode{value, low, high}, nil
}

func (n betweenNode) holds(item attribute.Item) bool {
	return compareNode{">=", n.value, n.low}.holds(item) && compareNode{"<=", n.value, n.high}.holds(item)
}

// functionNode is a function that is a condition by itself.
type functionNode struct {
	path       Path
	other      operand // nil for attribute_exists and attribute_not_exists
	beginsWith bool
	check      func(value attribute.Value, present bool, other attribute.Value, otherPresent bool) bool
}

func newFunction(name string, arguments []operand) (node, error) {
	path, isPath := arguments[0].(pathOperand)
	if !isPath && (name != "contains" && name != "begins_with") {
		return nil, fmt.Errorf("Operator or function requires a document path; operator or function: %s", name) //nolint:staticcheck // AWS's words
	}
	if !isPath {
		return nil, fmt.Errorf("the local cloud wants a document path as first operand of %s", name)
	}
	n := functionNode{path: path.path, beginsWith: name == "begins_with"}
	if len(arguments) > 1 {
		n.other = arguments[1]
		if n.other.String() == path.String() {
			return nil, fmt.Errorf("The first operand must be distinct from the remaining operands for this operator or function; operator: %s, first operand: %s", name, path) //nolint:staticcheck // AWS's words
		}
		if err := checkSecond(name, n.other); err != nil {
			return nil, err
		}
	}
	n.check = checks[name]
	return n, nil
}

func checkSecond(name string, other operand) error {
	literal, ok := other.(valueOperand)
	if !ok || literal.value.Kind == "" {
		return nil
	}
	kind := literal.value.Kind
	switch {
	case name == "begins_with" && kind != attribute.String && kind != attribute.Binary:
		return wrongType(name, kind)
	case name == "attribute_type" && kind != attribute.String:
		return wrongType(name, kind)
	case name == "attribute_type" && !isKind(literal.value.Text):
		return fmt.Errorf("Invalid attribute type name found; type: %s, valid types: {B,NULL,SS,BOOL,L,BS,N,NS,S,M}", literal.value.Text) //nolint:staticcheck // AWS's words
	}
	return nil
}

func isKind(name string) bool {
	switch attribute.Kind(name) {
	case attribute.String, attribute.Number, attribute.Binary, attribute.Bool, attribute.Null,
		attribute.StringSet, attribute.NumberSet, attribute.BinarySet, attribute.List, attribute.Map:
		return true
	}
	return false
}

func (n functionNode) holds(item attribute.Item) bool {
	value, present := n.path.of(item)
	var other attribute.Value
	otherPresent := false
	if n.other != nil {
		other, otherPresent = n.other.of(item)
	}
	return n.check(value, present, other, otherPresent)
}

var checks = map[string]func(attribute.Value, bool, attribute.Value, bool) bool{
	"attribute_exists":     func(_ attribute.Value, present bool, _ attribute.Value, _ bool) bool { return present },
	"attribute_not_exists": func(_ attribute.Value, present bool, _ attribute.Value, _ bool) bool { return !present },
	"attribute_type": func(v attribute.Value, present bool, other attribute.Value, ok bool) bool {
		return present && ok && string(v.Kind) == other.Text
	},
	"begins_with": func(v attribute.Value, present bool, other attribute.Value, ok bool) bool {
		return present && ok && v.Kind == other.Kind && strings.HasPrefix(v.Text, other.Text)
	},
	"contains": func(v attribute.Value, present bool, other attribute.Value, ok bool) bool {
		return present && ok && contains(v, other)
	},
}

func contains(v, other attribute.Value) bool {
	switch {
	case v.Kind == attribute.String || v.Kind == attribute.Binary:
		return v.Kind == other.Kind && strings.Contains(v.Text, other.Text)
	case v.IsSet():
		for _, element := range v.Set {
			if other.Kind == v.Kind.Element() && element == other.Text {
				return true
			}
		}
	case v.Kind == attribute.List:
		for _, element := range v.List {
			if element.Equal(other) {
				return true
			}
		}
	}
	return false
}
