package admission_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/streaming-service/streaming-service/lambdas/internal/admission"
	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/protocol"
)

const (
	png     = `{"type":"image","format":"png","data":"iVBORw0KGgo="}`
	report  = `{"type":"document","format":"pdf","name":"Report (1)","data":"JVBERi0="}`
	text    = `{"type":"text","text":"What is it?"}`
	use     = `{"type":"toolUse","toolUseId":"t1","name":"weather","input":{"city": "Köln"}}`
	result  = `{"type":"toolResult","toolUseId":"t1","content":[{"type":"json","json":{"celsius":1.50}},{"type":"text","text":"at noon"}]}`
	weather = `"tools":[{"name":"weather","inputSchema":{"type":"object"}}]`
)

func asked(blocks ...string) string {
	return `{"messages":[{"role":"user","content":[` + strings.Join(blocks, ",") + `]}]}`
}

// loop is a conversation in which the assistant says one thing and the user
// another.
func loop(assistant, user, more string) string {
	return `{"messages":[{"role":"user","content":"hi"},{"role":"assistant","content":[` + assistant + `]},{"role":"user","content":[` + user + `]}]` + more + `}`
}

func TestParseBlocks(t *testing.T) {
	t.Parallel()
	body := loop(`{"type":"reasoning","text":"Hm.","signature":"c2ln"},{"type":"reasoning","redacted":"c2Vj"},{"type":"text","text":" "},`+use,
		result+`,`+png+`,`+report+`,`+text,
		`,`+weather+`,"toolChoice":{"name":"weather"},"cache":true,"reasoning":{"effort":"low"}`)
	m := model()
	m.ID = free // a model that reasons
	got, refused := m.Parse([]byte(body))
	if refused != nil {
		t.Fatalf("%+v", refused.Problem)
	}
	want := life.Input{
		Messages: []protocol.Message{
			user("hi"),
			{Role: "assistant", Blocks: []protocol.Block{
				{Type: protocol.BlockReasoning, Text: "Hm.", Signature: "c2ln"},
				{Type: protocol.BlockReasoning, Redacted: []byte("sec")},
				{Type: protocol.BlockText, Text: " "},
				{Type: protocol.BlockToolUse, ToolUseID: "t1", Name: "weather", Input: json.RawMessage(`{"city":"Köln"}`)},
			}},
			{Role: "user", Blocks: []protocol.Block{
				{Type: protocol.BlockToolResult, ToolUseID: "t1", Content: []protocol.Block{
					{Type: protocol.BlockJSON, JSON: json.RawMessage(`{"celsius":1.50}`)}, protocol.TextBlock("at noon"),
				}},
				{Type: protocol.BlockImage, Format: "png", Data: []byte("\x89PNG\r\n\x1a\n")},
				{Type: protocol.BlockDocument, Format: "pdf", Name: "Report (1)", Data: []byte("%PDF-")},
				protocol.TextBlock("What is it?"),
			}},
		},
		System:     []string{"operator"},
		Tools:      []protocol.Tool{{Name: "weather", InputSchema: json.RawMessage(`{"type":"object"}`)}},
		ToolChoice: &protocol.ToolChoice{Name: "weather"},
		Effort:     "low",
		Cache:      true,
	}
	if !reflect.DeepEqual(got.Input, want) {
		t.Errorf("Parse = %+v\nwant    %+v", got.Input, want)
	}
}

