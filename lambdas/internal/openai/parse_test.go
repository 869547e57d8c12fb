package openai_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/streaming-service/streaming-service/lambdas/internal/openai"
	"github.com/streaming-service/streaming-service/protocol"
)

// body is a request with a model, one message and whatever else is given.
func body(more string) string {
	return `{"model":"m","messages":[{"role":"user","content":"hi"}]` + more + `}`
}

func conversation(messages string) string { return `{"model":"m","messages":` + messages + `}` }

func said(turns ...string) []protocol.Message {
	messages := make([]protocol.Message, len(turns))
	for i, content := range turns {
		messages[i] = protocol.Message{Role: []string{"user", "assistant"}[i%2], Content: content}
	}
	return messages
}

func TestParse(t *testing.T) {
	t.Parallel()
	submit := func(change func(*openai.Request)) openai.Request {
		r := openai.Request{Submit: protocol.SubmitRequest{Model: "m", Messages: said("hi")}}
		change(&r)
		return r
	}
	tests := []struct {
		name, body string
		want       openai.Request
	}{
		{"least", body(""), submit(func(*openai.Request) {})},
		{"nulls", body(`,"stream":null,"stream_options":null,"stop":null,"temperature":null,"top_p":null,"max_tokens":null,"metadata":null,"user":null`), submit(func(*openai.Request) {})},
		{"stream", body(`,"stream":true`), submit(func(r *openai.Request) { r.Stream = true })},
		{"usage in the stream", body(`,"stream_options":{"include_usage":true,"include_obfuscation":false},"stream":true`), submit(func(r *openai.Request) { r.Stream, r.IncludeUsage = true, true })},
		{"sampling", body(`,"temperature":1.0,"top_p":0`), submit(func(r *openai.Request) { r.Submit.Temperature, r.Submit.TopP = new(1.0), new(0.0) })},
		{"max_tokens", body(`,"max_tokens":7`), submit(func(r *openai.Request) { r.Submit.MaxTokens = new(7) })},
		{"max_completion_tokens", body(`,"max_completion_tokens":7,"max_tokens":null`), submit(func(r *openai.Request) { r.Submit.MaxTokens = new(7) })},
		{"both, the same", body(`,"max_completion_tokens":7,"max_tokens":7`), submit(func(r *openai.Request) { r.Submit.MaxTokens = new(7) })},
		{"one stop", body(`,"stop":"\n"`), submit(func(r *openai.Request) { r.Submit.StopSequences = []string{"\n"} })},
		{"stops", body(`,"stop":["a","b","c","d"]`), submit(func(r *openai.Request) { r.Submit.StopSequences = []string{"a", "b", "c", "d"} })},
		{"no stop", body(`,"stop":[]`), submit(func(*openai.Request) {})},
		{"what is ignored", body(`,"user":"u","safety_identifier":"s","metadata":{"a":"b"},"prompt_cache_key":"k","prompt_cache_options":{"mode":"implicit"},"prompt_cache_retention":"24h","parallel_tool_calls":true`), submit(func(*openai.Request) {})},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, err := openai.Parse([]byte(test.body))
			got.Names = nil
			if err != nil || !reflect.DeepEqual(got, test.want) {
				t.Errorf("Parse = %+v, %v, want %+v", got, err, test.want)
			}
		})
	}
}

