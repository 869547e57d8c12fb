package expression

import (
	"errors"
	"maps"
	"slices"

	"github.com/streaming-service/streaming-service/internal/localcloud/dynamodb/attribute"
)

// term is what SET assigns, computed from the item as it was.
type term interface {
	of(attribute.Item) (attribute.Value, error)
}

type (
	literalTerm struct{ value attribute.Value }
	pathTerm    struct{ path Path }
	defaultTerm struct {
		path     Path
		fallback term
	}
	appendTerm struct{ first, second term }
	sumTerm    struct {
		left, right term
		subtract    bool
	}
)

//nolint:staticcheck // AWS's words
var (
	errAbsent      = errors.New("The provided expression refers to an attribute that does not exist in the item")
	errOperandType = errors.New("An operand in the update expression has an incorrect data type")
	errPath        = errors.New("The document path provided in the update expression is invalid for update")
)

func (t literalTerm) of(attribute.Item) (attribute.Value, error) { return t.value, nil }

func (t pathTerm) of(item attribute.Item) (attribute.Value, error) {
	value, ok := t.path.of(item)
	if !ok {
		return value, errAbsent
	}
	return value, nil
}

func (t defaultTerm) of(item attribute.Item) (attribute.Value, error) {
	if value, ok := t.path.of(item); ok {
		return value, nil
	}
	return t.fallback.of(item)
}

func (t appendTerm) of(item attribute.Item) (attribute.Value, error) {
	first, err := t.first.of(item)
	if err != nil {
		return first, err
	}
	second, err := t.second.of(item)
	if err != nil {
		return second, err
	}
	if first.Kind != attribute.List || second.Kind != attribute.List {
		return first, errOperandType
	}
	return attribute.Value{Kind: attribute.List, List: slices.Concat(first.List, second.List)}, nil
}

func (t sumTerm) of(item attribute.Item) (attribute.Value, error) {
	left, err := t.left.of(item)
	if err != nil {
		return left, err
	}
	right, err := t.right.of(item)
	if err != nil {
		return right, err
	}
	if left.Kind != attribute.Number || right.Kind != attribute.Number {
		return left, errOperandType
	}
	return attribute.Add(left, right, t.subtract)
}

// Apply returns the item after the update; the given one stays as it is. Every
// right side sees the given item, whatever the order of the clauses.
func (u *Update) Apply(old attribute.Item) (attribute.Item, error) {
	updated := maps.Clone(old)
	if updated == nil {
		updated = attribute.Item{}
	}
	for _, a := range u.sets {
		value, err := a.value.of(old)
		if err != nil {
			return nil, err
		}
		if err := a.path.put(updated, value); err != nil {
			return nil, err
		}
	}
	for _, c := range u.adds {
		if err := c.add(old, updated); err != nil {
			return nil, err
		}
	}
	for _, c := range u.deletes {
		if err := c.take(old, updated); err != nil {
			return nil, err
		}
	}
	return updated, removeAll(updated, u.removes)
}

func (c change) add(old, updated attribute.Item) error {
	name := c.path.Top()
	present, ok := old[name]
	switch {
	case !ok:
		updated[name] = c.value
	case present.Kind != c.value.Kind:
		return errOperandType
	case present.Kind == attribute.Number:
		sum, err := attribute.Add(present, c.value, false)
		updated[name] = sum
		return err
	default:
		updated[name] = union(present, c.value)
	}
	return nil
}

func union(present, more attribute.Value) attribute.Value {
	set := slices.Clone(present.Set)
	for _, element := range more.Set {
		if !slices.Contains(set, element) {
			set = append(set, element)
		}
	}
	return attribute.Value{Kind: present.Kind, Set: set}
}

// take removes elements of a set; a set without elements vanishes.
func (c change) take(old, updated attribute.Item) error {
	name := c.path.Top()
	present, ok := old[name]
	if !ok {
		return nil
	}
	if present.Kind != c.value.Kind {
		return errOperandType
	}
	left := slices.DeleteFunc(slices.Clone(present.Set), func(element string) bool { return slices.Contains(c.value.Set, element) })
	if len(left) == 0 {
		delete(updated, name)
		return nil
	}
	updated[name] = attribute.Value{Kind: present.Kind, Set: left}
	return nil
}

// put sets the value at the path, copying the containers on the way.
func (p Path) put(item attribute.Item, value attribute.Value) error {
	if len(p) == 1 {
		item[p.Top()] = value
		return nil
	}
	container, ok := item[p.Top()]
	if !ok {
		return errPath
	}
	changed, err := p[1:].putInto(container, value)
	item[p.Top()] = changed
	return err
}

func (p Path) putInto(container, value attribute.Value) (attribute.Value, error) {
	inner := value
	if len(p) > 1 {
		next, ok := p[0].into(container)
		if !ok {
			return container, errPath
		}
		var err error
		if inner, err = p[1:].putInto(next, value); err != nil {
			return container, err
		}
	}
	switch {
	case p[0].list && container.Kind == attribute.List:
		list := slices.Clone(container.List)
		if p[0].index < len(list) {
			list[p[0].index] = inner
		} else {
			list = append(list, inner) // an index past the end appends, as in AWS
		}
		return attribute.Value{Kind: attribute.List, List: list}, nil
	case !p[0].list && container.Kind == attribute.Map:
		members := maps.Clone(container.Members)
		if members == nil {
			members = map[string]attribute.Value{}
		}
		members[p[0].name] = inner
		return attribute.Value{Kind: attribute.Map, Members: members}, nil
	}
	return container, errPath
}

// removeAll removes paths; of one list, from its end, so that indexes keep
// meaning what they meant.
func removeAll(item attribute.Item, paths []Path) error {
	ordered := slices.Clone(paths)
	slices.SortStableFunc(ordered, func(a, b Path) int { return b[len(b)-1].index - a[len(a)-1].index })
	for _, path := range ordered {
		if err := path.remove(item); err != nil {
			return err
		}
	}
	return nil
}

func (p Path) remove(item attribute.Item) error {
	if len(p) == 1 {
		delete(item, p.Top())
		return nil
	}
	container, ok := item[p.Top()]
	if !ok {
		return errPath
	}
	changed, err := p[1:].removeFrom(container)
	item[p.Top()] = changed
	return err
}

func (p Path) removeFrom(container attribute.Value) (attribute.Value, error) {
	inner, present := p[0].into(container)
	if len(p) > 1 {
		if !present {
			return container, errPath
		}
		changed, err := p[1:].removeFrom(inner)
		if err != nil {
			return container, err
		}
		return p[:1].putInto(container, changed)
	}
	switch {
	case p[0].list && container.Kind == attribute.List:
		if !present {
			return container, nil
		}
		return attribute.Value{Kind: attribute.List, List: slices.Delete(slices.Clone(container.List), p[0].index, p[0].index+1)}, nil
	case !p[0].list && container.Kind == attribute.Map:
		members := maps.Clone(container.Members)
		delete(members, p[0].name)
		return attribute.Value{Kind: attribute.Map, Members: members}, nil
	}
	return container, errPath
}
