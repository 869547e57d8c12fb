package dynamo_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/streaming-service/streaming-service/lambdas/internal/dynamo/dynamotest"
	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/protocol"
)

func TestInput(t *testing.T) {
	t.Parallel()
	db := dynamotest.New(t)
	want := life.Input{
		Messages: []protocol.Message{{Role: "user", Content: "a \u2028 <b>"}, {Role: "assistant", Content: "c"}, {Role: "user", Content: "d"}},
		System:   []string{"one", "two"}, StopSequences: []string{"\n\n"},
	}
	if err := db.PutInput(ctx, "id", "hash", want, start); err != nil {
		t.Fatal(err)
	}
	if got, err := db.Input(ctx, "id", "hash"); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("Input = %+v, %v", got, err)
	}
	if _, err := db.Input(ctx, "id", "other"); !errors.Is(err, life.ErrNotFound) {
		t.Errorf("Input of another body: %v", err)
	}
}

func TestInputOfBlocks(t *testing.T) {
	t.Parallel()
	db := dynamotest.New(t)
	raw := func(s string) json.RawMessage { return json.RawMessage(s) }
	want := life.Input{
		Messages: []protocol.Message{
			{Role: "user", Blocks: []protocol.Block{
				protocol.TextBlock("what?"),
				{Type: protocol.BlockImage, Format: "png", Data: []byte{0, 255}},
				{Type: protocol.BlockDocument, Format: "pdf", Name: "a", UploadID: "u"},
			}},
			{Role: "assistant", Blocks: []protocol.Block{
				{Type: protocol.BlockReasoning, Text: "hm", Signature: "s"},
				{Type: protocol.BlockReasoning, Signature: "s"},
				{Type: protocol.BlockReasoning, Redacted: []byte{1}},
				{Type: protocol.BlockToolUse, ToolUseID: "t", Name: "n", Input: raw(`{"b":1.50,"a":[]}`)},
			}},
			{Role: "user", Blocks: []protocol.Block{{
				Type: protocol.BlockToolResult, ToolUseID: "t", Status: "error",
				Content: []protocol.Block{{Type: protocol.BlockJSON, JSON: raw(`{}`)}, protocol.TextBlock("no")},
			}}},
		},
		Tools:      []protocol.Tool{{Name: "n", Description: "d", InputSchema: raw(`{"type":"object"}`)}, {Name: "m", InputSchema: raw(`{"type":"object"}`)}},
		ToolChoice: &protocol.ToolChoice{Name: "n"},
		Effort:     "low",
		Cache:      true, UploadBytes: 18_000_000,
	}
	for _, choice := range []*protocol.ToolChoice{want.ToolChoice, {Mode: protocol.ToolChoiceAny}, nil} {
		want.ToolChoice = choice
		if err := db.PutInput(ctx, "id", "hash", want, start); err != nil {
			t.Fatal(err)
		}
		if got, err := db.Input(ctx, "id", "hash"); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("Input = %+v, %v\nwant    %+v", got, err, want)
		}
	}
}

