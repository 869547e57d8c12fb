package openai_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/streaming-service/streaming-service/lambdas/internal/httpapi"
	"github.com/streaming-service/streaming-service/lambdas/internal/openai"
	"github.com/streaming-service/streaming-service/protocol"
)

// The openai package of npm adds what it has parsed to the messages that its
// users send back.
func TestParsedMessagesAreTaken(t *testing.T) {
	t.Parallel()
	const parsed = `{"role":"assistant","content":null,"refusal":null,"parsed":null,"provider_specific_fields":{"refusal":null},"tool_calls":[{"id":"call_1","type":"function","function":{"name":"f","arguments":"{}","parsed_arguments":{"a":1}}}]}`
	if _, err := openai.Parse([]byte(conversation(`[` + question + `,` + parsed + `,` + weather + `]`))); err != nil {
		t.Error(err)
	}
}

// The parts of a tool loop.
const (
	question = `{"role":"user","content":"Is it warm in Köln?"}`
	calls    = `{"role":"assistant","content":null,"tool_calls":[{"id":"call_1","type":"function","function":{"name":"get_weather","arguments":"{\"city\": \"Köln\"}"}},{"index":1,"id":"call_2","type":"function","function":{"name":"get_time","arguments":""}}]}`
	weather  = `{"role":"tool","tool_call_id":"call_1","content":"7 °C"}`
	clock    = `{"role":"tool","tool_call_id":"call_2","content":[{"type":"text","text":" "}]}`
	tools    = `,"tools":[{"type":"function","function":{"name":"get_weather","description":"The weather, now.","parameters":{"type":"object","properties":{"city":{"type":"string"}}},"strict":false}},{"type":"function","function":{"name":"get_time"}}]`
)

func withTools(messages, more string) string {
	return `{"model":"m","messages":[` + messages + `]` + tools + more + `}`
}

var declared = []protocol.Tool{
	{Name: "get_weather", Description: "The weather, now.", InputSchema: json.RawMessage(`{"type":"object","properties":{"city":{"type":"string"}}}`)},
	{Name: "get_time", InputSchema: json.RawMessage(`{"type":"object","properties":{}}`)},
}

func TestParseTools(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, more string
		tools      []protocol.Tool
		choice     *protocol.ToolChoice
	}{
		{"tools", "", declared, nil},
		{"auto", `,"tool_choice":"auto","parallel_tool_calls":true`, declared, nil},
		{"required", `,"tool_choice":"required"`, declared, &protocol.ToolChoice{Mode: protocol.ToolChoiceAny}},
		{"a function", `,"tool_choice":{"type":"function","function":{"name":"get_time"}}`, declared, &protocol.ToolChoice{Name: "get_time"}},
		{"none", `,"tool_choice":"none"`, nil, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, err := openai.Parse([]byte(withTools(question, test.more)))
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got.Submit.Tools, test.tools) || !reflect.DeepEqual(got.Submit.ToolChoice, test.choice) {
				t.Errorf("tools %+v, choice %+v", got.Submit.Tools, got.Submit.ToolChoice)
			}
		})
	}
}

// The results of tools become the user's, with what the user says next.
func TestParseToolLoop(t *testing.T) {
	t.Parallel()
	got, err := openai.Parse([]byte(withTools(strings.Join([]string{question, calls, clock, weather, `{"role":"user","content":"And tomorrow?"}`}, ","), `,"reasoning_effort":"low"`)))
	if err != nil {
		t.Fatal(err)
	}
	want := []protocol.Message{
		{Role: "user", Content: "Is it warm in Köln?"},
		{Role: "assistant", Blocks: []protocol.Block{
			{Type: "toolUse", ToolUseID: "call_1", Name: "get_weather", Input: json.RawMessage(`{"city": "Köln"}`)},
			{Type: "toolUse", ToolUseID: "call_2", Name: "get_time", Input: json.RawMessage(`{}`)},
		}},
		{Role: "user", Blocks: []protocol.Block{
			{Type: "toolResult", ToolUseID: "call_2", Content: []protocol.Block{{Type: "json", JSON: json.RawMessage(`{"result":""}`)}}},
			{Type: "toolResult", ToolUseID: "call_1", Content: []protocol.Block{protocol.TextBlock("7 °C")}},
			protocol.TextBlock("And tomorrow?"),
		}},
	}
	if !reflect.DeepEqual(got.Submit.Messages, want) {
		t.Errorf("messages %s", protocol.Encode(got.Submit.Messages))
	}
	if got.Submit.Reasoning == nil || got.Submit.Reasoning.Effort != protocol.EffortLow {
		t.Errorf("reasoning %+v", got.Submit.Reasoning)
	}
}

