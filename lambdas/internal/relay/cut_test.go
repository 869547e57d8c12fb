package relay_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/streaming-service/streaming-service/lambdas/internal/relay"
	"github.com/streaming-service/streaming-service/protocol"
)

// relayed returns the deltas that text becomes when it is written at once.
func relayed(t *testing.T, text string) []received {
	t.Helper()
	g, log := newGateway(), &chunks{}
	hub := relay.NewHub(g, sockets("a"))
	s := hub.Open(t.Context(), options(log))
	s.Write(text)
	finish(t, hub, s)
	got := g.frames("a")
	assertWhole(t, got, strings.ToValidUTF8(text, "\uFFFD"))
	return got
}

func assertFrames(t *testing.T, got []received) {
	t.Helper()
	for _, r := range got {
		if len(r.raw) > protocol.MaxFrameBytes {
			t.Errorf("a frame of %d bytes", len(r.raw))
		}
		if !utf8.ValidString(r.raw) || strings.ContainsRune(r.frame.Text, utf8.RuneError) {
			t.Errorf("seq %d was cut within a character", *r.frame.Seq)
		}
	}
}

func TestFramesFitAndAreCutBetweenCharacters(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, unit string }{
		{"ascii", "a"},
		{"two bytes", "é"},
		{"three bytes", "語"},
		{"four bytes", "🚀"},
		{"escaped quote", `"`},
		{"newline", "\n"},
		{"control character", "\x01"},
		{"line separator", "\u2028"},
		{"markup", "<&>"},
		{"mixed", "a\"é\n語\x02🚀\u2029<"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			text := "-" + strings.Repeat(tt.unit, 40_000/len(tt.unit)*3)
			got := relayed(t, text)
			if len(got) < 5 {
				t.Errorf("only %d frames", len(got))
			}
			assertFrames(t, got)
		})
	}
}

func FuzzFramesFit(f *testing.F) {
	f.Add("hello", 1)
	f.Add("\"\\\n\u2028🚀\x7f\x00", 9000)
	f.Add("\xff\xfe\xc3", 20_000)
	f.Fuzz(func(t *testing.T, unit string, times int) {
		if unit == "" || times < 1 || len(unit)*times > 1<<18 {
			t.Skip("no text, or longer than an answer of the tests")
		}
		if strings.ContainsRune(strings.ToValidUTF8(unit, "\uFFFD"), utf8.RuneError) {
			unit = strings.ReplaceAll(strings.ToValidUTF8(unit, "?"), "\uFFFD", "?")
		}
		assertFrames(t, relayed(t, strings.Repeat(unit, times)))
	})
}