func TestChunkOfBlocks(t *testing.T) {
	t.Parallel()
	db := dynamotest.New(t)
	plain := life.ChunkOf(1, []life.Piece{{Kind: life.PieceText, Text: "a"}})
	mixed := life.ChunkOf(2, []life.Piece{{Kind: life.PieceReasoning, Text: "b"}, {Kind: life.PieceText, Text: "c"}})
	for _, chunk := range []life.Chunk{plain, mixed} {
		if err := db.PutChunk(ctx, "id", "owner", chunk, start); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := db.Chunks(ctx, "id", "owner", 0); err != nil || !reflect.DeepEqual(got, []life.Chunk{plain, mixed}) {
		t.Errorf("Chunks = %+v, %v", got, err)
	}
	if _, says := db.Item(t, dynamotest.Tables.Requests, "r#id", "c#owner#00000001")["kinds"]; says {
		t.Error("a chunk of text alone has grown")
	}
}

func TestLargestInputFitsAnItem(t *testing.T) {
	t.Parallel()
	db := dynamotest.New(t)
	escaped := strings.Repeat("\u2028", protocol.MaxBodyBytes/3)
	random := make([]byte, protocol.MaxBodyBytes*3/4)
	_, _ = rand.NewChaCha8([32]byte{}).Read(random) // never fails
	dense := base64.StdEncoding.EncodeToString(random)
	for name, in := range map[string]life.Input{
		"text":  {Messages: []protocol.Message{{Role: "user", Content: escaped}}},
		"dense": {Messages: []protocol.Message{{Role: "user", Content: dense}}},
		"tools": {Tools: []protocol.Tool{{Name: "n", Description: dense}}},
		"image": {Messages: []protocol.Message{{Role: "user", Blocks: []protocol.Block{{Type: protocol.BlockImage, Data: make([]byte, protocol.MaxBodyBytes*3/4)}}}}},
	} {
		if err := db.PutInput(ctx, "id", name, in, start); err != nil {
			t.Fatal(err)
		}
		const itemLimit = 400 << 10
		if size := itemSize(db.Item(t, dynamotest.Tables.Requests, "r#id", "input#"+name)); size > itemLimit || size < protocol.MaxBodyBytes/2 && name != "text" {
			t.Errorf("%s: item of %d bytes", name, size)
		}
	}
}

// itemSize is a lower bound of the size that DynamoDB counts.
func itemSize(item map[string]types.AttributeValue) (size int) {
	for name, v := range item {
		size += len(name) + valueSize(v)
	}
	return size
}

func valueSize(v types.AttributeValue) (size int) {
	switch v := v.(type) {
	case *types.AttributeValueMemberB:
		return len(v.Value)
	case *types.AttributeValueMemberS:
		return len(v.Value)
	case *types.AttributeValueMemberM:
		return itemSize(v.Value)
	case *types.AttributeValueMemberL:
		for _, e := range v.Value {
			size += valueSize(e)
		}
	}
	return size
}

// DynamoDB refuses numbers below 1E-130, and a client may send any from 0 to 1.
func TestNumbersThatDynamoDBRefusesBecomeZero(t *testing.T) {
	t.Parallel()
	db := dynamotest.New(t)
	for sent, want := range map[float64]float64{math.SmallestNonzeroFloat64: 0, 1e-131: 0, 1e-130: 1e-130, 0.7: 0.7} {
		a := admission("u", life.NewRequestID(), func(a *life.Admission) { a.Record.Model.Temperature = &sent })
		if err := admit(t, db, a); err != nil {
			t.Fatal(err)
		}
		item := db.Item(t, dynamotest.Tables.Requests, "u#u", "r#"+a.Record.RequestID)
		model := item["model"].(*types.AttributeValueMemberM)
		got, err := strconv.ParseFloat(model.Value["temperature"].(*types.AttributeValueMemberN).Value, 64)
		if err != nil || got != want {
			t.Errorf("%g is stored as %g, want %g (%v)", sent, got, want, err)
		}
	}
}

func chunk(first int, texts ...string) life.Chunk {
	c := life.Chunk{FirstSeq: first, Text: strings.Join(texts, ""), OutputTokens: int64(first)}
	for _, s := range texts {
		c.Lengths = append(c.Lengths, len(s))
	}
	return c
}

// TestChunks guards rule 10 of docs/life.md.
func TestChunks(t *testing.T) {
	t.Parallel()
	db := dynamotest.New(t)
	all := []life.Chunk{chunk(1, "a", "b"), chunk(3, "c"), chunk(4, "d", "e", "f"), chunk(8, "h")}
	for _, c := range all {
		if err := db.PutChunk(ctx, "id", "me", c, start); err != nil {
			t.Fatal(err)
		}
	}
	for _, other := range []string{"mee", "m", "zombie"} {
		if err := db.PutChunk(ctx, "id", other, chunk(7, "x"), start); err != nil {
			t.Fatal(err)
		}
	}
	tests := []struct {
		name  string
		after int
		want  []life.Chunk
	}{
		{"all up to the gap", -1, all[:3]},
		{"after the start", 0, all[:3]},
		{"within the first", 1, all[:3]},
		{"after the first", 2, all[1:3]},
		{"within the third", 5, all[2:3]},
		{"after the last before the gap", 6, nil},
		{"at the gap", 7, all[3:]},
		{"beyond", 20, nil},
		{"beyond every key", 999_999_998, nil},
		{"beyond every number", math.MaxInt, nil},
	}
	for _, test := range tests {
		got, err := db.Chunks(ctx, "id", "me", test.after)
		if err != nil || !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s: Chunks = %+v, %v, want %+v", test.name, got, err, test.want)
		}
		if got, err := db.Chunks(ctx, "id", "nobody", test.after); err != nil || len(got) > 0 {
			t.Errorf("%s: Chunks of an attempt without a log = %+v, %v", test.name, got, err)
		}
	}
	for _, call := range db.Calls() {
		values, _ := call.Body["ExpressionAttributeValues"].(map[string]any)
		from, _ := values[":from"].(map[string]any)
		to, _ := values[":to"].(map[string]any)
		if call.Operation == "Query" && from["S"].(string) > to["S"].(string) {
			t.Errorf("a range from %v to %v, which DynamoDB refuses", from, to)
		}
	}
}

