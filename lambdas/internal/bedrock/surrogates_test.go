package bedrock_test

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf16"

	"pgregory.net/rapid"

	"github.com/streaming-service/streaming-service/lambdas/internal/bedrock"
	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/lambdas/internal/model"
)

// said is a delta of a block, its text as a JSON string.
func said(index int, literal string) []byte {
	return event("event", "contentBlockDelta", fmt.Sprintf(`{"contentBlockIndex":%d,"delta":{"text":%s},"p":"abc"}`, index, literal))
}

// A character whose surrogates came in two events once became two U+FFFD.
func TestSurrogatesAreJoinedAcrossEvents(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		events [][]byte
		want   string
	}{
		"in two events":          {[][]byte{said(0, `"a \ud83d"`), said(0, `"\ude00 b"`)}, "a 😀 b"},
		"capital digits":         {[][]byte{said(0, `"\uD83D"`), said(0, `"\uDE00"`)}, "😀"},
		"with an event between":  {[][]byte{said(0, `"\ud83d"`), event("event", "hologram", `{}`), said(0, `""`), said(0, `"\ude00"`)}, "😀"},
		"one after the other":    {[][]byte{said(0, `"\ud83d"`), said(0, `"\ude00\ud83d"`), said(0, `"\ude01\ud83d"`), said(0, `"\ude02"`)}, "😀😁😂"},
		"after a backslash":      {[][]byte{said(0, `"\\\ud83d"`), said(0, `"\ude00"`)}, `\😀`},
		"whole":                  {[][]byte{said(0, `"\ud83d\ude00"`), said(0, `"é"`)}, "😀é"},
		"no escape at all":       {[][]byte{said(0, `"\\ud83d"`), said(0, `"\\ude00"`)}, `\ud83d\ude00`},
		"in two blocks":          {[][]byte{said(0, `"\ud83d"`), said(1, `"x\ud83d"`), said(0, `"\ude00"`), said(1, `"\ude01"`)}, "x😀😁"},
		"never completed":        {[][]byte{said(0, `"a\ud83d"`), event("event", "contentBlockStop", `{"contentBlockIndex":0}`)}, "a"},
		"followed by text":       {[][]byte{said(0, `"a\ud83d"`), said(0, `"b"`)}, "a\ufffdb"},
		"second half alone":      {[][]byte{said(0, `"a"`), said(0, `"\ude00b"`)}, "a\ufffdb"},
		"followed by a quote":    {[][]byte{said(0, `"\ud83d\""`), said(0, `"b"`)}, "\ufffd\"b"},
		"reasoning and its seal": {[][]byte{block(`{"reasoningContent":{"text":"\ud83d"}}`), block(`{"reasoningContent":{"signature":"abcd"}}`), said(1, `"b"`)}, "b"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text := ""
			got, _ := deltas(t, test.events...)
			for _, d := range got {
				text += d.Text
			}
			if text != test.want {
				t.Errorf("got %q, want %q", text, test.want)
			}
		})
	}
}

// Whatever the text, and wherever it is cut, it arrives as it was.
func TestAnyCutOfATextIsRead(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		text := rapid.StringOfN(rapid.RuneFrom([]rune{'a', '"', '\\', 'u', 'd', '8', '3', 'é', '\n', '😀', '𝄞'}), 0, 30, -1).Draw(r, "text")
		units := utf16.Encode([]rune(text))
		events := [][]byte{opening}
		for len(units) > 0 {
			n := rapid.IntRange(1, len(units)).Draw(r, "cut")
			var literal strings.Builder
			for _, unit := range units[:n] {
				fmt.Fprintf(&literal, `\u%04x`, unit)
			}
			events = append(events, said(0, `"`+literal.String()+`"`))
			units = units[n:]
		}
		s := serve(t, streaming(append(events, stop("end_turn"))...))
		defer s.Close()
		got := ""
		_, err := s.models(bedrock.Options{}).Stream(t.Context(), record(), life.Input{}, take(func(d model.Delta) { got += d.Text }))
		if err != nil || got != text {
			r.Errorf("got %q, %v; want %q", got, err, text)
		}
	})
}
