package expression

import (
	"errors"
	"fmt"
	"strings"

	"github.com/streaming-service/streaming-service/internal/localcloud/dynamodb/attribute"
)

// Update is a parsed update expression.
type Update struct {
	sets    []assignment
	removes []Path
	adds    []change
	deletes []change
}

type assignment struct {
	path  Path
	value term
}

type change struct {
	path  Path
	value attribute.Value
}

// Update parses an update expression.
func (s *Scope) Update(text string) (*Update, error) {
	u, err := s.parseUpdate(text)
	if err != nil {
		return nil, fmt.Errorf("Invalid UpdateExpression: %w", err) //nolint:staticcheck // AWS's words
	}
	return u, nil
}

func (s *Scope) parseUpdate(text string) (*Update, error) {
	p, err := newParser(s, text)
	if err != nil {
		return nil, err
	}
	u := &Update{}
	seen := map[string]bool{}
	for p.peek().kind != tokenEnd {
		section := strings.ToUpper(p.peek().text)
		parse, known := sections[section]
		switch {
		case p.peek().kind != tokenWord || !known:
			return nil, p.unexpected()
		case seen[section]:
			return nil, fmt.Errorf("The %q section can only be used once in an update expression;", section) //nolint:staticcheck // AWS's words
		}
		seen[section] = true
		p.next++
		for more := true; more; more = p.skipSymbol(",") {
			if err := parse(p, u); err != nil {
				return nil, err
			}
		}
	}
	return u, u.checkPaths()
}

var sections = map[string]func(*parser, *Update) error{
	"SET": (*parser).set, "REMOVE": (*parser).remove, "ADD": (*parser).add, "DELETE": (*parser).delete,
}

func (p *parser) set(u *Update) error {
	path, err := p.path()
	if err != nil {
		return err
	}
	if err := p.expectSymbol("="); err != nil {
		return err
	}
	value, err := p.sum()
	u.sets = append(u.sets, assignment{path, value})
	return err
}

func (p *parser) remove(u *Update) error {
	path, err := p.path()
	u.removes = append(u.removes, path)
	return err
}

func (p *parser) add(u *Update) error {
	c, err := p.change("ADD", func(v attribute.Value) bool { return v.Kind == attribute.Number || v.IsSet() })
	u.adds = append(u.adds, c)
	return err
}

func (p *parser) delete(u *Update) error {
	c, err := p.change("DELETE", attribute.Value.IsSet)
	u.deletes = append(u.deletes, c)
	return err
}

// change is the path and the value of ADD and DELETE.
func (p *parser) change(section string, allowed func(attribute.Value) bool) (change, error) {
	path, err := p.path()
	if err != nil {
		return change{}, err
	}
	if len(path) > 1 {
		return change{}, fmt.Errorf("the local cloud takes only top-level attributes in %s, as AWS documents it; path: %s", section, path)
	}
	t := p.peek()
	if t.kind != tokenValue {
		return change{}, p.unexpected()
	}
	p.next++
	value, err := p.scope.value(t.text)
	if err == nil && value.Kind != "" && !allowed(value) {
		err = wrongType(section, value.Kind)
	}
	return change{path, value}, err
}

// sum is one term, or two with one operator between them: AWS allows no more.
func (p *parser) sum() (term, error) {
	left, err := p.term()
	if err != nil || !p.isSymbol("+") && !p.isSymbol("-") {
		return left, err
	}
	operator := p.take().text
	right, err := p.term()
	if err != nil {
		return nil, err
	}
	for _, side := range []term{left, right} {
		if literal, ok := side.(literalTerm); ok && literal.value.Kind != "" && literal.value.Kind != attribute.Number {
			return nil, wrongType(operator, literal.value.Kind)
		}
	}
	return sumTerm{left, right, operator == "-"}, nil
}

func (p *parser) term() (term, error) {
	t := p.peek()
	if t.kind == tokenValue {
		p.next++
		value, err := p.scope.value(t.text)
		return literalTerm{value}, err
	}
	if p.startsFunction() {
		return p.termFunction()
	}
	path, err := p.path()
	return pathTerm{path}, err
}

func (p *parser) termFunction() (term, error) {
	name := p.take().text
	if name != "if_not_exists" && name != "list_append" {
		return nil, invalidFunction(name)
	}
	p.next++ // parenthesis
	first, err := p.term()
	if err != nil {
		return nil, err
	}
	if err := p.expectSymbol(","); err != nil {
		return nil, err
	}
	second, err := p.term()
	if err != nil {
		return nil, err
	}
	if err := p.expectSymbol(")"); err != nil {
		return nil, err
	}
	if name == "list_append" {
		return appendTerm{first, second}, nil
	}
	path, ok := first.(pathTerm)
	if !ok {
		return nil, errors.New("Operator or function requires a document path; operator or function: if_not_exists") //nolint:staticcheck // AWS's words
	}
	return defaultTerm{path.path, second}, nil
}

// Paths are all that the update writes.
func (u *Update) Paths() []Path {
	var paths []Path
	for _, a := range u.sets {
		paths = append(paths, a.path)
	}
	paths = append(paths, u.removes...)
	for _, c := range append(append([]change{}, u.adds...), u.deletes...) {
		paths = append(paths, c.path)
	}
	return paths
}

func (u *Update) checkPaths() error {
	paths := u.Paths()
	for i, path := range paths {
		for _, other := range paths[:i] {
			if path.overlaps(other) {
				return fmt.Errorf("Two document paths overlap with each other; must remove or rewrite one of these paths; path one: %s, path two: %s", other, path) //nolint:staticcheck // AWS's words
			}
		}
	}
	return nil
}