// Claude wants its reasoning back with the results of its tools, before what else
// it said, and sealed.
func TestParseThoughts(t *testing.T) {
	t.Parallel()
	thinking := strings.Replace(calls, `"content":null`, `"content":"Let me look.","reasoning_content":"I must look.","thinking_blocks":[`+
		`{"type":"thinking","thinking":"I must look.","signature":"c2ln","cache_control":null},{"type":"redacted_thinking","data":"SG0u"},`+
		`{"type":"thinking","thinking":"Nobody sealed this.","signature":""},{"type":"thinking","thinking":"","signature":"c2lnMg=="}]`, 1)
	body := withTools(strings.Join([]string{question, thinking, weather, clock}, ","), "")
	said := []protocol.Block{
		protocol.TextBlock("Let me look."),
		{Type: "toolUse", ToolUseID: "call_1", Name: "get_weather", Input: json.RawMessage(`{"city": "Köln"}`)},
		{Type: "toolUse", ToolUseID: "call_2", Name: "get_time", Input: json.RawMessage(`{}`)},
	}
	for model, want := range map[string][]protocol.Block{
		"global.anthropic.claude-sonnet-4-5-20250929-v1:0": append([]protocol.Block{
			{Type: "reasoning", Text: "I must look.", Signature: "c2ln"}, {Type: "reasoning", Redacted: []byte("Hm.")}, {Type: "reasoning", Signature: "c2lnMg=="},
		}, said...),
		"us.amazon.nova-micro-v1:0": said, // which does not reason, and would refuse it
	} {
		got, err := openai.Parse([]byte(strings.Replace(body, `"model":"m"`, `"model":"`+model+`"`, 1)))
		if err != nil {
			t.Fatal(err)
		}
		if blocks := got.Submit.Messages[1].Blocks; !reflect.DeepEqual(blocks, want) {
			t.Errorf("%s: blocks %s", model, protocol.Encode(blocks))
		}
	}
	asked, err := openai.Parse([]byte(strings.Replace(body, `"model":"m"`, `"model":"global.anthropic.claude-sonnet-4-5-20250929-v1:0"`, 1)))
	if err != nil {
		t.Fatal(err)
	}
	for field, param := range map[string]string{"[0].text": "[0].thinking", "[0].signature": "[0].signature", "[1].redacted": "[1].data"} {
		e := asked.Names.AsError(httpapi.Invalid(protocol.FieldError{Field: "messages[1].content" + field, Message: "is not right"}))
		if want := "messages[1].thinking_blocks" + param; value(e.Param) != want {
			t.Errorf("%s is %s, want %s", field, value(e.Param), want)
		}
	}
}

func userParts(parts string) string {
	return conversation(`[{"role":"user","content":[` + parts + `]}]`)
}

func image(url string) string {
	return `{"type":"image_url","image_url":{"url":"` + url + `","detail":"auto"}}`
}

func file(members string) string { return `{"type":"file","file":{` + members + `}}` }

