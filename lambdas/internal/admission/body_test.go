package admission_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/streaming-service/streaming-service/lambdas/internal/admission"
	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/protocol"
)

func model() admission.Model {
	return admission.Model{ID: "m", Allowed: []string{"m", "n"}, MaxTokens: 100, System: "operator", AllowSystem: true}
}

func user(content string) protocol.Message {
	return protocol.Message{Role: protocol.RoleUser, Content: content}
}

func TestParse(t *testing.T) {
	t.Parallel()
	defaults := life.ModelParameters{ModelID: "m", MaxTokens: 100}
	tests := []struct {
		name, body string
		want       admission.Submission
	}{
		{"prompt", `{"prompt":"hi"}`, admission.Submission{Input: life.Input{Messages: []protocol.Message{user("hi")}, System: []string{"operator"}}, Model: defaults}},
		{
			"conversation",
			`{"messages":[{"role":"user","content":"a"},{"content":"b","role":"assistant"},{"role":"user","content":" é "}]}`,
			admission.Submission{Input: life.Input{Messages: []protocol.Message{user("a"), {Role: "assistant", Content: "b"}, user(" é ")}, System: []string{"operator"}}, Model: defaults},
		},
		{
			"everything",
			` {"prompt":"hi","system":"mine","model":"n","maxTokens":5,"temperature":0,"topP":1.0,"stopSequences":["END",";"]} `,
			admission.Submission{
				Input: life.Input{Messages: []protocol.Message{user("hi")}, System: []string{"operator", "mine"}, StopSequences: []string{"END", ";"}},
				Model: life.ModelParameters{ModelID: "n", MaxTokens: 5, Temperature: new(0.0), TopP: new(1.0)},
			},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, err := model().Parse([]byte(test.body))
			if err != nil || !reflect.DeepEqual(got, test.want) {
				t.Errorf("Parse = %+v, %v, want %+v", got, err, test.want)
			}
		})
	}
}

