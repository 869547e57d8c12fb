package jsonobject_test

import (
	"encoding/json"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/streaming-service/streaming-service/lambdas/internal/jsonobject"
)

func TestMembers(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, raw string
		want      []jsonobject.Member
		err       string
	}{
		{"none", ` {} `, nil, ""},
		{"in their order, by their exact names", `{"b":[1,{}],"B":null}`, []jsonobject.Member{{Name: "b", Value: []byte(`[1,{}]`)}, {Name: "B", Value: []byte(`null`)}}, ""},
		{"a name twice", `{"a":1,"\u0061":2}`, nil, `must not repeat "a"`},
		{"an array", `["a"]`, nil, "must be a JSON object"},
		{"null", `null`, nil, "must be a JSON object"},
		{"a long name twice", `{"` + strings.Repeat("é", 100) + `":1,"` + strings.Repeat("é", 100) + `":1}`, nil, `must not repeat "` + strings.Repeat("é", 64) + `…"`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, err := jsonobject.Members([]byte(test.raw))
			if message := errorText(err); message != test.err || !reflect.DeepEqual(got, test.want) {
				t.Errorf("Members = %v, %q, want %v, %q", got, message, test.want, test.err)
			}
		})
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestValuesHaveTheirType(t *testing.T) {
	t.Parallel()
	for _, raw := range []string{`null`, `true`, `7`, `"7"`, `[7]`, `{"a":7}`} {
		value := json.RawMessage(raw)
		if s, ok := jsonobject.Text(value); ok != (raw == `"7"`) || (ok && s != "7") {
			t.Errorf("Text(%s) = %q, %t", raw, s, ok)
		}
		if list, ok := jsonobject.Array(value); ok != (raw == `[7]`) || (ok && len(list) != 1) {
			t.Errorf("Array(%s) = %v, %t", raw, list, ok)
		}
		if n, ok := jsonobject.Number(value); ok != (raw == `7`) || (ok && n != 7) {
			t.Errorf("Number(%s) = %v, %t", raw, n, ok)
		}
	}
	if n, ok := jsonobject.Number([]byte(`1e999`)); ok {
		t.Errorf("a number beyond float64 is %v", n)
	}
	if n, ok := jsonobject.Number([]byte(`-1.5e300`)); !ok || n != -1.5e300 || math.IsInf(n, 0) {
		t.Errorf("a negative number is %v, %t", n, ok)
	}
}
