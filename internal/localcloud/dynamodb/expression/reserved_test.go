package expression_test

import (
	"os"
	"strings"
	"testing"

	"github.com/truora/minidyn/interpreter/language"

	"github.com/streaming-service/streaming-service/internal/localcloud/dynamodb/expression"
)

// AWS's page has 573 words, as has minidyn, one of them misspelt in both.
func TestReservedWords(t *testing.T) {
	t.Parallel()
	list, err := os.ReadFile("reserved.txt")
	if err != nil {
		t.Fatal(err)
	}
	words := 0
	for word := range strings.FieldsSeq(string(list[strings.Index(string(list), "\nABORT"):])) {
		words++
		if !expression.IsReserved(strings.ToLower(word)) || !language.IsReservedWord(word) {
			t.Errorf("%s: reserved here %t, in minidyn %t", word, expression.IsReserved(word), language.IsReservedWord(word))
		}
	}
	if words != 573 || !expression.IsReserved("FLATTERN") {
		t.Errorf("%d words are reserved, want 573 and FLATTERN among them", words)
	}
	for _, free := range []string{"", "#", "pk", "statuses", "flatten"} {
		if expression.IsReserved(free) {
			t.Errorf("%q is reserved", free)
		}
	}
}
