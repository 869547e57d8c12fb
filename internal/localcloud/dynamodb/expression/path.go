package expression

import (
	"errors"
	"strconv"
	"strings"

	"github.com/streaming-service/streaming-service/internal/localcloud/dynamodb/attribute"
)

// Path is a document path: an attribute's name and steps into it.
type Path []step

// step is a member of a map or an element of a list.
type step struct {
	name  string
	index int
	list  bool
}

func (s step) String() string {
	if s.list {
		return "[" + strconv.Itoa(s.index) + "]"
	}
	return s.name
}

// String writes a path as AWS's messages do: [a, b, [1]].
func (p Path) String() string {
	parts := make([]string, 0, len(p))
	for _, s := range p {
		parts = append(parts, s.String())
	}
	return "[" + strings.Join(parts, ", ") + "]"
}

// Top is the attribute that the path begins at.
func (p Path) Top() string { return p[0].name }

// maxIndex bounds a list index; DynamoDB's items cannot hold more elements.
const maxIndex = attribute.MaxItemSize

func (p *parser) path() (Path, error) {
	first, err := p.pathName()
	if err != nil {
		return nil, err
	}
	path := Path{first}
	for {
		switch {
		case p.skipSymbol("."):
			next, err := p.pathName()
			if err != nil {
				return nil, err
			}
			path = append(path, next)
		case p.isSymbol("["):
			next, err := p.pathIndex()
			if err != nil {
				return nil, err
			}
			path = append(path, next)
		default:
			return path, nil
		}
	}
}

func (p *parser) pathName() (step, error) {
	t := p.peek()
	switch t.kind {
	case tokenName:
		p.next++
		name, err := p.scope.name(t.text)
		return step{name: name}, err
	case tokenWord:
		if isOperatorWord(t.text) {
			return step{}, p.unexpected()
		}
		if IsReserved(t.text) {
			return step{}, errors.New("Attribute name is a reserved keyword; reserved keyword: " + t.text) //nolint:staticcheck // AWS's words
		}
		p.next++
		return step{name: t.text}, nil
	}
	return step{}, p.unexpected()
}

func (p *parser) pathIndex() (step, error) {
	p.next++ // the bracket
	t := p.peek()
	index, err := strconv.Atoi(t.text)
	if t.kind != tokenNumber || err != nil || index > maxIndex {
		return step{}, p.unexpected()
	}
	p.next++
	return step{index: index, list: true}, p.expectSymbol("]")
}

// of finds the value at the path.
func (p Path) of(item attribute.Item) (attribute.Value, bool) {
	value, ok := item[p[0].name]
	for _, s := range p[1:] {
		if !ok {
			return value, false
		}
		value, ok = s.into(value)
	}
	return value, ok
}

func (s step) into(value attribute.Value) (attribute.Value, bool) {
	if s.list {
		if value.Kind != attribute.List || s.index >= len(value.List) {
			return attribute.Value{}, false
		}
		return value.List[s.index], true
	}
	member, ok := value.Members[s.name]
	return member, ok && value.Kind == attribute.Map
}

// overlaps tells whether one path leads to or through the other.
func (p Path) overlaps(other Path) bool {
	for i := range min(len(p), len(other)) {
		if p[i] != other[i] {
			return false
		}
	}
	return true
}
