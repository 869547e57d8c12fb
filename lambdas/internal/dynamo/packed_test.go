package dynamo_test

import (
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"pgregory.net/rapid"

	"github.com/streaming-service/streaming-service/lambdas/internal/dynamo"
	"github.com/streaming-service/streaming-service/lambdas/internal/dynamo/dynamotest"
	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/protocol"
)

// prose is English text of 1 KB, which no two sentences of repeat each other.
var prose = `The sky is blue because the molecules of the air scatter the light of the sun, and short waves more than long
ones: by the fourth power of their length, as Lord Rayleigh found in 1871. Violet is scattered even more than blue, but less of
it arrives from the sun, the upper air keeps a part, and our eyes have little feeling for it. In the evening the light comes a
long way through the air, and what is left of it, when it has lost its blue to the skies of others, is orange and red. Dust and
drops, which are large beside the waves, scatter all colours alike: clouds are white, and so is the haze over a city in summer.
On Mars it is the other way round. Its thin air carries fine dust of iron oxide, which makes the day butterscotch, while around
the setting sun there is a glow of blue. From the Moon, which has no air to speak of, the sky is black at noon, and astronauts
saw the stars only when they stood in the shade and gave their eyes time. Why, then, is the sea blue? Mostly for another reason entirely, which is its own.`

func ask(contents ...string) life.Input {
	var in life.Input
	for _, content := range contents {
		in.Messages = append(in.Messages, protocol.Message{Role: "user", Content: content})
	}
	return in
}

// A prompt of 1 KB cost two write units, and a long conversation one for each
// kilobyte that it already had.
func TestInputIsPackedWhereThatSavesAUnit(t *testing.T) {
	t.Parallel()
	db := dynamotest.New(t)
	image := life.Input{Messages: []protocol.Message{{Role: "user", Blocks: []protocol.Block{
		{Type: protocol.BlockImage, Format: "png", Data: make([]byte, 4000)}, protocol.TextBlock(prose),
	}}}}
	for name, test := range map[string]struct {
		in     life.Input
		packed bool
		units  int
	}{
		"a sentence":     {ask("Why is the sky blue?"), false, 1},
		"most of a unit": {ask(prose[:600]), false, 1},
		"1 KB":           {ask(prose), true, 1},
		"a conversation": {ask(strings.Split(prose, "\n")...), true, 1},
		"an image":       {image, false, 6},
	} {
		if err := db.PutInput(ctx, "id", name, test.in, start); err != nil {
			t.Fatal(err)
		}
		stored := db.Item(t, dynamotest.Tables.Requests, "r#id", "input#"+name)
		if _, packed := stored["packed"].(*types.AttributeValueMemberB); packed != test.packed {
			t.Errorf("%s: packed %t, want %t", name, packed, test.packed)
		}
		if units := (itemSize(stored) + 1023) / 1024; units != test.units {
			t.Errorf("%s: %d units, want %d", name, units, test.units)
		}
		if got, err := db.Input(ctx, "id", name); err != nil || !reflect.DeepEqual(got.Messages, test.in.Messages) {
			t.Errorf("%s: it is read as another one, %v", name, err)
		}
	}
}

// Whatever is asked is read as it was, packed or not.
func TestAnyInputIsReadAsItWas(t *testing.T) {
	t.Parallel()
	db := dynamotest.New(t)
	rapid.Check(t, func(r *rapid.T) {
		text := rapid.Custom(func(r *rapid.T) string {
			return strings.Repeat(rapid.StringOfN(rapid.RuneFrom([]rune{'a', '"', '\\', '<', 'é', '\u2028', '😀', '\n', 0}), 1, 20, -1).Draw(r, "piece"), rapid.IntRange(1, 60).Draw(r, "times"))
		})
		want := life.Input{
			System: rapid.SliceOfN(text, 0, 2).Draw(r, "system"), StopSequences: rapid.SliceOfN(text, 0, 2).Draw(r, "stop"),
			Effort: rapid.SampledFrom([]string{"", "low"}).Draw(r, "effort"), Cache: rapid.Bool().Draw(r, "cache"),
			UploadBytes: rapid.Int64Range(0, 1<<60).Draw(r, "uploadBytes"),
		}
		for range rapid.IntRange(1, 4).Draw(r, "messages") {
			m := protocol.Message{Role: "user", Content: text.Draw(r, "content")}
			if rapid.Bool().Draw(r, "blocks") {
				m = protocol.Message{Role: "user", Blocks: []protocol.Block{
					protocol.TextBlock(text.Draw(r, "text")),
					{Type: protocol.BlockToolResult, ToolUseID: "t", Content: []protocol.Block{{Type: protocol.BlockJSON, JSON: protocol.Encode(text.Draw(r, "json"))}}},
				}}
			}
			want.Messages = append(want.Messages, m)
		}
		if err := db.PutInput(ctx, "id", "hash", want, start); err != nil {
			r.Fatal(err)
		}
		got, err := db.Input(ctx, "id", "hash")
		if len(want.System) == 0 {
			got.System, want.System = nil, nil
		}
		if len(want.StopSequences) == 0 {
			got.StopSequences, want.StopSequences = nil, nil
		}
		if err != nil || !reflect.DeepEqual(got, want) {
			r.Errorf("got %+v, %v\nwant %+v", got, err, want)
		}
	})
}

// An item that was damaged is not taken for one without messages.
func TestDamagedInputIsAnError(t *testing.T) {
	t.Parallel()
	db := dynamotest.New(t)
	if err := db.PutInput(ctx, "id", "hash", ask(prose), start); err != nil {
		t.Fatal(err)
	}
	stored := db.Item(t, dynamotest.Tables.Requests, "r#id", "input#hash")
	whole := stored["packed"].(*types.AttributeValueMemberB).Value //nolint:errcheck,forcetypeassert // a panic says enough
	stored["packed"] = &types.AttributeValueMemberB{Value: whole[:len(whole)/2]}
	if _, err := db.Client.PutItem(ctx, &dynamodb.PutItemInput{TableName: &dynamotest.Tables.Requests, Item: stored}); err != nil {
		t.Fatal(err)
	}
	if got, err := db.Input(ctx, "id", "hash"); err == nil {
		t.Errorf("read %+v", got)
	}
}

// BenchmarkPack reports how many bytes are left of a prompt of 1 KB, and of a
// conversation of 30 KB, for which docs/life.md stands.
func BenchmarkPack(b *testing.B) {
	page, err := os.ReadFile("../../../docs/life.md")
	if err != nil {
		b.Fatal(err)
	}
	for name, content := range map[string]string{"1KB": prose, "30KB": string(page[:30<<10])} {
		b.Run(name, func(b *testing.B) {
			attributes := map[string]types.AttributeValue{"content": &types.AttributeValueMemberS{Value: content}}
			var packed *types.AttributeValueMemberB
			for b.Loop() {
				packed, _ = dynamo.Pack(attributes)["packed"].(*types.AttributeValueMemberB)
			}
			b.ReportMetric(float64(len(packed.Value)), "bytes")
		})
	}
}