func TestParseParts(t *testing.T) {
	t.Parallel()
	document := func(format, name string) protocol.Block {
		return protocol.Block{Type: "document", Format: format, Name: name, Data: []byte("hello")}
	}
	picture := func(format string) protocol.Block {
		return protocol.Block{Type: "image", Format: format, Data: []byte("hello")}
	}
	tests := []struct {
		name, part string
		want       protocol.Block
	}{
		{"png", image("data:image/png;base64,aGVsbG8="), picture("png")},
		{"jpeg", image("data:image/JPEG;base64,aGVsbG8="), picture("jpeg")},
		{"jpg, which is none", image("data:image/jpg;base64,aGVsbG8="), picture("jpeg")},
		{"pdf", file(`"filename":"Q3 report (final)_v2.pdf","file_data":"data:application/pdf;base64,aGVsbG8="`), document("pdf", "Q3 report (final) v2")},
		{"the media type rules", file(`"filename":"a.bin","file_data":"data:text/csv;base64,aGVsbG8="`), document("csv", "a")},
		{"without a name", file(`"file_data":"data:text/html;base64,aGVsbG8="`), document("html", "document")},
		{"base64 alone", file(`"filename":"日本.MD","file_data":"aGVsbG8=","file_id":null`), document("md", "document")},
		{"an unknown media type", file(`"filename":"a.txt","file_data":"data:application/octet-stream;base64,aGVsbG8="`), document("txt", "a")},
		{"an image as a file", file(`"filename":"a.jpg","file_data":"aGVsbG8="`), picture("jpeg")},
		{"an upload", file(`"filename":"a.xlsx","file_id":"up"`), protocol.Block{Type: "document", Format: "xlsx", Name: "a", UploadID: "up"}},
		{"an uploaded image", file(`"filename":"a.webp","file_id":"up"`), protocol.Block{Type: "image", Format: "webp", UploadID: "up"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, err := openai.Parse([]byte(userParts(`{"type":"text","text":"a"},{"type":"text","text":"b"},` + test.part)))
			if err != nil {
				t.Fatal(err)
			}
			want := []protocol.Message{{Role: "user", Blocks: []protocol.Block{protocol.TextBlock("a\nb"), test.want}}}
			if !reflect.DeepEqual(got.Submit.Messages, want) {
				t.Errorf("messages %s", protocol.Encode(got.Submit.Messages))
			}
		})
	}
}

func TestDocumentsOfOneName(t *testing.T) {
	t.Parallel()
	part := file(`"filename":"` + strings.Repeat("A", 205) + `.txt","file_data":"aGVsbG8="`)
	got, err := openai.Parse([]byte(userParts(part + "," + part + "," + part + `,{"type":"text","text":"Compare"}`)))
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{strings.Repeat("A", 200), strings.Repeat("A", 198) + " 2", strings.Repeat("A", 198) + " 3"} {
		if name := got.Submit.Messages[0].Blocks[i].Name; name != want {
			t.Errorf("document %d is named %s", i, name)
		}
	}
}

