package bedrock_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/schemas"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	"github.com/aws/smithy-go/transport/http/protocol/restjson1"
	"pgregory.net/rapid"

	"github.com/streaming-service/streaming-service/lambdas/internal/bedrock"
)

func piece(payload string) []byte { return event("event", "contentBlockDelta", payload) }

// What is not read here costs ten times as much, and nothing else would tell.
func TestUsualTextIsReadWithoutTheSDK(t *testing.T) {
	t.Parallel()
	for payload, want := range map[string]string{
		`{"contentBlockIndex":0,"delta":{"text":"Hello"},"p":"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"}`: "Hello",
		`{"contentBlockIndex":12,"delta":{"text":"Hé 😀"},"p":""}`:                                                               "Hé 😀",
		`{"contentBlockIndex":0,"delta":{"text":"\"a\"\n\\\t\r\b\f\/"}}`:                                                        "\"a\"\n\\\t\r\b\f/",
		`{"contentBlockIndex":0,"delta":{"text":""}}`:                                                                           "",
	} {
		if got, ok := bedrock.TextOf(piece(payload)); !ok || got != want {
			t.Errorf("%s: got %q, %t; want %q", payload, got, ok, want)
		}
	}
}

// unusual are events that the SDK is to read, or to refuse.
var unusual = [][]byte{
	nil,
	piece(`{"contentBlockIndex":0,"delta":{"text":"\u0041"}}`),
	piece(`{"contentBlockIndex":0,"delta":{"text":"\x"}}`),
	piece(`{"contentBlockIndex":0,"delta":{"text":"a\`),
	piece(`{"contentBlockIndex":0,"delta":{"text":"a`),
	piece("{\"contentBlockIndex\":0,\"delta\":{\"text\":\"a\nb\"}}"),
	piece("{\"contentBlockIndex\":0,\"delta\":{\"text\":\"\xff\"}}"),
	piece(`{"contentBlockIndex":0,"delta":{"text":"a"},"p":"a","q":1}`),
	piece(`{"contentBlockIndex":0,"delta":{"text":"a"},"p":"\""}`),
	piece(`{"contentBlockIndex":0,"delta":{"text":"a"}}x`),
	piece(`{"contentBlockIndex":0,"delta":{"text":"a","text":"b"}}`),
	piece(`{"contentBlockIndex":01,"delta":{"text":"a"}}`),
	piece(`{"contentBlockIndex":-1,"delta":{"text":"a"}}`),
	piece(`{"contentBlockIndex":99999999999,"delta":{"text":"a"}}`),
	piece(`{"contentBlockIndex":,"delta":{"text":"a"}}`),
	piece(`{"delta":{"text":"a"},"contentBlockIndex":0}`),
	piece(`{"contentBlockIndex":0,"delta":{"reasoningContent":{"text":"a"}}}`),
	event("event", "contentBlockStart", `{"contentBlockIndex":0,"delta":{"text":"a"}}`),
	event("exception", "contentBlockDelta", `{"contentBlockIndex":0,"delta":{"text":"a"}}`),
	damaged(delta("a")),
	delta("a")[:20],
	append(delta("a"), 0),
}

func TestUnusualEventsAreLeftToTheSDK(t *testing.T) {
	t.Parallel()
	for _, e := range unusual {
		if got, ok := bedrock.TextOf(e); ok {
			t.Errorf("%q was read as %q", e, got)
		}
	}
}

// readBySDK is the text that the SDK finds in an event.
func readBySDK(e []byte) (string, error) {
	decoded, err := restjson1.New(schemas.AmazonBedrockFrontendService).DeserializeEventMessage(
		schemas.ConverseStreamOutput, bedrockruntime.TypeRegistry, bytes.NewReader(e))
	if err != nil {
		return "", err
	}
	if piece, ok := decoded.(*types.ContentBlockDeltaEvent); ok {
		if text, ok := piece.Delta.(*types.ContentBlockDeltaMemberText); ok {
			return text.Value, nil
		}
	}
	return "", fmt.Errorf("it is %T", decoded)
}

// Whatever is read here, the SDK reads the same in it.
func FuzzTextIsReadAsTheSDKReadsIt(f *testing.F) {
	for _, e := range unusual {
		f.Add(e)
	}
	f.Add(delta("a\n\"b\" 😀"))
	f.Fuzz(func(t *testing.T, e []byte) {
		got, ok := bedrock.TextOf(e)
		if !ok {
			return
		}
		if want, err := readBySDK(e); err != nil || got != want {
			t.Errorf("got %q, the SDK %q, %v", got, want, err)
		}
	})
}

// The same with payloads that a fuzzer, which has to find checksums, does not
// reach.
func TestAnyTextIsReadAsTheSDKReadsIt(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		bits := rapid.SampledFrom([]string{
			`{"contentBlockIndex":0,"delta":{"text":"`, `{"contentBlockIndex":10,"delta":{"text":"`, `"}`, `},"p":"ab"}`, `,"p":"`, `"}}`, `}`,
			`\n`, `\"`, `\\`, `\/`, `\u00e9`, `\ud83d`, `\x`, `\`, `"`, "\x01", "\xff", "é", "😀", "word ", `{"text":"x"}`, `,"q":0`,
		})
		payload := `{"contentBlockIndex":0,"delta":{"text":"`
		for range rapid.IntRange(0, 6).Draw(r, "bits") {
			payload += bits.Draw(r, "bit")
		}
		payload += rapid.SampledFrom([]string{`"}}`, `"},"p":"abc"}`, ``}).Draw(r, "end")
		got, ok := bedrock.TextOf(piece(payload))
		if !ok {
			return
		}
		if want, err := readBySDK(piece(payload)); err != nil || got != want {
			r.Errorf("%s: got %q, the SDK %q, %v", payload, got, want, err)
		}
	})
}

// An answer may have events that are larger than what is buffered, and any that
// come in pieces.
func TestEventsOfAnySizeAreRead(t *testing.T) {
	t.Parallel()
	want := ""
	var events [][]byte
	for n := 1; n < 100_000; n *= 3 {
		text := string(bytes.Repeat([]byte("é"), n))
		want += text
		events = append(events, delta(text))
	}
	got := ""
	pieces, _ := deltas(t, events...)
	for _, d := range pieces {
		got += d.Text
	}
	if got != want {
		t.Errorf("got %d bytes, want %d", len(got), len(want))
	}
}
