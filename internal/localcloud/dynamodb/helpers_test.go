package dynamodb_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

func wantItem(t testing.TB, got, want map[string]types.AttributeValue) {
	t.Helper()
	if g, w := plain(got), plain(want); g != w {
		t.Errorf("got item %s\nwant %s", g, w)
	}
}

// plain writes an item as JSON with sorted names and sets.
func plain(item map[string]types.AttributeValue) string {
	text, err := json.Marshal(plainMap(item))
	if err != nil {
		return err.Error()
	}
	return string(text)
}

func plainMap(item map[string]types.AttributeValue) map[string]any {
	plain := map[string]any{}
	for name, value := range item {
		plain[name] = plainValue(value)
	}
	return plain
}

func plainValue(value types.AttributeValue) any {
	switch v := value.(type) {
	case *types.AttributeValueMemberM:
		return map[string]any{"M": plainMap(v.Value)}
	case *types.AttributeValueMemberL:
		list := []any{}
		for _, element := range v.Value {
			list = append(list, plainValue(element))
		}
		return map[string]any{"L": list}
	case *types.AttributeValueMemberSS:
		return map[string]any{"SS": slices.Sorted(slices.Values(v.Value))}
	case *types.AttributeValueMemberN:
		return map[string]any{"N": v.Value}
	case *types.AttributeValueMemberS:
		return map[string]any{"S": v.Value}
	}
	return value
}

func contains(text, part string) bool { return strings.Contains(text, part) }
