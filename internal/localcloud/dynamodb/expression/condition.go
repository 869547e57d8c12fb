package expression

import (
	"errors"
	"fmt"
	"strings"

	"github.com/streaming-service/streaming-service/internal/localcloud/dynamodb/attribute"
)

// Condition is a parsed condition or filter.
type Condition struct{ root node }

// Holds evaluates the condition on an item; nil is an absent one.
func (c *Condition) Holds(item attribute.Item) bool { return c == nil || c.root.holds(item) }

// Condition parses a condition expression. label is the parameter's name, for
// the error.
func (s *Scope) Condition(label, text string) (*Condition, error) {
	root, err := s.parseCondition(text)
	if err != nil {
		return nil, fmt.Errorf("Invalid %s: %w", label, err) //nolint:staticcheck // AWS's words
	}
	return &Condition{root}, nil
}

func (s *Scope) parseCondition(text string) (node, error) {
	p, err := newParser(s, text)
	if err != nil {
		return nil, err
	}
	root, err := p.or()
	if err != nil {
		return nil, err
	}
	return root, p.end()
}

func (p *parser) or() (node, error) {
	left, err := p.and()
	for err == nil && p.skipKeyword("OR") {
		var right node
		right, err = p.and()
		left = orNode{left, right}
	}
	return left, err
}

func (p *parser) and() (node, error) {
	left, err := p.not()
	for err == nil && p.skipKeyword("AND") {
		var right node
		right, err = p.not()
		left = andNode{left, right}
	}
	return left, err
}

func (p *parser) not() (node, error) {
	if p.skipKeyword("NOT") {
		inner, err := p.not()
		return notNode{inner}, err
	}
	return p.primary()
}

// primary is a condition in parentheses, a function or a comparison.
func (p *parser) primary() (node, error) {
	if p.isSymbol("(") {
		return p.parenthesised()
	}
	if p.startsFunction() && !p.isKeyword("size") {
		return p.function()
	}
	return p.comparison()
}

func (p *parser) parenthesised() (node, error) {
	open := p.next
	p.next++
	inner, err := p.or()
	if err != nil {
		return nil, err
	}
	if err := p.expectSymbol(")"); err != nil {
		return nil, err
	}
	if p.redundant(open, p.next-1) {
		return nil, errors.New("The expression has redundant parentheses;") //nolint:staticcheck // AWS's words
	}
	return inner, nil
}

// redundant tells whether what stands between two parentheses is itself nothing
// but something in parentheses.
func (p *parser) redundant(open, closing int) bool {
	if p.tokens[open+1].text != "(" || p.tokens[closing-1].text != ")" {
		return false
	}
	depth := 0
	for i := open + 1; i < closing; i++ {
		switch p.tokens[i].text {
		case "(":
			depth++
		case ")":
			depth--
		}
		if depth == 0 {
			return i == closing-1
		}
	}
	return false
}

func (p *parser) startsFunction() bool {
	return p.peek().kind == tokenWord && p.tokens[p.next+1].text == "(" && !isOperatorWord(p.peek().text)
}

func isOperatorWord(word string) bool {
	switch strings.ToUpper(word) {
	case "AND", "OR", "NOT", "IN", "BETWEEN":
		return true
	}
	return false
}

func (p *parser) comparison() (node, error) {
	left, err := p.operand()
	if err != nil {
		return nil, err
	}
	switch {
	case p.skipKeyword("BETWEEN"):
		return p.between(left)
	case p.skipKeyword("IN"):
		return p.in(left)
	}
	operator := p.peek()
	if operator.kind != tokenSymbol || !strings.Contains("= <> < <= > >=", operator.text) {
		return nil, p.unexpected()
	}
	p.next++
	right, err := p.operand()
	if err != nil {
		return nil, err
	}
	return newCompare(operator.text, left, right)
}

func (p *parser) between(value operand) (node, error) {
	low, err := p.operand()
	if err != nil {
		return nil, err
	}
	if !p.skipKeyword("AND") {
		return nil, p.unexpected()
	}
	high, err := p.operand()
	if err != nil {
		return nil, err
	}
	return newBetween(value, low, high)
}

const maxIn = 100

func (p *parser) in(value operand) (node, error) {
	if err := p.expectSymbol("("); err != nil {
		return nil, err
	}
	var candidates []operand
	for {
		candidate, err := p.operand()
		if err != nil {
			return nil, err
		}
		candidates = append(candidates, candidate)
		if !p.skipSymbol(",") {
			break
		}
	}
	if len(candidates) > maxIn {
		return nil, fmt.Errorf("Invalid number of operands for operator or function; operator or function: IN, number of operands: %d", len(candidates)) //nolint:staticcheck // AWS's words
	}
	return inNode{value, candidates}, p.expectSymbol(")")
}

// operand is a path, a value or size(path).
func (p *parser) operand() (operand, error) {
	t := p.peek()
	if t.kind == tokenValue {
		p.next++
		value, err := p.scope.value(t.text)
		return valueOperand{t.text, value}, err
	}
	if p.startsFunction() {
		return p.size()
	}
	path, err := p.path()
	return pathOperand{path}, err
}

func (p *parser) size() (operand, error) {
	name := p.peek().text
	if name != "size" {
		if _, known := functions[name]; known {
			return nil, fmt.Errorf("The function is not allowed to be used this way in an expression; function: %s", name) //nolint:staticcheck // AWS's words
		}
		return nil, invalidFunction(name)
	}
	p.next += 2 // name and parenthesis
	path, err := p.path()
	if err != nil {
		return nil, err
	}
	return sizeOperand{path}, p.expectSymbol(")")
}

func invalidFunction(name string) error {
	return fmt.Errorf("Invalid function name; function: %s", name) //nolint:staticcheck // AWS's words
}

// functions are those that are conditions by themselves, with their number of
// arguments.
var functions = map[string]int{"attribute_exists": 1, "attribute_not_exists": 1, "attribute_type": 2, "begins_with": 2, "contains": 2}

func (p *parser) function() (node, error) {
	name := p.take().text
	count, known := functions[name]
	if !known {
		return nil, invalidFunction(name)
	}
	p.next++ // parenthesis
	var arguments []operand
	for {
		argument, err := p.operand()
		if err != nil {
			return nil, err
		}
		arguments = append(arguments, argument)
		if !p.skipSymbol(",") {
			break
		}
	}
	if len(arguments) != count {
		return nil, fmt.Errorf("Incorrect number of operands for operator or function; operator or function: %s, number of operands: %d", name, len(arguments)) //nolint:staticcheck // AWS's words
	}
	if err := p.expectSymbol(")"); err != nil {
		return nil, err
	}
	return newFunction(name, arguments)
}