func TestParseNamesTheFieldsOfBlocks(t *testing.T) {
	t.Parallel()
	const at = "messages[0].content[0]"
	images := slices.Repeat([]string{png}, 20)
	for _, test := range []struct {
		name, body string
		want       string // field and a part of the message
	}{
		{"no blocks", asked(), "messages[0].content must hold 1 to 20 blocks, got 0"},
		{"too many blocks", asked(slices.Repeat([]string{text}, 21)...), "messages[0].content must hold 1 to 20 blocks, got 21"},
		{"a string among blocks", asked(`"hi"`), at + " must be a JSON object"},
		{"no type", asked(`{"text":"a"}`), at + ".type must be given"},
		{"unknown type", asked(`{"type":"audio"}`), at + `.type must be one of [text image document toolResult] here, got "audio"`},
		{"reasoning of the user", asked(`{"type":"reasoning","text":"a"}`), at + `.type must be one of [text image document toolResult] here, got "reasoning"`},
		{"image of the assistant", loop(png, text, ""), `messages[1].content[0].type must be one of [text toolUse reasoning] here, got "image"`},
		{"blank text", asked(`{"type":"text","text":" "}`), at + ".text must not be blank"},
		{"text of a number", asked(`{"type":"text","text":7}`), at + ".text must be a string"},
		{"unknown member", asked(`{"type":"text","text":"a","format":"b"}`), at + ".format is not a known field"},
		{"repeated member", asked(`{"type":"text","text":"a","text":"b"}`), at + ` must not repeat "text"`},
		{"unknown format", asked(`{"type":"image","format":"bmp","data":"AAAA"}`), at + `.format must be one of [png jpeg gif webp], got "bmp"`},
		{"format of a document", asked(text, `{"type":"document","format":"png","name":"a","data":"AAAA"}`), `messages[0].content[1].format must be one of [pdf csv doc docx xls xlsx html txt md], got "png"`},
		{"no bytes", asked(`{"type":"image","format":"png"}`), at + " must have data or else uploadId"},
		{"both", asked(`{"type":"image","format":"png","data":"AAAA","uploadId":"x"}`), at + " must have data or else uploadId"},
		{"no base64", asked(`{"type":"image","format":"png","data":"data:image/png;base64,AAAA"}`), at + ".data must be base64"},
		{"base64 without padding", asked(`{"type":"image","format":"png","data":"AAA"}`), at + ".data must be base64"},
		{"base64 of a URL", asked(`{"type":"image","format":"png","data":"_-__"}`), at + ".data must be base64"},
		{"base64 in lines", asked(`{"type":"image","format":"png","data":"AAAA\n"}`), at + ".data must be base64"},
		{"empty base64", asked(`{"type":"image","format":"png","data":""}`), at + ".data must be base64 of at least one byte"},
		{"too many images", `{"messages":[{"role":"user","content":[` + strings.Join(images, ",") + `]},{"role":"assistant","content":"a"},{"role":"user","content":[` + png + `]}]}`, "messages must hold at most 20 images, got 21"},
		{"too many documents", asked(text, named("a"), named("b"), named("c"), named("d"), named("e"), named("f")), "messages must hold at most 5 documents, got 6"},
		{"document without a text", asked(report), "messages[0].content must have a text beside a document"},
		{"document with a dot", asked(text, named("a.pdf")), `messages[0].content[1].name must be of letters, digits, single spaces, hyphens, parentheses and square brackets, got "a.pdf"`},
		{"document with two spaces", asked(text, named("a  b")), "messages[0].content[1].name must be of letters"},
		{"document without a name", asked(text, named("")), "messages[0].content[1].name must have 1 to 200 characters, got 0"},
		{"long name", asked(text, named(strings.Repeat("a", 201))), "messages[0].content[1].name must have 1 to 200 characters, got 201"},
		{"name twice", asked(text, named("a"), named("A")), `messages[0].content[2].name must differ from that of another document, got "A"`},
		{"result of nothing", asked(result), `messages[0].content[0].toolUseId must be that of a use in the message before, and come once, got "t1"`},
		{"result of another", loop(use, strings.Replace(result, "t1", "t2", 1), ","+weather), `messages[2].content[0].toolUseId must be that of a use`},
		{"result twice", loop(use, result+","+result, ","+weather), `messages[2].content[1].toolUseId must be that of a use in the message before, and come once`},
		{"no result", loop(use, text, ","+weather), `messages[2].content must have a toolResult for each use of a tool in the message before, lacks that of "t1"`},
		{"result too late", `{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":[` + use + `]},{"role":"user","content":[` + result + `]},{"role":"assistant","content":"b"},{"role":"user","content":[` + result + `]}],` + weather + `}`, "messages[4].content[0].toolUseId must be that of a use"},
		{"use twice", loop(use+","+use, result, ","+weather), `messages[1].content[1].toolUseId must differ from that of another use in the message, got "t1"`},
		{"id with a space", loop(strings.Replace(use, "t1", "t 1", 1), text, ","+weather), "messages[1].content[0].toolUseId must be of letters"},
		{"long id", loop(strings.Replace(use, "t1", strings.Repeat("t", 65), 1), text, ","+weather), "messages[1].content[0].toolUseId must have 1 to 64 characters, got 65"},
		{"input of a list", loop(`{"type":"toolUse","toolUseId":"t1","name":"n","input":[]}`, result, ","+weather), "messages[1].content[0].input must be a JSON object"},
		{"empty result", loop(use, `{"type":"toolResult","toolUseId":"t1","content":[]}`, ","+weather), "messages[2].content[0].content must hold 1 to 20 blocks, got 0"},
		{"blank result", loop(use, `{"type":"toolResult","toolUseId":"t1","content":[{"type":"text","text":""}]}`, ","+weather), "messages[2].content[0].content[0].text must not be blank"},
		{"document as result", loop(use, `{"type":"toolResult","toolUseId":"t1","content":[`+report+`]}`, ","+weather), "messages[2].content[0].content[0].type must be one of [text json image] here"},
		{"unknown status", loop(use, `{"type":"toolResult","toolUseId":"t1","status":"failed","content":[{"type":"text","text":"a"}]}`, ","+weather), "messages[2].content[0].status must be success or error, got \"failed\""},
		{"uses without tools", loop(use, result, ""), "tools must be given with messages that use tools"},
		{"nothing but reasoning", loop(`{"type":"reasoning","text":"a"},{"type":"text","text":" "}`, text, ""), "messages[1].content must have a text that is not blank, or a use of a tool"},
		{"empty reasoning", loop(`{"type":"reasoning","text":""},{"type":"text","text":"a"}`, text, ""), "messages[1].content[0].text must not be empty without a signature"},
		{"reasoning and redacted", loop(`{"type":"reasoning","text":"a","redacted":"AAAA"},{"type":"text","text":"a"}`, text, ""), "messages[1].content[0] must have text, and perhaps signature, or else redacted"},
		{"no tools", `{"prompt":"a","tools":[]}`, "tools must hold 1 to 128 tools, got 0"},
		{"tool without a schema", `{"prompt":"a","tools":[{"name":"n"}]}`, "tools[0].inputSchema must be given"},
		{"tool with a schema of another type", `{"prompt":"a","tools":[{"name":"n","inputSchema":{"type":"string"}}]}`, `tools[0].inputSchema.type must be "object"`},
		{"tool with a blank description", `{"prompt":"a","tools":[{"name":"n","description":"","inputSchema":{"type":"object"}}]}`, "tools[0].description must not be blank"},
		{"tool with a dot", `{"prompt":"a","tools":[{"name":"n.m","inputSchema":{"type":"object"}}]}`, `tools[0].name must be of letters, digits, _ and -, got "n.m"`},
		{"tool twice", `{"prompt":"a","tools":[{"name":"n","inputSchema":{"type":"object"}},{"name":"n","inputSchema":{"type":"object"}}]}`, `tools[1].name must differ from that of another tool, got "n"`},
		{"choice without tools", `{"prompt":"a","toolChoice":"any"}`, "tools must be given together with toolChoice"},
		{"choice of another tool", `{"prompt":"a",` + weather + `,"toolChoice":{"name":"n"}}`, `toolChoice.name must be that of one of tools, got "n"`},
		{"unknown choice", `{"prompt":"a",` + weather + `,"toolChoice":"none"}`, `toolChoice must be "auto", "any" or {"name": the name of a tool}, got "none"`},
		{"unknown effort", `{"prompt":"a","reasoning":{"effort":"max"}}`, `reasoning.effort must be one of [low medium high], got "max"`},
		{"no effort", `{"prompt":"a","reasoning":{}}`, "reasoning.effort must be given"},
		{"cache of a string", `{"prompt":"a","cache":"true"}`, "cache must be true or false"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := model().Parse([]byte(test.body))
			if err == nil || err.Problem.Code != protocol.CodeInvalidRequest {
				t.Fatalf("Parse: %v", err)
			}
			if got := err.Problem.Errors[0].Field + " " + err.Problem.Errors[0].Message; !strings.HasPrefix(got, test.want) {
				t.Errorf("%s\nwant %s", got, test.want)
			}
		})
	}
}