func TestParseRefusesBlocks(t *testing.T) {
	t.Parallel()
	loop := func(messages ...string) string { return withTools(strings.Join(messages, ","), "") }
	called := func(call string) string {
		return conversation(`[` + question + `,{"role":"assistant","tool_calls":[` + call + `]}]`)
	}
	tests := []struct{ name, body, param, code, message string }{
		{"an address", userParts(image("https://example.com/a.png")), "messages[0].content[0].image_url.url", "unsupported_value", "Unsupported value: 'messages[0].content[0].image_url.url' must be a 'data:' URL that has the content itself: this service fetches nothing from other addresses."},
		{"an image of another type", userParts(image("data:image/svg+xml;base64,aGVsbG8=")), "messages[0].content[0].image_url.url", "unsupported_value", "Unsupported value: 'messages[0].content[0].image_url.url' is of the media type 'image/svg+xml'. Supported are: 'image/png', 'image/jpeg', 'image/gif' and 'image/webp'."},
		{"an image in percent encoding", userParts(image("data:image/png,abc")), "messages[0].content[0].image_url.url", "invalid_value", "Invalid 'messages[0].content[0].image_url.url': expected 'data:<media type>;base64,<data>'."},
		{"no base64", userParts(image("data:image/png;base64,a?b")), "messages[0].content[0].image_url.url", "invalid_value", "Invalid 'messages[0].content[0].image_url.url': its data must be base64 of at least one byte."},
		{"an empty image", userParts(image("data:image/png;base64,")), "messages[0].content[0].image_url.url", "invalid_value", "Invalid 'messages[0].content[0].image_url.url': its data must be base64 of at least one byte."},
		{"an image without url", userParts(`{"type":"image_url","image_url":{}}`), "messages[0].content[0].image_url.url", "missing_required_parameter", "Missing required parameter: 'messages[0].content[0].image_url.url'."},
		{"an image as a string", userParts(`{"type":"image_url","image_url":"data:"}`), "messages[0].content[0].image_url", "invalid_type", "Invalid 'messages[0].content[0].image_url': it must be a JSON object."},
		{"an image part without its image", userParts(`{"type":"image_url"}`), "messages[0].content[0].image_url", "missing_required_parameter", "Missing required parameter: 'messages[0].content[0].image_url'."},
		{"an image in a text part", userParts(`{"type":"text","text":"a","image_url":{"url":"data:image/png;base64,aGVsbG8="}}`), "messages[0].content[0].image_url", "invalid_value", "Invalid 'messages[0].content[0].image_url': the part is of the type 'text'."},
		{"audio", userParts(`{"type":"input_audio"}`), "messages[0].content[0].type", "unsupported_value", "Unsupported value: 'messages[0].content[0].type' does not support 'input_audio' here. Supported values are: 'text', 'image_url' and 'file'."},
		{"an assistant's image", conversation(`[` + question + `,{"content":[` + image("data:image/png;base64,aGVsbG8=") + `],"role":"assistant"}]`), "messages[1].content[0].image_url", "unsupported_value", "Unsupported value: 'messages[1].content[0].image_url' must be of the type 'text': images and files are for messages with the role 'user'."},
		{"a file without data", userParts(file(`"filename":"a.pdf"`)), "messages[0].content[0].file.file_data", "missing_required_parameter", "Missing required parameter: 'messages[0].content[0].file.file_data'."},
		{"a file with both", userParts(file(`"filename":"a.pdf","file_data":"aGVsbG8=","file_id":"x"`)), "messages[0].content[0].file.file_id", "invalid_value", "Invalid 'messages[0].content[0].file.file_id': give it or 'file_data', not both."},
		{"an upload without a name", userParts(file(`"file_id":"x"`)), "messages[0].content[0].file.filename", "missing_required_parameter", "Missing required parameter: 'messages[0].content[0].file.filename'."},
		{"a file of another type", userParts(file(`"filename":"film.mp4","file_data":"aGVsbG8="`)), "messages[0].content[0].file.filename", "unsupported_value", "Unsupported value: 'messages[0].content[0].file.filename' is 'film.mp4', of no type that is taken. Supported endings are: pdf, csv, doc, docx, xls, xlsx, html, txt, md, png, jpeg, gif, webp."},
		{"a call without id", called(`{"type":"function","function":{"name":"f","arguments":"{}"}}`), "messages[1].tool_calls[0].id", "missing_required_parameter", "Missing required parameter: 'messages[1].tool_calls[0].id'."},
		{"a call without function", called(`{"id":"a","type":"function"}`), "messages[1].tool_calls[0].function", "missing_required_parameter", "Missing required parameter: 'messages[1].tool_calls[0].function'."},
		{"a call of no name", called(`{"id":"a","function":{"arguments":"{}"}}`), "messages[1].tool_calls[0].function.name", "missing_required_parameter", "Missing required parameter: 'messages[1].tool_calls[0].function.name'."},
		{"arguments that are no JSON", called(`{"id":"a","function":{"name":"f","arguments":"{"}}`), "messages[1].tool_calls[0].function.arguments", "invalid_value", "Invalid 'messages[1].tool_calls[0].function.arguments': it must be a JSON object, as a string."},
		{"arguments that are no object", called(`{"id":"a","function":{"name":"f","arguments":"[]"}}`), "messages[1].tool_calls[0].function.arguments", "invalid_value", "Invalid 'messages[1].tool_calls[0].function.arguments': it must be a JSON object, as a string."},
		{"a custom call", called(`{"id":"a","type":"custom"}`), "messages[1].tool_calls[0].type", "unsupported_value", "Unsupported value: 'messages[1].tool_calls[0].type' does not support 'custom' here. The supported value is 'function'."},
		{"a call without an answer", loop(question, calls, weather), "messages[1].tool_calls[1]", "invalid_value", "Invalid 'messages[1].tool_calls[1]': an assistant message with 'tool_calls' must be followed by messages with the role 'tool' that answer each 'tool_call_id'; 'call_2' has no answer."},
		{"a user before the answer", loop(question, calls, weather, question, clock), "messages[1].tool_calls[1]", "invalid_value", "Invalid 'messages[1].tool_calls[1]': an assistant message with 'tool_calls' must be followed by messages with the role 'tool' that answer each 'tool_call_id'; 'call_2' has no answer."},
		{"an answer to nothing", loop(question, weather), "messages[1].tool_call_id", "invalid_value", "Invalid 'messages[1].tool_call_id': messages with the role 'tool' must answer the 'tool_calls' of the message before them, each once; 'call_1' is none of them."},
		{"an answer twice", loop(question, calls, weather, weather, clock), "messages[3].tool_call_id", "invalid_value", "Invalid 'messages[3].tool_call_id': messages with the role 'tool' must answer the 'tool_calls' of the message before them, each once; 'call_1' is none of them."},
		{"an answer without id", loop(question, calls, `{"role":"tool","content":"a"}`), "messages[2].tool_call_id", "missing_required_parameter", "Missing required parameter: 'messages[2].tool_call_id'."},
		{"an answer without content", loop(question, calls, `{"role":"tool","tool_call_id":"call_1"}`), "messages[2].content", "missing_required_parameter", "Missing required parameter: 'messages[2].content'."},
		{"a user's calls", conversation(`[{"role":"user","content":"a","tool_calls":[{"id":"a","function":{"name":"f","arguments":""}}]}]`), "messages[0].tool_calls", "invalid_value", "Invalid 'messages[0].tool_calls': it is only for messages with the role 'assistant'."},
		{"a user's tool_call_id", conversation(`[{"role":"user","content":"a","tool_call_id":"a"}]`), "messages[0].tool_call_id", "invalid_value", "Invalid 'messages[0].tool_call_id': it is only for messages with the role 'tool'."},
		{"tools of another type", body(`,"tools":{}`), "tools", "invalid_type", "Invalid type for 'tools': expected an array, but got an object instead."},
		{"a tool without type", body(`,"tools":[{"function":{"name":"f"}}]`), "tools[0].type", "missing_required_parameter", "Missing required parameter: 'tools[0].type'."},
		{"a custom tool", body(`,"tools":[{"type":"custom","custom":{"name":"f"}}]`), "tools[0].type", "unsupported_value", "Unsupported value: 'tools[0].type' does not support 'custom' here. The supported value is 'function'."},
		{"a tool without function", body(`,"tools":[{"type":"function"}]`), "tools[0].function", "missing_required_parameter", "Missing required parameter: 'tools[0].function'."},
		{"a tool without name", body(`,"tools":[{"type":"function","function":{}}]`), "tools[0].function.name", "missing_required_parameter", "Missing required parameter: 'tools[0].function.name'."},
		{"strict", body(`,"tools":[{"type":"function","function":{"name":"f","strict":true}}]`), "tools[0].function.strict", "unsupported_parameter", "Unsupported parameter: 'tools[0].function.strict' is not supported here."},
		{"parameters that are no object", body(`,"tools":[{"type":"function","function":{"name":"f","parameters":[]}}]`), "tools[0].function.parameters", "invalid_type", "Invalid 'tools[0].function.parameters': it must be a JSON object."},
		{"a choice without tools", body(`,"tool_choice":"required"`), "tool_choice", "invalid_value", "'tool_choice' is only allowed when 'tools' are specified."},
		{"an unknown choice", withTools(question, `,"tool_choice":"any"`), "tool_choice", "invalid_value", "Invalid value: 'any'. Supported values of 'tool_choice' are: 'none', 'auto', 'required' and a function."},
		{"a choice of no tool", withTools(question, `,"tool_choice":{"type":"function","function":{"name":"g"}}`), "tool_choice.function.name", "invalid_value", "Invalid value: 'g'. 'tool_choice.function.name' must be the name of one of the 'tools'."},
		{"a choice of several", withTools(question, `,"tool_choice":{"type":"allowed_tools"}`), "tool_choice.type", "unsupported_value", "Unsupported value: 'tool_choice.type' does not support 'allowed_tools' here. The supported value is 'function'."},
		{"none after calls", withTools(strings.Join([]string{question, calls, weather, clock}, ","), `,"tool_choice":"none"`), "tool_choice", "unsupported_value", "Unsupported value: 'tool_choice' does not support 'none' in a conversation with 'tool_calls': Converse then wants the tools, and the model may use them."},
		{"one call at a time", withTools(question, `,"parallel_tool_calls":false`), "parallel_tool_calls", "unsupported_value", "Unsupported value: 'parallel_tool_calls' does not support false here: Converse does not bound the calls of an answer."},
		{"thoughts of a user", conversation(`[{"role":"user","content":"a","thinking_blocks":[{"type":"thinking","thinking":"a","signature":"c2ln"}]}]`), "messages[0].thinking_blocks", "invalid_value", "Invalid 'messages[0].thinking_blocks': it is only for messages with the role 'assistant'."},
		{"thoughts of another kind", conversation(`[` + question + `,{"role":"assistant","thinking_blocks":[{"type":"thought"}]}]`), "messages[1].thinking_blocks[0].type", "unsupported_value", "Unsupported value: 'messages[1].thinking_blocks[0].type' does not support 'thought' here. Supported values are: 'thinking' and 'redacted_thinking'."},
		{"thoughts without a kind", conversation(`[` + question + `,{"role":"assistant","thinking_blocks":[{}]}]`), "messages[1].thinking_blocks[0].type", "missing_required_parameter", "Missing required parameter: 'messages[1].thinking_blocks[0].type'."},
		{"redacted thoughts that are no base64", conversation(`[` + question + `,{"role":"assistant","thinking_blocks":[{"type":"redacted_thinking","data":"?"}]}]`), "messages[1].thinking_blocks[0].data", "invalid_value", "Invalid 'messages[1].thinking_blocks[0].data': its data must be base64 of at least one byte."},
		{"minimal effort", body(`,"reasoning_effort":"minimal"`), "reasoning_effort", "unsupported_value", "Unsupported value: 'reasoning_effort' does not support 'minimal' here. Supported values are: 'none', 'low', 'medium' and 'high'."},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := openai.Parse([]byte(test.body))
			if err == nil {
				t.Fatal("accepted")
			}
			if err.Status != 400 || value(err.Param) != test.param || value(err.Code) != test.code || err.Message != test.message {
				t.Errorf("%d %s\nwant param %q, code %q, %q", err.Status, err.Body(), test.param, test.code, test.message)
			}
		})
	}
}