func TestParseNamesTheFields(t *testing.T) {
	t.Parallel()
	message := func(role, content string) string { return fmt.Sprintf(`{"role":%q,"content":%q}`, role, content) }
	tests := []struct {
		name, body string
		fields     []string
	}{
		{"empty", ``, []string{"body"}},
		{"not JSON", `{"prompt":`, []string{"body"}},
		{"not an object", `["prompt"]`, []string{"body"}},
		{"null", `null`, []string{"body"}},
		{"two values", `{"prompt":"a"}{"prompt":"b"}`, []string{"body"}},
		{"invalid UTF-8", "{\"prompt\":\"\xff\"}", []string{"body"}},
		{"repeated field", `{"prompt":"a","prompt":"b"}`, []string{"body"}},
		{"repeated field, escaped", `{"prompt":"a","\u0070rompt":"b"}`, []string{"body"}},
		{"deep nesting", `{"prompt":` + strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000) + `}`, []string{"body"}},
		{"nothing to ask", `{}`, []string{"messages"}},
		{"both", `{"prompt":"a","messages":[` + message("user", "a") + `]}`, []string{"prompt"}},
		{"unknown field", `{"prompt":"a","stream":true}`, []string{"stream"}},
		{"field in another case", `{"Prompt":"a"}`, []string{"Prompt", "messages"}},
		{"prompt of another type", `{"prompt":7}`, []string{"prompt"}},
		{"null prompt", `{"prompt":null}`, []string{"prompt"}},
		{"blank prompt", `{"prompt":" \n\u00a0"}`, []string{"prompt"}},
		{"no messages", `{"messages":[]}`, []string{"messages"}},
		{"messages of another type", `{"messages":{}}`, []string{"messages"}},
		{"message of another type", `{"messages":["a"]}`, []string{"messages[0]"}},
		{"message without role", `{"messages":[{"content":"a"}]}`, []string{"messages[0].role"}},
		{"message without content", `{"messages":[{"role":"user"}]}`, []string{"messages[0].content"}},
		{"unknown field of a message", `{"messages":[{"role":"user","content":"a","name":"x"}]}`, []string{"messages[0].name"}},
		{"repeated field of a message", `{"messages":[{"role":"user","role":"user","content":"a"}]}`, []string{"messages[0]"}},
		{"blank content", `{"messages":[` + message("user", " ") + `]}`, []string{"messages[0].content"}},
		{"unknown role", `{"messages":[` + message("system", "a") + `]}`, []string{"messages[0].role"}},
		{"assistant first", `{"messages":[` + message("assistant", "a") + `]}`, []string{"messages[0].role"}},
		{"same role twice", `{"messages":[` + message("user", "a") + "," + message("user", "b") + "," + message("user", "c") + `]}`, []string{"messages[1].role"}},
		{"assistant last", `{"messages":[` + message("user", "a") + "," + message("assistant", "b") + `]}`, []string{"messages"}},
		{"maxTokens 0", `{"prompt":"a","maxTokens":0}`, []string{"maxTokens"}},
		{"maxTokens over the limit", `{"prompt":"a","maxTokens":101}`, []string{"maxTokens"}},
		{"maxTokens with a fraction", `{"prompt":"a","maxTokens":1.5}`, []string{"maxTokens"}},
		{"maxTokens beyond numbers", `{"prompt":"a","maxTokens":1e999}`, []string{"maxTokens"}},
		{"maxTokens as text", `{"prompt":"a","maxTokens":"5"}`, []string{"maxTokens"}},
		{"temperature and topP", `{"prompt":"a","temperature":1.1,"topP":-0.1}`, []string{"temperature", "topP"}},
		{"blank system", `{"prompt":"a","system":""}`, []string{"system"}},
		{"blank model", `{"prompt":"a","model":""}`, []string{"model"}},
		{"empty stop sequence", `{"prompt":"a","stopSequences":["x",""]}`, []string{"stopSequences[1]"}},
		{"blank stop sequence", `{"prompt":"a","stopSequences":["x"," \n"]}`, []string{"stopSequences[1]"}},
		{"null maxTokens", `{"prompt":"a","maxTokens":null}`, []string{"maxTokens"}},
		{"long stop sequence", `{"prompt":"a","stopSequences":["` + strings.Repeat("x", 257) + `"]}`, []string{"stopSequences[0]"}},
		{"many stop sequences", `{"prompt":"a","stopSequences":["a"` + strings.Repeat(`,"a"`, 16) + `]}`, []string{"stopSequences"}},
		{"stop sequences of another type", `{"prompt":"a","stopSequences":"x"}`, []string{"stopSequences"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := model().Parse([]byte(test.body))
			if err == nil || err.Problem.Code != protocol.CodeInvalidRequest || err.Status() != 400 {
				t.Fatalf("Parse: %v", err)
			}
			var fields []string
			for _, f := range err.Problem.Errors {
				fields = append(fields, f.Field)
				if f.Message == "" {
					t.Errorf("%s has no message", f.Field)
				}
			}
			if !slices.Equal(fields, test.fields) {
				t.Errorf("fields %q, want %q", fields, test.fields)
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	sized := func(n int) string { return `{"prompt":"` + strings.Repeat("a", n-len(`{"prompt":""}`)) + `"}` }
	tests := []struct {
		name, body string
		model      admission.Model
		want       protocol.Code
	}{
		{"largest body", sized(protocol.MaxBodyBytes), model(), ""},
		{"larger body", sized(protocol.MaxBodyBytes + 1), model(), protocol.CodePayloadTooLarge},
		{"model not allowed", `{"prompt":"a","model":"x"}`, model(), protocol.CodeModelNotAllowed},
		{"system not allowed", `{"prompt":"a","system":"x"}`, admission.Model{ID: "m", MaxTokens: 1}, protocol.CodeInvalidRequest},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := test.model.Parse([]byte(test.body))
			if (err == nil) != (test.want == "") || (err != nil && err.Problem.Code != test.want) {
				t.Errorf("Parse: %v, want %q", err, test.want)
			}
		})
	}
}

// A limit alone leaves a caller to guess which of the values broke it.
func TestRefusalsSayWhatWasGiven(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]protocol.FieldError{
		`{"prompt":"a","maxTokens":101}`:                           {Field: "maxTokens", Message: "must be a whole number from 1 to 100, got 101"},
		`{"prompt":"a","maxTokens":1.5}`:                           {Field: "maxTokens", Message: "must be a whole number from 1 to 100, got 1.5"},
		`{"prompt":"a","temperature":1.1}`:                         {Field: "temperature", Message: "must be from 0 to 1, got 1.1"},
		`{"prompt":"a","topP":-1` + strings.Repeat("0", 100) + `}`: {Field: "topP", Message: "must be from 0 to 1, got -1" + strings.Repeat("0", 62) + "…"},
		`{"messages":[{"role":"system","content":"a"}]}`:           {Field: "messages[0].role", Message: `must be user, got "system": roles alternate, beginning with user`},
		`{"messages":[{"role":"","content":"a"}]}`:                 {Field: "messages[0].role", Message: `must be user or assistant, got ""`},
	} {
		_, err := model().Parse([]byte(body))
		if err == nil || !slices.Equal(err.Problem.Errors, []protocol.FieldError{want}) {
			t.Errorf("%s: %v, want %v", body, err, want)
		}
	}
	_, err := admission.ParseKey([]string{"a b"})
	want := protocol.FieldError{Field: "Idempotency-Key", Message: `must have 1 to 128 visible ASCII characters, got 3: "a b"`}
	if err == nil || !slices.Equal(err.Problem.Errors, []protocol.FieldError{want}) {
		t.Errorf("key: %v, want %v", err, want)
	}
}

