package bedrock_test

import (
	"bytes"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/streaming-service/streaming-service/internal/localcloud/bedrock"
)

func TestReasoningComesFirstAndCounts(t *testing.T) {
	t.Parallel()
	client := serve(t, newModel())
	const script = "script: rate=0 tokens=20"
	for _, test := range []struct {
		name, script    string
		most            int32 // 0: no limit
		text, reasoning bool
		events          string
		stop            types.StopReason
		output          int32
	}{
		{"reasoning, then text", script + " reasoning=40", 0, true, true, "start delta block-end delta block-end stop metadata", types.StopReasonEndTurn, 60},
		{"nothing but reasoning", script + " empty reasoning=40", 0, false, true, "start delta block-end stop metadata", types.StopReasonEndTurn, 40},
		{"cut while reasoning", script + " reasoning=40", 30, false, true, "start delta block-end stop metadata", types.StopReasonMaxTokens, 30},
		{"cut after reasoning", script + " reasoning=40", 50, true, true, "start delta block-end delta block-end stop metadata", types.StopReasonMaxTokens, 50},
		{"empty", script + " empty", 0, false, false, "start block-end stop metadata", types.StopReasonEndTurn, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			in := input("x", test.script)
			if test.most > 0 {
				in.InferenceConfig = &types.InferenceConfiguration{MaxTokens: aws.Int32(test.most)}
			}
			a := converse(t, client, in)
			if (a.text != "") != test.text || (a.reasoning != "") != test.reasoning || (a.signature != "") != test.reasoning {
				t.Errorf("text %q, reasoning %q, signature %q", a.text, a.reasoning, a.signature)
			}
			if a.events != test.events || a.stop != test.stop || *a.usage.OutputTokens != test.output {
				t.Errorf("events %q, stop %s, %d tokens; want %q, %s, %d", a.events, a.stop, *a.usage.OutputTokens, test.events, test.stop, test.output)
			}
		})
	}
}

func TestEmptyLastsForItsAttempts(t *testing.T) {
	t.Parallel()
	client := serve(t, newModel())
	in := input("x", "script: rate=0 tokens=3 empty times=2")
	for i, want := range []int{0, 0, 3, 3} {
		if a := converse(t, client, in); a.deltas != want {
			t.Errorf("call %d says %d words, want %d", i+1, a.deltas, want)
		}
	}
}

func TestUsageReports(t *testing.T) {
	t.Parallel()
	client := serve(t, newModel())
	for report, want := range map[string]*types.TokenUsage{
		"none": nil, "zero": usage(0, 0), "zero-after": usage(0, 0), "negative": usage(-1, -1),
		"input": {InputTokens: aws.Int32(9)},
	} {
		t.Run(report, func(t *testing.T) {
			t.Parallel()
			a := converse(t, client, input("x", "script: rate=0 tokens=3 input=9 usage="+report))
			if (a.usage == nil) != (want == nil) || want != nil && (*a.usage.InputTokens != *want.InputTokens || (a.usage.OutputTokens == nil) != (want.OutputTokens == nil)) {
				t.Errorf("reported %+v, want %+v", a.usage, want)
			}
		})
	}
}

func usage(input, output int32) *types.TokenUsage {
	return &types.TokenUsage{InputTokens: aws.Int32(input), OutputTokens: aws.Int32(output)}
}

// The SDK cannot put together what comes in two halves.
func TestSplitCharacters(t *testing.T) {
	t.Parallel()
	model := newModel()
	const question = `{"messages":[{"role":"user","content":[{"text":"x"}]}],"system":[{"text":"script: rate=0 split text=\"a 🙂b\\\"🙂 c\""}]}`
	_, body := post(t, model, modelID, question)
	for _, half := range []string{`" \ud83d"`, `"\ude42b\"\ud83d"`, `"\ude42"`, `"a"`, `" c"`} {
		if !bytes.Contains([]byte(body), []byte(half)) {
			t.Errorf("%s is missing", half)
		}
	}
	if a := converse(t, serve(t, model), input("x", `script: rate=0 split text="🙂"`)); a.text != strings.Repeat("\ufffd", 2) || *a.usage.OutputTokens != 1 {
		t.Errorf("read as %q, %d tokens", a.text, *a.usage.OutputTokens)
	}
}

func TestUnknownPiecesComeFirst(t *testing.T) {
	t.Parallel()
	client := serve(t, newModel())
	if a := converse(t, client, input("x", "script: rate=0 tokens=3 unknown")); a.events != "start ?delta block-end stop metadata" || a.deltas != 3 || a.err != nil {
		t.Errorf("events %q, %d words, %v", a.events, a.deltas, a.err)
	}
}

func TestOptionsThatAreNotTaken(t *testing.T) {
	t.Parallel()
	for _, script := range []string{"usage=free", "usage=", "reasoning=-1", "empty=1", "split@3", "unknown=x", "tool=", "tool=a.b", "toolInput=7", "toolInput={", "cached=-1"} {
		if _, err := bedrock.ParseScript("script: " + script); err == nil {
			t.Errorf("%s is taken", script)
		}
	}
}

// docs/local.md lists options that exist, and all of them.
func TestDocumentedOptions(t *testing.T) {
	t.Parallel()
	doc, err := os.ReadFile("../../../docs/local.md")
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string]bool{}
	example := strings.NewReplacer("NAME", "throttling", "REASON", "end_turn", "MS", "5", "N", "5", "R", "5", "={…}", "={\"a\": 1}", "…", "word")
	for _, row := range regexp.MustCompile("(?m)^\\| `([^`]+)` \\|").FindAllStringSubmatch(string(doc), -1) {
		if _, err := bedrock.ParseScript("script: " + example.Replace(row[1])); err != nil {
			t.Errorf("%s: %v", row[1], err)
		}
		listed[regexp.MustCompile(`^[a-z]+(=[a-z-]+$)?`).FindString(row[1])] = true
	}
	for _, option := range []string{
		"tokens", "text", "seed", "rate", "delay", "reasoning", "redacted", "tool", "tool", "cached", "written", "empty", "split", "unknown", "stop", "input",
		"usage=none", "usage=zero", "usage=zero-after", "usage=input", "usage=negative", "error", "hang", "truncate", "drop", "badcrc", "times",
	} {
		if !listed[option] {
			t.Errorf("docs/local.md does not list %s", option)
		}
	}
}