// What the admission refuses is named as the caller has given it.
func TestRefusalsOfBlocksNameTheParameter(t *testing.T) {
	t.Parallel()
	const part = `{"type":"image_url","image_url":{"url":"data:image/png;base64,aGVsbG8="}}`
	asked, err := openai.Parse([]byte(withTools(strings.Join([]string{
		`{"role":"system","content":"s"}`, question, calls, weather, clock,
		`{"role":"user","content":[{"type":"text","text":"a"},` + part + `,` + file(`"filename":"a.pdf","file_id":"up"`) + `]}`,
	}, ","), `,"tool_choice":"required","reasoning_effort":"high"`)))
	if err != nil {
		t.Fatal(err)
	}
	for field, param := range map[string]string{
		"messages[0].content":                    "messages[1].content",
		"messages[1].content":                    "messages[2].content",
		"messages[1].content[0].input":           "messages[2].tool_calls[0].function.arguments",
		"messages[1].content[1].toolUseId":       "messages[2].tool_calls[1].id",
		"messages[1].content[1].name":            "messages[2].tool_calls[1].function.name",
		"messages[2].content[0]":                 "messages[3]",
		"messages[2].content[0].toolUseId":       "messages[3].tool_call_id",
		"messages[2].content[1].content[0].text": "messages[4].content",
		"messages[2].content[2]":                 "messages[5].content[0]",
		"messages[2].content[3]":                 "messages[5].content[1].image_url",
		"messages[2].content[3].data":            "messages[5].content[1].image_url.url",
		"messages[2].content[4].uploadId":        "messages[5].content[2].file.file_id",
		"messages[2].content[4].name":            "messages[5].content[2].file.filename",
		"tools[1]":                               "tools[1]",
		"tools[0].name":                          "tools[0].function.name",
		"tools[0].inputSchema.type":              "tools[0].function.parameters",
		"toolChoice":                             "tool_choice",
		"toolChoice.name":                        "tool_choice.function.name",
		"reasoning.effort":                       "reasoning_effort",
		"reasoning":                              "reasoning_effort",
		"messages":                               "messages",
		"maxTokens":                              "max_tokens",
	} {
		got := asked.Names.AsError(httpapi.Invalid(protocol.FieldError{Field: field, Message: "is not right"}))
		if value(got.Param) != param {
			t.Errorf("%s is %s, want %s", field, value(got.Param), param)
		}
	}
	for code, want := range map[protocol.Code]string{protocol.CodeModelNotCapable: "model_not_capable", protocol.CodeUploadNotFound: "upload_not_found"} {
		refusal := httpapi.NewError(code, "No.")
		refusal.Problem.Errors = []protocol.FieldError{{Field: "messages[2].content[4].uploadId", Message: "is no upload of yours"}}
		got := asked.Names.AsError(fmt.Errorf("admitting: %w", refusal))
		if got.Status != 400 || string(got.Body()) != `{"error":{"message":"'messages[5].content[2].file.file_id' is no upload of yours.","type":"invalid_request_error","param":"messages[5].content[2].file.file_id","code":"`+want+`"}}` {
			t.Errorf("%d %s", got.Status, got.Body())
		}
	}
}