func named(name string) string {
	return fmt.Sprintf(`{"type":"document","format":"txt","name":%q,"data":"AAAA"}`, name)
}

// Whatever the blocks, they are refused with their fields or are blocks that a
// model accepts.
func FuzzParseBlocks(f *testing.F) {
	for _, seed := range []string{
		asked(text, png, report), loop(use, result, ","+weather), loop(`{"type":"reasoning","redacted":"AAAA"},`+use, result, ","+weather+`,"cache":true`),
		`{"messages":[{"role":"user","content":[{"type":"text","text":"\ud800"}]}]}`, asked(`{"type":"image","format":"png","uploadId":"a"}`),
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
		for i, message := range got.Input.Messages {
			if message.Blocks != nil && (message.Content != "" || len(message.Blocks) > protocol.MaxBlocks) {
				t.Errorf("message %d: %+v", i, message)
			}
			for _, b := range message.Blocks {
				checkBlock(t, message.Role, b)
			}
		}
	})
}

func checkBlock(t *testing.T, role string, b protocol.Block) {
	t.Helper()
	var fine bool
	switch b.Type {
	case protocol.BlockText:
		fine = role == "assistant" || strings.TrimSpace(b.Text) != ""
	case protocol.BlockImage, protocol.BlockDocument:
		fine = role == "user" && (len(b.Data) > 0) != (b.UploadID != "")
	case protocol.BlockToolUse:
		fine = role == "assistant" && json.Valid(b.Input) && b.Input[0] == '{' && b.ToolUseID != "" && b.Name != ""
	case protocol.BlockReasoning:
		fine = role == "assistant" && (b.Redacted == nil || b.Text == "")
	case protocol.BlockToolResult:
		fine = role == "user" && len(b.Content) > 0 && b.ToolUseID != ""
	}
	if !fine {
		t.Errorf("%s: %+v", role, b)
	}
}