func TestParseMessages(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, messages string
		system         string
		want           []protocol.Message
	}{
		{"conversation", `[{"role":"user","content":"a"},{"role":"assistant","content":"b"},{"role":"user","content":"c"}]`, "", said("a", "b", "c")},
		{"system and developer, wherever they stand", `[{"role":"system","content":"s"},{"role":"user","content":"a"},{"role":"developer","content":[{"type":"text","text":"d"}]}]`, "s\n\nd", said("a")},
		{"blank system", `[{"role":"system","content":" "},{"role":"user","content":"a"}]`, "", said("a")},
		{"parts", `[{"role":"user","content":[{"type":"text","text":"a"},{"text":" b","type":"text","prompt_cache_breakpoint":{"mode":"explicit"}}]}]`, "", said("a\n b")},
		{"the same role twice", `[{"role":"user","content":"a"},{"role":"user","content":"b"},{"role":"assistant","content":"c"},{"role":"assistant","content":"d"},{"role":"user","content":"e"}]`, "", said("a\n\nb", "c\n\nd", "e")},
		{"an assistant that said nothing", `[{"role":"user","content":"a"},{"role":"assistant","content":""},{"role":"assistant","content":null},{"role":"assistant"},{"role":"user","content":"b"}]`, "", said("a\n\nb")},
		{"an assistant that said nothing at first", `[{"role":"assistant","content":" "},{"role":"user","content":"b"}]`, "", said("b")},
		{"an assistant that said nothing at last", `[{"role":"user","content":"b"},{"role":"assistant","content":[]}]`, "", said("b")},
		{
			"an answer as the clients' models dump it",
			`[{"role":"user","content":"a"},{"content":"b","refusal":null,"role":"assistant","annotations":[],"audio":null,"function_call":null,"tool_calls":null,"reasoning_content":null,"name":null},{"role":"user","content":"c"}]`,
			"", said("a", "b", "c"),
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, err := openai.Parse([]byte(conversation(test.messages)))
			if err != nil {
				t.Fatal(err)
			}
			if got.Submit.System != test.system || !reflect.DeepEqual(got.Submit.Messages, test.want) {
				t.Errorf("system %q, messages %q, want %q and %q", got.Submit.System, got.Submit.Messages, test.system, test.want)
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, body, param, code, message string }{
		{"empty", ``, "", "", "We could not parse the JSON body of your request."},
		{"no JSON", `{"model":`, "", "", "We could not parse the JSON body of your request."},
		{"no UTF-8", "{\"model\":\"\xff\"}", "", "", "We could not parse the JSON body of your request."},
		{"no object", `[]`, "", "invalid_type", "Invalid body: it must be a JSON object."},
		{"a field twice", body(`,"model":"n"`), "", "invalid_type", `Invalid body: it must not repeat "model".`},
		{"no messages", `{"model":"m"}`, "messages", "missing_required_parameter", "Missing required parameter: 'messages'."},
		{"no model", `{"messages":[{"role":"user","content":"a"}]}`, "model", "missing_required_parameter", "Missing required parameter: 'model'."},
		{"null model", `{"model":null}`, "model", "invalid_type", "Invalid type for 'model': expected a string, but got null instead."},
		{"unknown", body(`,"top_k":5`), "top_k", "unknown_parameter", "Unknown parameter: 'top_k'."},
		{"known in another case", body(`,"Stream":true`), "Stream", "unknown_parameter", "Unknown parameter: 'Stream'."},
		{"stream of another type", body(`,"stream":"true"`), "stream", "invalid_type", "Invalid type for 'stream': expected a boolean, but got a string instead."},
		{"stream options without stream", body(`,"stream_options":{"include_usage":true}`), "stream_options", "invalid_value", "The 'stream_options' parameter is only allowed when 'stream' is enabled."},
		{"obfuscation", body(`,"stream":true,"stream_options":{"include_obfuscation":true}`), "stream_options.include_obfuscation", "unsupported_parameter", "Unsupported parameter: 'stream_options.include_obfuscation' is not supported here."},
		{"unknown stream option", body(`,"stream":true,"stream_options":{"x":true}`), "stream_options.x", "unknown_parameter", "Unknown parameter: 'stream_options.x'."},
		{"stream options of another type", body(`,"stream":true,"stream_options":7`), "stream_options", "invalid_type", "Invalid 'stream_options': it must be a JSON object."},
		{"temperature", body(`,"temperature":1.5`), "temperature", "decimal_above_max_value", "Invalid 'temperature': decimal above maximum value. Expected a value <= 1, but got 1.5 instead."},
		{"negative temperature", body(`,"temperature":-1`), "temperature", "decimal_below_min_value", "Invalid 'temperature': decimal below minimum value. Expected a value >= 0, but got -1 instead."},
		{"top_p", body(`,"top_p":"1"`), "top_p", "invalid_type", "Invalid type for 'top_p': expected a number, but got a string instead."},
		{"max_tokens 0", body(`,"max_tokens":0`), "max_tokens", "integer_below_min_value", "Invalid 'max_tokens': integer below minimum value. Expected a value >= 1, but got 0 instead."},
		{"max_completion_tokens with a fraction", body(`,"max_completion_tokens":1.5`), "max_completion_tokens", "invalid_type", "Invalid type for 'max_completion_tokens': expected an integer, but got a decimal instead."},
		{"both, different", body(`,"max_completion_tokens":7,"max_tokens":8`), "max_tokens", "invalid_value", "'max_tokens' is 8 and 'max_completion_tokens' is 7: they mean the same, so give one."},
		{"5 stops", body(`,"stop":["a","b","c","d","e"]`), "stop", "array_above_max_length", "Invalid 'stop': array too long. Expected an array with maximum length 4, but got an array with length 5 instead."},
		{"empty stop", body(`,"stop":["a",""]`), "stop[1]", "empty_string", "Invalid 'stop[1]': empty string. Expected a string with minimum length 1, but got an empty string instead."},
		{"stop of another type", body(`,"stop":{}`), "stop", "invalid_type", "Invalid type for 'stop': expected an array, but got an object instead."},
		{"metadata of another type", body(`,"metadata":"a"`), "metadata", "invalid_type", "Invalid 'metadata': it must be a JSON object."},
		{"metadata value of another type", body(`,"metadata":{"a":1}`), "metadata.a", "invalid_type", "Invalid type for 'metadata.a': expected a string, but got an integer instead."},
		{"long metadata", body(`,"metadata":{"a":"` + strings.Repeat("é", 513) + `"}`), "metadata.a", "string_above_max_length", "Invalid 'metadata.a': string too long. Expected a string with maximum length 512, but got a string with length 513 instead."},
		{"much metadata", body(`,"metadata":{` + manyMembers(17) + `}`), "metadata", "object_above_max_properties", "Invalid 'metadata': too many properties. Expected an object with at most 16 properties, but got an object with 17 properties instead."},
		{"user of another type", body(`,"user":7`), "user", "invalid_type", "Invalid type for 'user': expected a string, but got an integer instead."},
		{"long identifier", body(`,"safety_identifier":"` + strings.Repeat("x", 129) + `"`), "safety_identifier", "string_above_max_length", "Invalid 'safety_identifier': string too long. Expected a string with maximum length 128, but got a string with length 129 instead."},
		{"hint of another type", body(`,"prompt_cache_options":[]`), "prompt_cache_options", "invalid_type", "Invalid type for 'prompt_cache_options': expected an object, but got an array instead."},
		{"messages of another type", conversation(`{}`), "messages", "invalid_type", "Invalid type for 'messages': expected an array, but got an object instead."},
		{"empty messages", conversation(`[]`), "messages", "empty_array", "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an empty array instead."},
		{"message of another type", conversation(`["hi"]`), "messages[0]", "invalid_type", "Invalid 'messages[0]': it must be a JSON object."},
		{"unknown field of a message", conversation(`[{"role":"user","content":"a","id":"x"}]`), "messages[0].id", "unknown_parameter", "Unknown parameter: 'messages[0].id'."},
		{"name", conversation(`[{"role":"user","content":"a","name":"x"}]`), "messages[0].name", "unsupported_parameter", "Unsupported parameter: 'messages[0].name' is not supported here."},
		{"function", conversation(`[{"role":"function","content":"a"}]`), "messages[0].role", "unsupported_value", "Unsupported value: 'messages[0].role' does not support 'function' here: use 'tool'."},
		{"unknown role", conversation(`[{"role":"bot","content":"a"}]`), "messages[0].role", "invalid_value", "Invalid value: 'bot'. Supported values of 'messages[0].role' are: 'system', 'developer', 'user', 'assistant' and 'tool'."},
		{"no role", conversation(`[{"content":"a"}]`), "messages[0].role", "missing_required_parameter", "Missing required parameter: 'messages[0].role'."},
		{"no content", conversation(`[{"role":"system"}]`), "messages[0].content", "missing_required_parameter", "Missing required parameter: 'messages[0].content'."},
		{"null content", conversation(`[{"role":"user","content":null}]`), "messages[0].content", "missing_required_parameter", "Missing required parameter: 'messages[0].content'."},
		{"blank content", conversation(`[{"role":"user","content":"a"},{"role":"user","content":" "}]`), "messages[1].content", "empty_string", "Invalid 'messages[1].content': it must not be blank."},
		{"content of another type", conversation(`[{"role":"user","content":7}]`), "messages[0].content", "invalid_type", "Invalid type for 'messages[0].content': expected a string or an array, but got an integer instead."},
		{"part of another type", conversation(`[{"role":"user","content":["a"]}]`), "messages[0].content[0]", "invalid_type", "Invalid 'messages[0].content[0]': it must be a JSON object."},
		{"part without type", conversation(`[{"role":"user","content":[{"text":"a"}]}]`), "messages[0].content[0].type", "missing_required_parameter", "Missing required parameter: 'messages[0].content[0].type'."},
		{"part without text", conversation(`[{"role":"user","content":[{"type":"text"}]}]`), "messages[0].content[0].text", "missing_required_parameter", "Missing required parameter: 'messages[0].content[0].text'."},
		{"only a system", conversation(`[{"role":"system","content":"a"}]`), "messages", "invalid_value", "Invalid 'messages': there must be a message with the role 'user'."},
		{"assistant first", conversation(`[{"role":"system","content":"s"},{"role":"assistant","content":"a"},{"role":"user","content":"b"}]`), "messages[1].role", "unsupported_value", "Unsupported value: 'messages[1].role' is 'assistant', but the conversation must begin with the role 'user'."},
		{"assistant last", conversation(`[{"role":"user","content":"a"},{"role":"assistant","content":"b"},{"role":"system","content":"s"}]`), "messages[1].role", "unsupported_value", "Unsupported value: 'messages[1].role' is 'assistant', but the conversation must end with the role 'user'."},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := openai.Parse([]byte(test.body))
			if err == nil {
				t.Fatal("accepted")
			}
			if err.Status != 400 || err.Type != "invalid_request_error" {
				t.Errorf("status %d, type %s", err.Status, err.Type)
			}
			if value(err.Param) != test.param || value(err.Code) != test.code || err.Message != test.message {
				t.Errorf("%s, %s: %s\nwant %s, %s: %s", value(err.Param), value(err.Code), err.Message, test.param, test.code, test.message)
			}
		})
	}
}

