package attribute_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/streaming-service/streaming-service/internal/localcloud/dynamodb/attribute"
)

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		`{"a":{"S":"grüße <&> \"quoted\" \\ \u0001 \n"}}`, `{"a":{"N":"-12.5"}}`, `{"a":{"B":"AQID"}}`, `{"a":{"BOOL":true},"b":{"BOOL":false},"c":{"NULL":true}}`,
		`{"a":{"SS":["x","y"]},"b":{"NS":["1","2"]},"c":{"BS":["AQ==","Ag=="]}}`, `{"a":{"L":[]},"b":{"M":{}}}`, `{"a":{"L":[{"M":{"b":{"L":[{"N":"1"}]}}}]}}`, `{}`,
	} {
		var item, again attribute.Item
		if err := json.Unmarshal([]byte(text), &item); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		written, err := json.Marshal(item)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(written, &again); err != nil || !item.Equal(again) {
			t.Errorf("%s became %s (%v)", text, written, err)
		}
	}
}

// What almost has the form of a plain string or number is read as what it is.
func TestOnlyPlainScalarsAreReadAsSuch(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`{"S":""}`: `{"S":""}`, `{"S":"ü"}`: `{"S":"ü"}`, `{"S":"a\"}`: "", `{"S":"a\\"}`: `{"S":"a\\"}`,
		`{"N":"-0"}`: `{"N":"0"}`, `{"N":"+7"}`: `{"N":"7"}`, `{"N":"1e2"}`: `{"N":"100"}`, `{"B":"AQ=="}`: `{"B":"AQ=="}`,
		`{"S":"a","N":"1"}`: "", `{"S":"a","S":"b"}`: `{"S":"b"}`, `{"N":""}`: "", `{"N":"1_0"}`: "", `{"X":"1"}`: "", `{"S":"\ud800"}`: "{\"S\":\"\ufffd\"}", "{\"S\":\"\xff\"}": "{\"S\":\"\ufffd\"}",
	} {
		var value attribute.Value
		got := ""
		if err := json.Unmarshal([]byte(text), &value); err == nil {
			written, err := json.Marshal(value)
			if err != nil {
				t.Fatal(err)
			}
			got = string(written)
		}
		if got != want {
			t.Errorf("%s became %s, want %s", text, got, want)
		}
	}
}

func TestSize(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{
		`{"name":{"S":"grüße"}}`: 4 + 7, `{"n":{"N":"12345"}}`: 1 + 4, `{"n":{"N":"-1200"}}`: 1 + 3, `{"n":{"BOOL":true}}`: 2, `{"l":{"L":[{"S":"ab"},{"NULL":true}]}}`: 1 + 3 + 3 + 2,
		`{"m":{"M":{"k":{"S":"v"}}}}`: 1 + 3 + 1 + 2, `{"s":{"SS":["ab","c"]}}`: 1 + 3,
	} {
		var item attribute.Item
		if err := json.Unmarshal([]byte(text), &item); err != nil {
			t.Fatal(err)
		}
		if got := item.Size(); got != want {
			t.Errorf("%s: got %d, want %d", text, got, want)
		}
	}
}

func TestArithmetic(t *testing.T) {
	t.Parallel()
	number := func(text string) attribute.Value { return attribute.Value{Kind: attribute.Number, Text: text} }
	for _, test := range []struct {
		a, b     string
		subtract bool
		want     string
	}{
		{"1", "2", false, "3"}, {"1", "2", true, "-1"}, {"0.1", "0.2", false, "0.3"}, {"999999999999999999", "1", false, "1000000000000000000"},
		{"9223372036854775807", "1", false, "9223372036854775808"}, {"1.5", "1.5", true, "0"}, {"-0.5", "100", false, "99.5"},
	} {
		got, err := attribute.Add(number(test.a), number(test.b), test.subtract)
		if err != nil || got.Text != test.want {
			t.Errorf("%+v: got %s and %v", test, got.Text, err)
		}
	}
	if _, err := attribute.Add(number(strings.Repeat("9", 38)), number("0.1"), false); err == nil {
		t.Error("want an error for more than 38 digits")
	}
	for _, pair := range [][2]string{{"2", "10"}, {"-10", "-2"}, {"0.5", "1"}, {"99999999999999999999", "100000000000000000000"}} {
		if order, ok := number(pair[0]).Compare(number(pair[1])); order != -1 || !ok {
			t.Errorf("%v: got order %d", pair, order)
		}
	}
}

func FuzzValue(f *testing.F) {
	f.Add(`{"N":"-1.50e3"}`)
	f.Add(`{"L":[{"SS":["a"]},{"M":{"k":{"B":"AQ=="}}}]}`)
	f.Add(`{"S":"\u0000\ud83d\ude00"}`)
	f.Fuzz(func(t *testing.T, text string) {
		var value, again attribute.Value
		if json.Unmarshal([]byte(text), &value) != nil {
			return
		}
		written, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(written, &again); err != nil || !value.Equal(again) || value.Size() != again.Size() {
			t.Errorf("%s became %s (%v)", text, written, err)
		}
	})
}