func TestRecords(t *testing.T) {
	t.Parallel()
	db := dynamotest.New(t)
	a, b := admitted(t, db, "u"), admitted(t, db, "v")
	got, err := db.Records(ctx, []life.Key{a.Key, b.Key, {UserID: "u", RequestID: "none"}})
	if err != nil || len(got) != 2 || got[a.Key].RequestID != a.RequestID || got[b.Key].UserID != "v" {
		t.Errorf("Records = %+v, %v", got, err)
	}
}

func TestConnections(t *testing.T) {
	t.Parallel()
	base := dynamotest.New(t)
	db := base.WithClock(func() time.Time { return start })
	open := life.Connection{UserID: "u", ConnectionID: "a=", ConnectedAt: start, TokenExpires: start.Add(time.Hour), ExpiresAt: start.Add(2 * time.Hour)}
	expired := life.Connection{UserID: "u", ConnectionID: "b=", ConnectedAt: start, ExpiresAt: start.Add(-time.Second)}
	for _, c := range []life.Connection{open, expired} {
		if err := db.PutConnection(ctx, c); err != nil {
			t.Fatal(err)
		}
	}
	list := func() []life.Connection {
		t.Helper()
		got, err := db.Connections(ctx, "u", true)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	if got := list(); len(got) != 1 || got[0].ConnectionID != "a=" || !got[0].TokenExpires.Equal(open.TokenExpires) || !got[0].ConnectedAt.Equal(start) {
		t.Errorf("Connections = %+v", got)
	}
	if err := db.DeleteConnection(ctx, open, start); err != nil || len(list()) != 1 {
		t.Errorf("removed a connection that is too young: %v", err)
	}
	if err := db.DeleteConnection(ctx, open, start.Add(time.Millisecond)); err != nil || len(list()) != 0 {
		t.Errorf("kept a connection that is old enough: %v", err)
	}
	if err := db.DeleteConnection(ctx, open, time.Time{}); err != nil {
		t.Errorf("removing twice: %v", err)
	}
}

// A record expires after its end only; its input and its log from the start, as
// nobody comes back to them.
//
// It guards rule 12 of docs/life.md.
func TestInputAndChunksExpireFromTheStart(t *testing.T) {
	t.Parallel()
	db := dynamotest.New(t)
	expires := start.Add(time.Hour)
	r := admitted(t, db, "u")
	if err := db.PutInput(ctx, r.RequestID, "hash", life.Input{}, expires); err != nil {
		t.Fatal(err)
	}
	if err := db.PutChunk(ctx, r.RequestID, "owner", life.Chunk{FirstSeq: 1, Lengths: []int{1}, Text: "a"}, expires); err != nil {
		t.Fatal(err)
	}
	for place, want := range map[[2]string]int64{
		{"r#" + r.RequestID, "input#hash"}:       expires.Unix(),
		{"r#" + r.RequestID, "c#owner#00000001"}: expires.Unix(),
		{"u#" + r.UserID, "r#" + r.RequestID}:    0,
	} {
		got, _ := db.Item(t, dynamotest.Tables.Requests, place[0], place[1])["expiresAt"].(*types.AttributeValueMemberN)
		if want == 0 && got != nil || want != 0 && (got == nil || got.Value != strconv.FormatInt(want, 10)) {
			t.Errorf("%s expires at %+v, want %d", place[1], got, want)
		}
	}
}