func value(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func manyMembers(n int) string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf(`"m%d":"v"`, i)
	}
	return strings.Join(list, ",")
}

func TestParseRefusesALargerBody(t *testing.T) {
	t.Parallel()
	sized := func(n int) []byte {
		return []byte(conversation(`[{"role":"user","content":"` + strings.Repeat("a", n-len(body(""))+len("hi")) + `"}]`))
	}
	if _, err := openai.Parse(sized(protocol.MaxBodyBytes)); err != nil {
		t.Errorf("the largest body: %v", err)
	}
	_, err := openai.Parse(sized(protocol.MaxBodyBytes + 1))
	if err == nil || err.Status != 413 || value(err.Code) != "payload_too_large" || !strings.Contains(err.Message, "262144") {
		t.Errorf("a larger body: %+v", err)
	}
}

// Every refused field takes null and the values that ask for nothing, and is
// named when it has any other.
func TestRefusedFields(t *testing.T) {
	t.Parallel()
	refused := 0
	for _, field := range openai.Fields() {
		if field.Treatment != openai.Refused || strings.ContainsAny(field.Name, ".[") {
			continue
		}
		refused++
		for _, v := range append([]any{nil}, field.Nothing...) {
			if _, err := openai.Parse([]byte(body(fmt.Sprintf(`,%q:%s`, field.Name, literal(v))))); err != nil {
				t.Errorf("%s %v: %v", field.Name, v, err)
			}
		}
		for _, v := range []string{`"x"`, `7`, `{"a":1}`, `[{"a":1}]`} {
			_, err := openai.Parse([]byte(body(fmt.Sprintf(`,%q:%s`, field.Name, v))))
			if err == nil || value(err.Param) != field.Name || value(err.Code) != "unsupported_parameter" {
				t.Errorf("%s %s: %v", field.Name, v, err)
			}
		}
	}
	if refused < 18 {
		t.Errorf("%d fields are refused", refused)
	}
}