func TestParseBoundsWhatItRepeats(t *testing.T) {
	t.Parallel()
	var body strings.Builder
	body.WriteString(`{"prompt":"a"`)
	for i := range 100 {
		fmt.Fprintf(&body, `,"%d%s":1`, i, strings.Repeat("x", 1000))
	}
	body.WriteString("}")
	_, err := model().Parse([]byte(body.String()))
	if err == nil || len(err.Problem.Errors) > 20 || len(err.Problem.Errors[0].Field) > 100 {
		t.Errorf("Parse: %d fields, the first %q", len(err.Problem.Errors), err.Problem.Errors[0].Field)
	}
}

// Whatever the body, it is either refused with its fields or a conversation
// that the model accepts.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		`{"prompt":"hi"}`, `{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"},{"role":"user","content":"c"}]}`,
		`{"prompt":"hi","maxTokens":1e2,"temperature":0.5,"stopSequences":["a"]}`, `{"prompt":"\ud800"}`, `{"a":{"a":{"a":[]}}}`, `[[[[`, "\xff",
	} {
		f.Add([]byte(seed))
	}
	m := model()
	f.Fuzz(func(t *testing.T, body []byte) {
		got, err := m.Parse(body)
		if err != nil {
			if err.Problem.Code == protocol.CodeInvalidRequest && len(err.Problem.Errors) == 0 {
				t.Error("refused without a field")
			}
			return
		}
		if n := len(got.Input.Messages); n%2 != 1 {
			t.Errorf("%d messages", n)
		}
		for i, message := range got.Input.Messages {
			if want := []string{"user", "assistant"}[i%2]; message.Role != want || message.Blocks == nil && strings.TrimSpace(message.Content) == "" {
				t.Errorf("message %d: %+v", i, message)
			}
		}
		if got.Model.MaxTokens < 1 || got.Model.MaxTokens > m.MaxTokens || !slices.Contains(m.Allowed, got.Model.ModelID) {
			t.Errorf("model %+v", got.Model)
		}
	})
}

func TestParseKey(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		values []string
		want   string
		valid  bool
	}{
		{"none", nil, "", true},
		{"one", []string{"a-1"}, "a-1", true},
		{"longest", []string{strings.Repeat("k", 128)}, strings.Repeat("k", 128), true},
		{"too long", []string{strings.Repeat("k", 129)}, "", false},
		{"empty", []string{""}, "", false},
		{"space", []string{"a b"}, "", false},
		{"control", []string{"a\n"}, "", false},
		{"not ASCII", []string{"é"}, "", false},
		{"twice", []string{"a", "b"}, "", false},
	}
	for _, test := range tests {
		got, err := admission.ParseKey(test.values)
		if got != test.want || (err == nil) != test.valid {
			t.Errorf("%s: ParseKey = %q, %v", test.name, got, err)
		}
		if err != nil && (err.Status() != 400 || err.Problem.Errors[0].Field != "Idempotency-Key") {
			t.Errorf("%s: %+v", test.name, err.Problem)
		}
	}
}

func FuzzParseKey(f *testing.F) {
	f.Add("key")
	f.Add("\x00")
	f.Fuzz(func(t *testing.T, value string) {
		key, err := admission.ParseKey([]string{value})
		if err == nil && (key != value || len(key) < 1 || len(key) > 128 || strings.ContainsFunc(key, func(r rune) bool { return r < '!' || r > '~' })) {
			t.Errorf("accepted %q as %q", value, key)
		}
	})
}
