package expression

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/streaming-service/streaming-service/internal/localcloud/dynamodb/attribute"
)

// KeyCondition is a parsed key condition: one partition, and what holds of the
// sort key in it.
type KeyCondition struct {
	Partition attribute.Value
	Range     *Condition // nil: the whole partition
}

// KeyCondition parses the key condition of a query on a table with these key
// attributes; sortKey is "" if there is none.
func (s *Scope) KeyCondition(text, partitionKey, sortKey string) (KeyCondition, error) {
	root, err := s.parseCondition(text)
	if err != nil {
		return KeyCondition{}, fmt.Errorf("Invalid KeyConditionExpression: %w", err) //nolint:staticcheck // AWS's words
	}
	parts := []node{root}
	if both, ok := root.(andNode); ok {
		parts = []node{both.left, both.right}
	}
	var condition KeyCondition
	for _, part := range parts {
		if err := condition.take(part, partitionKey, sortKey); err != nil {
			return KeyCondition{}, err
		}
	}
	if condition.Partition.Kind == "" {
		return KeyCondition{}, errors.New("Query condition missed key schema element: " + partitionKey) //nolint:staticcheck // AWS's words
	}
	return condition, nil
}

//nolint:staticcheck // AWS's words
var (
	errKeyOperator = errors.New("Invalid operator used in KeyConditionExpression")
	errOneKey      = errors.New("KeyConditionExpressions must only contain one condition per key")
)

func (k *KeyCondition) take(part node, partitionKey, sortKey string) error {
	path, equals, err := keyPart(part)
	if err != nil {
		return err
	}
	switch {
	case len(path) != 1:
		return errors.New("KeyConditionExpressions cannot have conditions on nested attributes") //nolint:staticcheck // AWS's words
	case path.Top() == partitionKey:
		if equals == nil {
			return errors.New("Query key condition not supported") //nolint:staticcheck // AWS's words
		}
		if k.Partition.Kind != "" {
			return errOneKey
		}
		k.Partition = equals.value
	case sortKey != "" && path.Top() == sortKey:
		if k.Range != nil {
			return errOneKey
		}
		k.Range = &Condition{part}
	default:
		return errors.New("Query condition missed key schema element: " + partitionKey) //nolint:staticcheck // AWS's words
	}
	return nil
}

// keyPart returns the path that a condition is about, and the value that it
// must equal if that is what it says.
func keyPart(part node) (Path, *valueOperand, error) {
	switch n := part.(type) {
	case compareNode:
		path, isPath := n.left.(pathOperand)
		value, isValue := n.right.(valueOperand)
		if !isPath || !isValue || n.operator == "<>" {
			return nil, nil, errKeyOperator
		}
		if n.operator == "=" {
			return path.path, &value, nil
		}
		return path.path, nil, nil
	case betweenNode:
		if path, isPath := n.value.(pathOperand); isPath {
			return path.path, nil, nil
		}
	case functionNode:
		if n.beginsWith {
			return n.path, nil, nil
		}
	}
	return nil, nil, errKeyOperator
}

// Projection parses a projection expression.
func (s *Scope) Projection(text string) ([]Path, error) {
	paths, err := s.parseProjection(text)
	if err != nil {
		return nil, fmt.Errorf("Invalid ProjectionExpression: %w", err) //nolint:staticcheck // AWS's words
	}
	return paths, nil
}

func (s *Scope) parseProjection(text string) ([]Path, error) {
	p, err := newParser(s, text)
	if err != nil {
		return nil, err
	}
	var paths []Path
	for more := true; more; more = p.skipSymbol(",") {
		path, err := p.path()
		if err != nil {
			return nil, err
		}
		for _, other := range paths {
			if path.overlaps(other) {
				return nil, fmt.Errorf("Two document paths overlap with each other; must remove or rewrite one of these paths; path one: %s, path two: %s", other, path) //nolint:staticcheck // AWS's words
			}
		}
		paths = append(paths, path)
	}
	return paths, p.end()
}

// Project keeps what lies at the paths; none keeps everything.
func Project(item attribute.Item, paths []Path) attribute.Item {
	if len(paths) == 0 || item == nil {
		return item
	}
	projected := attribute.Item{}
	for _, path := range paths {
		value, ok := path.of(item)
		if !ok {
			continue
		}
		for i := len(path) - 1; i > 0; i-- {
			value = path[i].wrap(value)
		}
		name := path.Top()
		if present, exists := projected[name]; exists {
			value = merged(present, value)
		}
		projected[name] = value
	}
	return projected
}

func (s step) wrap(value attribute.Value) attribute.Value {
	if s.list {
		return attribute.Value{Kind: attribute.List, List: []attribute.Value{value}}
	}
	return attribute.Value{Kind: attribute.Map, Members: map[string]attribute.Value{s.name: value}}
}

// merged joins two projections of one attribute.
func merged(a, b attribute.Value) attribute.Value {
	if a.Kind == attribute.List {
		return attribute.Value{Kind: attribute.List, List: append(slices.Clip(a.List), b.List...)}
	}
	members := map[string]attribute.Value{}
	maps.Copy(members, a.Members)
	for name, value := range b.Members {
		if present, ok := members[name]; ok {
			value = merged(present, value)
		}
		members[name] = value
	}
	return attribute.Value{Kind: attribute.Map, Members: members}
}
