package expression_test

import (
	"strings"
	"testing"

	"github.com/streaming-service/streaming-service/internal/localcloud/dynamodb/attribute"
	"github.com/streaming-service/streaming-service/internal/localcloud/dynamodb/expression"
)

func TestGrammar(t *testing.T) {
	t.Parallel()
	tests := []struct {
		update bool
		text   string
		want   string // part of the error; "" is accepted
	}{
		{false, "(attribute_not_exists(#used) OR #used < :max) AND (attribute_not_exists(#held) OR #held <= :room)", ""},
		{false, "#status = :queued OR (#status = :streaming AND leaseUntil < :now)", ""},
		{false, "contains(#open, :rid)", ""},
		{false, "NOT (a = :a) AND b.c[2] IN (:b, :c)", ""},
		{false, "a = :a and b between :b and :c", ""},
		{false, "status = :a", "reserved keyword: status"},
		{false, "a.status = :a", "reserved keyword: status"},
		{false, "a = :a OR", "Syntax error"},
		{false, "a", "Syntax error"},
		{false, "a + :a = :b", "Syntax error"},
		{false, "a = :", "Syntax error"},
		{false, "a = 'x'", "Syntax error"},
		{false, "a = 5", "Syntax error"},
		{false, "(a = :a", "Syntax error"},
		{false, "AND = :a", "Syntax error"},
		{false, "a[x] = :a", "Syntax error"},
		{false, strings.Repeat("x", 4097), "exceeded the maximum allowed size"},
		{true, "SET #used = if_not_exists(#used, :zero) + :one, tat = :tat ADD #open :open", ""},
		{true, "set a = :a remove b, c.d[0] delete e :e", ""},
		{true, "SET a = b - c", ""},
		{true, "SET a = list_append(if_not_exists(a, :empty), :more)", ""},
		{true, "SET a = a + :b - :c", "Syntax error"},
		{true, "SET a = (a + :b)", "Syntax error"},
		{true, "SET a = a * :b", "Syntax error"},
		{true, "SET a", "Syntax error"},
		{true, "a = :a", "Syntax error"},
		{true, "SET a = :a, a.b = :b", "overlap"},
		{true, "SET a = size(b)", "Invalid function name; function: size"},
		{true, "SET a = if_not_exists(:a, b)", "requires a document path"},
		{true, "ADD a b", "Syntax error"},
		{true, "ADD a.b :c", "top-level"},
		{true, "REMOVE owner", "reserved keyword: owner"},
	}
	for _, test := range tests {
		check := expression.CheckCondition
		if test.update {
			check = expression.CheckUpdate
		}
		switch err := check(test.text); {
		case test.want == "" && err != nil:
			t.Errorf("%s: %v", test.text, err)
		case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)):
			t.Errorf("%s: got %v, want %q", test.text, err, test.want)
		}
	}
}

// TestApplyKeepsTheOldItem wants the given item unchanged: readers hold it
// without a lock.
func TestApplyKeepsTheOldItem(t *testing.T) {
	t.Parallel()
	nested := func() attribute.Item {
		return attribute.Item{
			"m": {Kind: attribute.Map, Members: map[string]attribute.Value{"l": {Kind: attribute.List, List: []attribute.Value{attribute.S("a"), attribute.S("b")}}}},
			"s": {Kind: attribute.StringSet, Set: []string{"x", "y"}},
		}
	}
	old := nested()
	scope := expression.NewScope(nil, map[string]attribute.Value{":v": attribute.S("z"), ":s": {Kind: attribute.StringSet, Set: []string{"x"}}})
	update, err := scope.Update("SET m.l[0] = :v, m.k = :v REMOVE m.l[1] DELETE s :s")
	if err != nil {
		t.Fatal(err)
	}
	updated, err := update.Apply(old)
	if err != nil {
		t.Fatal(err)
	}
	if !old.Equal(nested()) {
		t.Errorf("the old item became %v", old)
	}
	want := attribute.Item{
		"m": {Kind: attribute.Map, Members: map[string]attribute.Value{"l": {Kind: attribute.List, List: []attribute.Value{attribute.S("z")}}, "k": attribute.S("z")}},
		"s": {Kind: attribute.StringSet, Set: []string{"y"}},
	}
	if !updated.Equal(want) {
		t.Errorf("got %v, want %v", updated, want)
	}
}

func FuzzExpressions(f *testing.F) {
	f.Add("(attribute_not_exists(#used) OR #used < :max) AND contains(open, :rid)")
	f.Add("SET a = if_not_exists(a, :z) + :o, m.l[0] = list_append(l, :l) REMOVE b ADD c :c DELETE d :d")
	f.Add("a[0].b, #c")
	f.Add("pk = :p AND sk BETWEEN :a AND :b")
	item := attribute.Item{"a": {Kind: attribute.Number, Text: "1"}, "l": {Kind: attribute.List, List: []attribute.Value{attribute.S("x")}}}
	f.Fuzz(func(_ *testing.T, text string) {
		scope := expression.NewScope(map[string]string{"#used": "used", "#c": "l"}, map[string]attribute.Value{
			":z": {Kind: attribute.Number, Text: "0"}, ":o": {Kind: attribute.Number, Text: "1"}, ":max": {Kind: attribute.Number, Text: "9"},
			":l": {Kind: attribute.List}, ":rid": attribute.S("r"), ":p": attribute.S("p"), ":c": {Kind: attribute.StringSet, Set: []string{"c"}},
		})
		if condition, err := scope.Condition("ConditionExpression", text); err == nil {
			condition.Holds(item)
		}
		if update, err := scope.Update(text); err == nil {
			_, _ = update.Apply(item)
		}
		if paths, err := scope.Projection(text); err == nil {
			expression.Project(item, paths)
		}
		_, _ = scope.KeyCondition(text, "pk", "sk")
	})
}