// literal is a value as a request has it.
func literal(v any) string { return string(protocol.Encode(v)) }

// What the clients send by themselves is in testdata/requests, as captured.
func TestParseReadsWhatClientsSend(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/requests/*.json")
	if err != nil || len(files) < 4 {
		t.Fatalf("%d requests: %v", len(files), err)
	}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := openai.Parse(raw); err != nil || len(got.Submit.Messages) == 0 {
			t.Errorf("%s: %v", file, err)
		}
	}
}

// Whatever the body, it is refused with words, or a conversation that Converse
// takes and that is no larger than what came.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		body(""), body(`,"stream":true,"stream_options":{"include_usage":true},"stop":"a","max_tokens":1e2`),
		conversation(`[{"role":"system","content":"s"},{"role":"user","content":[{"type":"text","text":"a"}]},{"role":"assistant","content":null},{"role":"user","content":"\ud800"}]`),
		withTools(question+","+calls+","+clock+","+weather, `,"tool_choice":{"type":"function","function":{"name":"get_time"}}`),
		userParts(image("data:image/png;base64,aGVsbG8=") + "," + file(`"filename":"a.md","file_data":"aGVsbG8="`) + `,{"type":"text","text":"a"}`),
		`{"model":"m","messages":[{}]}`, `{"a":{"a":[]}}`, `[[[[`, "\xff", `{"metadata":{"":""}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		got, err := openai.Parse(raw)
		if err != nil {
			if err.Message == "" || err.Status < 400 || len(err.Message) > 1000 || !json.Valid(err.Body()) {
				t.Errorf("refused with %d, %q", err.Status, err.Message)
			}
			return
		}
		if len(got.Submit.Messages)%2 != 1 || got.Submit.Model == "" {
			t.Errorf("%+v", got)
		}
		size := len(got.Submit.System)
		for i, m := range got.Submit.Messages {
			if want := []string{"user", "assistant"}[i%2]; m.Role != want || len(m.All()) == 0 {
				t.Errorf("message %d is %q of %q", i, m.All(), m.Role)
			}
			for _, b := range m.All() {
				size += len(b.Text) + len(b.Data) + len(b.Input)
				if b.Type == protocol.BlockText && strings.TrimSpace(b.Text) == "" {
					t.Errorf("message %d has a blank text", i)
				}
			}
		}
		for field, param := range got.Names {
			if field == "" || param == "" {
				t.Errorf("%q is %q", field, param)
			}
		}
		if size > len(raw) {
			t.Errorf("%d bytes came of %d", size, len(raw))
		}
	})
}
