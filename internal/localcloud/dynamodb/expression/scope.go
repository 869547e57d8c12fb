package expression

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/streaming-service/streaming-service/internal/localcloud/dynamodb/attribute"
)

// Scope is the names and values that the expressions of one request share. It
// remembers which of them are used.
type Scope struct {
	names  map[string]string
	values map[string]attribute.Value

	usedNames, usedValues map[string]bool
	anything              bool // accept every name and value: only the grammar counts
}

// NewScope returns the scope of a request.
func NewScope(names map[string]string, values map[string]attribute.Value) *Scope {
	return &Scope{names: names, values: values, usedNames: map[string]bool{}, usedValues: map[string]bool{}}
}

// CheckCondition tells whether text is a condition that AWS accepts, for any
// names and values.
func CheckCondition(text string) error {
	_, err := grammarOnly().Condition("ConditionExpression", text)
	return err
}

// CheckUpdate tells whether text is an update expression that AWS accepts, for
// any names and values.
func CheckUpdate(text string) error {
	_, err := grammarOnly().Update(text)
	return err
}

func grammarOnly() *Scope {
	scope := NewScope(nil, nil)
	scope.anything = true
	return scope
}

// Unused refuses names and values that no expression used.
func (s *Scope) Unused() error {
	if unused := missing(maps.Keys(s.values), s.usedValues); len(unused) > 0 {
		return fmt.Errorf("Value provided in ExpressionAttributeValues unused in expressions: keys: {%s}", strings.Join(unused, ", ")) //nolint:staticcheck // AWS's words
	}
	if unused := missing(maps.Keys(s.names), s.usedNames); len(unused) > 0 {
		return fmt.Errorf("Value provided in ExpressionAttributeNames unused in expressions: keys: {%s}", strings.Join(unused, ", ")) //nolint:staticcheck // AWS's words
	}
	return nil
}

func missing(keys func(func(string) bool), used map[string]bool) []string {
	var unused []string
	for key := range keys {
		if !used[key] {
			unused = append(unused, key)
		}
	}
	slices.Sort(unused)
	return unused
}

func (s *Scope) name(placeholder string) (string, error) {
	s.usedNames[placeholder] = true
	name, ok := s.names[placeholder]
	if !ok && !s.anything {
		return "", errors.New("An expression attribute name used in the document path is not defined; attribute name: " + placeholder) //nolint:staticcheck // AWS's words
	}
	if !ok {
		name = placeholder
	}
	return name, nil
}

func (s *Scope) value(placeholder string) (attribute.Value, error) {
	s.usedValues[placeholder] = true
	value, ok := s.values[placeholder]
	if !ok && !s.anything {
		return value, errors.New("An expression attribute value used in expression is not defined; attribute value: " + placeholder) //nolint:staticcheck // AWS's words
	}
	return value, nil
}

// parser reads one expression.
type parser struct {
	scope  *Scope
	text   string
	tokens []token
	next   int
}

func newParser(scope *Scope, text string) (*parser, error) {
	if strings.TrimSpace(text) == "" {
		return nil, errors.New("The expression can not be empty;") //nolint:staticcheck // AWS's words
	}
	tokens, err := lex(text)
	if err != nil {
		return nil, err
	}
	return &parser{scope: scope, text: text, tokens: tokens}, nil
}

func (p *parser) peek() token { return p.tokens[p.next] }

func (p *parser) take() token {
	t := p.tokens[p.next]
	if t.kind != tokenEnd {
		p.next++
	}
	return t
}

func (p *parser) unexpected() error { return syntaxError(p.text, p.peek()) }

func (p *parser) isSymbol(symbol string) bool {
	return p.peek().kind == tokenSymbol && p.peek().text == symbol
}

func (p *parser) isKeyword(word string) bool {
	return p.peek().kind == tokenWord && strings.EqualFold(p.peek().text, word)
}

func (p *parser) skipSymbol(symbol string) bool {
	if p.isSymbol(symbol) {
		p.next++
		return true
	}
	return false
}

func (p *parser) skipKeyword(word string) bool {
	if p.isKeyword(word) {
		p.next++
		return true
	}
	return false
}

func (p *parser) expectSymbol(symbol string) error {
	if !p.skipSymbol(symbol) {
		return p.unexpected()
	}
	return nil
}

func (p *parser) end() error {
	if p.peek().kind != tokenEnd {
		return p.unexpected()
	}
	return nil
}
