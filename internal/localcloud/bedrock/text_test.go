package bedrock_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/streaming-service/streaming-service/internal/localcloud/bedrock"
)

func TestScriptedTextIsDeterministic(t *testing.T) {
	t.Parallel()
	first := bedrock.ScriptedText("prompt", "")
	if again := bedrock.ScriptedText("prompt", ""); again != first {
		t.Error("the same prompt has two texts")
	}
	for _, other := range []string{bedrock.ScriptedText("another", ""), bedrock.ScriptedText("prompt", "script: seed=1")} {
		if other == first {
			t.Error("another prompt or seed has the same text")
		}
	}
	if bedrock.ScriptedText("prompt", "script: nonsense") != "" {
		t.Error("an invalid script has a text")
	}
}

func TestScriptedTextReadsWell(t *testing.T) {
	t.Parallel()
	multibyte := false
	for _, tokens := range []string{"1", "2", "3", "17", "50", "400", "4000"} {
		text := bedrock.ScriptedText("Tell me about rivers, please, and lakes", "script: tokens="+tokens)
		if !utf8.ValidString(text) || text != strings.TrimLeft(text, " \n") {
			t.Errorf("%s tokens: %q", tokens, text)
		}
		if tokens != "1" && !strings.HasSuffix(strings.TrimSpace(text), ".") {
			t.Errorf("%s tokens end in %q", tokens, text[max(0, len(text)-20):])
		}
		multibyte = multibyte || len(text) > utf8.RuneCountInString(text)
	}
	if !multibyte {
		t.Error("no characters of several bytes")
	}
}

func FuzzParseScript(f *testing.F) {
	for _, seed := range []string{
		"", "script:", "script: tokens=400 rate=80 seed=7 error=throttlingException@0 times=2", "hang@5 truncate@6 badcrc@7 drop@8",
		"text=a b c", `text="a\n" rate=0.5`, `text="`, "stop=content_filtered", "rate=NaN", "rate=+Inf", "tokens=-1", "error=@3", "error=é@1", "=",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		script, err := bedrock.ParseScript(text)
		if err != nil {
			return
		}
		if !(script.Rate >= 0) || script.Tokens < -1 || script.Times < 0 || script.Delay < 0 {
			t.Errorf("script = %+v", script)
		}
		if script.Tokens > 1000 {
			return
		}
		reply := bedrock.Answer("prompt", script, 100, []string{"x"})
		if strings.Contains(reply.Text(), "x") || len(reply.Tokens) > 100 {
			t.Errorf("reply = %+v", reply)
		}
		if script.Text != nil && script.Tokens < 0 && bedrock.Answer("", script, 0, nil).Text() != *script.Text {
			t.Errorf("text %q became %q", *script.Text, bedrock.Answer("", script, 0, nil).Text())
		}
	})
}