// A body cannot hold an image of the largest size, but an upload can be larger.
func TestLargestInlineData(t *testing.T) {
	t.Parallel()
	data := base64.StdEncoding.EncodeToString(make([]byte, 190_000))
	got, err := model().Parse([]byte(asked(`{"type":"image","format":"png","data":"` + data + `"}`)))
	if err != nil || len(got.Input.Messages[0].Blocks[0].Data) != 190_000 {
		t.Fatalf("Parse: %v", err)
	}
}

// What the model does not take is refused before anything is spent, naming the
// block and the model.
func TestWhatTheModelCannotDoIsRefused(t *testing.T) {
	t.Parallel()
	const (
		micro   = "us.amazon.nova-micro-v1:0"
		llama   = "us.meta.llama4-scout-17b-instruct-v1:0"
		mistral = "mistral.mistral-7b-instruct-v0:2"
		unknown = "acme.brain-v1"
		old     = "us.anthropic.claude-3-7-sonnet-20250219-v1:0"
	)
	m := func(system string) admission.Model {
		return admission.Model{
			ID: free, Allowed: []string{free, either, none, tenth, micro, llama, mistral, unknown, old}, MaxTokens: 4_000, System: system, AllowSystem: true,
		}
	}
	with := func(model, body string) string { return `{"model":"` + model + `",` + strings.TrimPrefix(body, "{") }
	for _, test := range []struct {
		name, body, system string
		want               []string // fields
	}{
		{"image", with(micro, asked(text, png)), "", []string{"messages[0].content[1]"}},
		{"documents", with(micro, asked(text, named("a"), named("b"))), "", []string{"messages[0].content[1]", "messages[0].content[2]"}},
		{"image in a result", with(tenth, loop(use, `{"type":"toolResult","toolUseId":"t1","content":[`+png+`]}`, ","+weather)), "", []string{"messages[1].content[0]", "messages[2].content[0]", "messages[2].content[0].content[0]", "tools"}},
		{"tools", with(mistral, `{"prompt":"a",`+weather+`}`), "", []string{"tools"}},
		{"forced tool", with(llama, `{"prompt":"a",`+weather+`,"toolChoice":"any"}`), "", []string{"toolChoice"}},
		{"forced name", with(llama, `{"prompt":"a",`+weather+`,"toolChoice":{"name":"weather"}}`), "", []string{"toolChoice"}},
		{"forced tool while it thinks", with(either, `{"prompt":"a",`+weather+`,"toolChoice":"any","reasoning":{"effort":"low"}}`), "", []string{"toolChoice"}},
		{"system", with(mistral, `{"prompt":"a","system":"b"}`), "", []string{"system"}},
		{"operator's system", with(mistral, `{"prompt":"a"}`), "operator", []string{"system"}},
		{"reasoning", with(micro, `{"prompt":"a","reasoning":{"effort":"low"}}`), "", []string{"reasoning"}},
		{"reasoning of who always does", with(tenth, `{"prompt":"a","reasoning":{"effort":"low"}}`), "", []string{"reasoning"}},
		{"reasoning of a stranger", with(unknown, `{"prompt":"a","reasoning":{"effort":"low"}}`), "", []string{"reasoning"}},
		{"reasoning without room", with(old, `{"prompt":"a","maxTokens":1024,"reasoning":{"effort":"low"}}`), "", []string{"reasoning"}},
		{"reasoning back", with(micro, loop(`{"type":"reasoning","text":"a"},`+`{"type":"text","text":"b"}`, text, "")), "", []string{"messages[1].content[0]"}},
		{"cache", with(llama, `{"prompt":"a","cache":true}`), "", []string{"cache"}},

		{"auto is no force", with(llama, `{"prompt":"a",`+weather+`,"toolChoice":"auto"}`), "", nil},
		{"no cache", with(llama, `{"prompt":"a","cache":false}`), "", nil},
		{"all that Nova 2 takes", with(free, loop(`{"type":"reasoning","text":"a"},`+use, result+","+png+","+report+","+text, ","+weather+`,"toolChoice":"any","cache":true,"reasoning":{"effort":"high"}`)), "operator", nil},
		{"all that Claude takes", with(none, loop(`{"type":"reasoning","text":"a","signature":"b"},`+use, result+","+png+","+report+","+text, ","+weather+`,"cache":true,"reasoning":{"effort":"high"}`)), "operator", nil},
		{"all that a stranger may take", with(unknown, loop(`{"type":"reasoning","text":"a"},`+use, result+","+png+","+report+","+text, ","+weather+`,"toolChoice":"any"`)), "operator", nil},
		{"reasoning back to who does not want it", with(tenth, loop(`{"type":"reasoning","text":"a"},{"type":"text","text":"b"}`, text, "")), "", nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := m(test.system).Parse([]byte(test.body))
			if err == nil {
				if test.want != nil {
					t.Fatal("accepted")
				}
				return
			}
			var fields []string
			for _, f := range err.Problem.Errors {
				fields = append(fields, f.Field)
				if !strings.HasPrefix(f.Message, `is refused by model "`) || strings.HasSuffix(f.Message, ": ") {
					t.Errorf("%s %s", f.Field, f.Message)
				}
			}
			if err.Problem.Code != protocol.CodeModelNotCapable || err.Status() != 400 || !slices.Equal(fields, test.want) {
				t.Errorf("%s %+v, want %q", err.Problem.Code, err.Problem.Errors, test.want)
			}
		})
	}
}

// Claude takes neither temperature nor topP while it thinks: the operator's are
// left out, and the caller's are refused.
func TestSamplingWhileReasoning(t *testing.T) {
	t.Parallel()
	m := models(new(0.7), nil)
	m.MaxTokens = 4_000
	got, err := m.Parse([]byte(`{"prompt":"a","model":"` + either + `","reasoning":{"effort":"low"}}`))
	if err != nil || got.Model.Temperature != nil {
		t.Errorf("Parse: %v, temperature %v", err, got.Model.Temperature)
	}
	_, err = m.Parse([]byte(`{"prompt":"a","model":"` + either + `","reasoning":{"effort":"low"},"temperature":0.5}`))
	if err == nil || err.Problem.Errors[0].Field != "temperature" {
		t.Errorf("Parse: %v", err)
	}
}
