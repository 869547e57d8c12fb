package connection_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/lambdas/internal/relay"
	"github.com/streaming-service/streaming-service/protocol"
)

func TestMessagesThatAreNotUnderstood(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, body string
		binary     bool
	}{
		{name: "empty"},
		{name: "not JSON", body: "hello"},
		{name: "two values", body: `{"action":"ping"}{"action":"ping"}`},
		{name: "null", body: "null"},
		{name: "array", body: `["ping"]`},
		{name: "no action", body: `{}`},
		{name: "unknown action", body: `{"action":"shout","requestId":"x"}`},
		{name: "action is no string", body: `{"action":1}`},
		{name: "resume of nothing", body: `{"action":"resume"}`},
		{name: "cancel of nothing", body: `{"action":"cancel","requestId":""}`},
		{name: "id is no string", body: `{"action":"cancel","requestId":7}`},
		{name: "afterSeq is no number", body: `{"action":"resume","requestId":"x","afterSeq":"1"}`},
		{name: "afterSeq too low", body: `{"action":"resume","requestId":"x","afterSeq":-2}`},
		{name: "attempt too low", body: `{"action":"resume","requestId":"x","attempt":-1}`},
		{name: "binary", body: `{"action":"ping"}`, binary: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w, e := newWorld(), message(tt.body)
			e.IsBase64Encoded = tt.binary
			assertNotice(t, w, e.Body, protocol.CodeInvalidMessage, func() error {
				_, err := w.handler().Handle(t.Context(), e)
				return err
			})
		})
	}
}

// assertNotice checks that handling answers with a notice alone, to the client
// alone, that quotes nothing.
func assertNotice(t *testing.T, w *world, body string, code protocol.Code, handle func() error) {
	t.Helper()
	if err := handle(); err != nil {
		t.Fatal(err)
	}
	if len(w.frames) != 1 || !strings.HasSuffix(w.steps[len(w.steps)-1], "post me=") {
		t.Fatalf("posted %v in %v", w.frames, w.steps)
	}
	var notice map[string]any
	if err := json.Unmarshal([]byte(w.frames[0]), &notice); err != nil {
		t.Fatal(err)
	}
	if len(notice) != 3 || notice["type"] != "error" || notice["code"] != string(code) || notice["message"] == "" {
		t.Errorf("got %s", w.frames[0])
	}
	if len(body) > 12 && strings.Contains(w.frames[0], body[:12]) {
		t.Errorf("the notice quotes the client: %s", w.frames[0])
	}
}

// TestPingKeepsTheRowAndIsAnswered guards rule 11 of docs/life.md.
func TestPingKeepsTheRowAndIsAnswered(t *testing.T) {
	t.Parallel()
	w := newWorld()
	if _, err := w.handler().Handle(t.Context(), message(`{"action":"ping","more":1}`)); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(w.steps, ","); got != "put me=,post me=" || w.frames[0] != `{"type":"pong"}` {
		t.Errorf("%s, %v", got, w.frames)
	}
}

func TestRequestsOfOthersAreNotFound(t *testing.T) {
	t.Parallel()
	for _, action := range []string{"cancel", "resume"} {
		for name, id := range map[string]string{
			"foreign": requestID, "unknown": strings.Repeat("b", 26), "no id of ours": "x", "long": strings.Repeat("x", 5000),
		} {
			t.Run(action+" "+name, func(t *testing.T) {
				t.Parallel()
				w := newWorld()
				foreign := request(protocol.StatusSucceeded, nil)
				foreign.UserID = "somebody else"
				w.records[foreign.Key] = foreign
				body := fmt.Sprintf(`{"action":%q,"requestId":%q}`, action, id)
				assertNotice(t, w, body, protocol.CodeNotFound, func() error {
					_, err := w.handler().Handle(t.Context(), message(body))
					return err
				})
				if asked := len(w.steps) == 3; asked != (len(id) == 26) {
					t.Errorf("steps %v: the store is asked for ids of ours only", w.steps)
				}
			})
		}
	}
}

func TestCancelIsLeftToTheLifeOfTheRequest(t *testing.T) {
	t.Parallel()
	w := newWorld()
	r := request(protocol.StatusQueued, nil)
	w.records[r.Key] = r
	if _, err := w.handler().Handle(t.Context(), message(`{"action":"cancel","requestId":"`+requestID+`"}`)); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(w.steps, ","); got != "put me=,cancel user" {
		t.Errorf("steps %s", got)
	}
}

// TestResume guards rule 5 of docs/life.md.
func TestResume(t *testing.T) {
	t.Parallel()
	const (
		start  = `{"type":"start","requestId":"ID","attempt":2,"seq":0,"model":"model"}`
		delta1 = `{"type":"delta","requestId":"ID","attempt":2,"seq":1,"text":"He"}`
		delta2 = `{"type":"delta","requestId":"ID","attempt":2,"seq":2,"text":"llo "}`
		delta3 = `{"type":"delta","requestId":"ID","attempt":2,"seq":3,"text":"<you>"}`
		done   = `{"type":"done","requestId":"ID","attempt":2,"seq":4,"stopReason":"end_turn","usage":{"inputTokens":1,"outputTokens":2}}`
		failed = `{"type":"error","requestId":"ID","attempt":3,"seq":0,"code":"dead_lettered"`
	)
	ownEnd := func(r *life.Record) { r.EndSeq = 4 }
	otherEnd := func(r *life.Record) { r.Attempt, r.EndSeq, r.ErrorCode = 3, 0, protocol.CodeDeadLettered }
	tests := []struct {
		name   string
		status protocol.Status
		change func(*life.Record)
		have   string // further fields of the client's frame
		want   []string
	}{
		{"ended, nothing at hand", protocol.StatusSucceeded, ownEnd, ``, []string{start, delta1, delta2, delta3, done}},
		{"ended, some at hand", protocol.StatusSucceeded, ownEnd, `,"attempt":2,"afterSeq":1`, []string{delta2, delta3, done}},
		{"ended, within a chunk", protocol.StatusSucceeded, ownEnd, `,"attempt":2,"afterSeq":2`, []string{delta3, done}},
		{"ended, only the start at hand", protocol.StatusSucceeded, ownEnd, `,"attempt":2,"afterSeq":0`, []string{delta1, delta2, delta3, done}},
		{"ended, all but the end at hand", protocol.StatusSucceeded, ownEnd, `,"attempt":2,"afterSeq":3`, []string{done}},
		{"ended, everything at hand", protocol.StatusSucceeded, ownEnd, `,"attempt":2,"afterSeq":4`, []string{done}},
		{"an older attempt at hand", protocol.StatusSucceeded, ownEnd, `,"attempt":1,"afterSeq":9`, []string{start, delta1, delta2, delta3, done}},
		{"streaming", protocol.StatusStreaming, nil, `,"attempt":2,"afterSeq":0`, []string{delta1, delta2, delta3}},
		{"queued", protocol.StatusQueued, func(r *life.Record) { r.Attempt = 0 }, ``, nil},
		{"queued between attempts", protocol.StatusQueued, nil, `,"attempt":2,"afterSeq":1`, nil},
		{"ended by somebody else", protocol.StatusFailed, otherEnd, `,"attempt":2,"afterSeq":1`, []string{failed}},
		{"ended by somebody else, nothing at hand", protocol.StatusFailed, otherEnd, ``, []string{failed}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld()
			r := request(tt.status, tt.change)
			w.records[r.Key] = r
			w.chunks["owner"] = []life.Chunk{
				{FirstSeq: 1, Lengths: []int{2}, Text: "He"},
				{FirstSeq: 2, Lengths: []int{4, 5}, Text: "llo <you>"},
			}
			if _, err := w.handler().Handle(t.Context(), message(`{"action":"resume","requestId":"`+requestID+`"`+tt.have+`}`)); err != nil {
				t.Fatal(err)
			}
			if len(w.frames) != len(tt.want) {
				t.Fatalf("got %v, want %v", w.frames, tt.want)
			}
			for i, want := range tt.want {
				if want = strings.ReplaceAll(want, "ID", requestID); !strings.HasPrefix(w.frames[i], want) {
					t.Errorf("frame %d is %s, want %s", i, w.frames[i], want)
				}
			}
			if w.steps[0] != "put me=" || w.steps[len(w.steps)-1] != "heal "+string(tt.status) {
				t.Errorf("steps %v: the row is kept first, the request healed last", w.steps)
			}
		})
	}
}

func TestResumeMayBeAPrefix(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		deliver func(n int) error
		want    int
		wantErr bool
	}{
		{"long", nil, protocol.MaxReplayFrames, false},
		{"gone", func(n int) error { return errAfter(n, 10, relay.ErrGone) }, 10, false},
		{"slow", func(n int) error { return errAfter(n, 10, relay.ErrSlow) }, 10, false},
		{"refused", func(n int) error { return errAfter(n, 10, errBroken) }, 10, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld()
			w.deliver = tt.deliver
			r := request(protocol.StatusSucceeded, func(r *life.Record) { r.EndSeq = 3001 })
			w.records[r.Key] = r
			chunk := life.Chunk{FirstSeq: 1, Text: strings.Repeat("x", 3000)}
			for range 3000 {
				chunk.Lengths = append(chunk.Lengths, 1)
			}
			w.chunks["owner"] = []life.Chunk{chunk}
			_, err := w.handler().Handle(t.Context(), message(`{"action":"resume","requestId":"`+requestID+`"}`))
			if (err != nil) != tt.wantErr {
				t.Errorf("got %v", err)
			}
			if len(w.frames) != tt.want || strings.Contains(w.frames[len(w.frames)-1], `"done"`) {
				t.Errorf("%d frames, the last %s", len(w.frames), w.frames[len(w.frames)-1])
			}
		})
	}
}

func errAfter(n, limit int, err error) error {
	if n < limit {
		return nil
	}
	return err
}

func TestFailuresOfTheStoreAreErrors(t *testing.T) {
	t.Parallel()
	for _, operation := range []string{"put", "record", "chunks", "cancel", "post"} {
		t.Run(operation, func(t *testing.T) {
			t.Parallel()
			w := newWorld()
			r := request(protocol.StatusSucceeded, nil)
			w.records[r.Key] = r
			w.fail[operation] = errBroken
			action := "resume"
			if operation == "cancel" {
				action = "cancel"
			}
			got, err := w.handler().Handle(t.Context(), message(`{"action":"`+action+`","requestId":"`+requestID+`"}`))
			if err == nil || got.StatusCode != 500 {
				t.Errorf("got %d, %v", got.StatusCode, err)
			}
		})
	}
	t.Run("healing is no condition of an answer", func(t *testing.T) {
		t.Parallel()
		w := newWorld()
		r := request(protocol.StatusSucceeded, nil)
		w.records[r.Key] = r
		w.fail["heal"] = errBroken
		if _, err := w.handler().Handle(t.Context(), message(`{"action":"resume","requestId":"`+requestID+`"}`)); err != nil {
			t.Error(err)
		}
	})
}

func FuzzMessage(f *testing.F) {
	for _, seed := range []string{
		`{"action":"ping"}`, `{"action":"resume","requestId":"` + requestID + `","attempt":1,"afterSeq":3}`,
		`{"action":"cancel","requestId":"x"}`, `[1,2`, "\x00", `{"action":"resume","requestId":"` + requestID + `","afterSeq":1e99}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		w := newWorld()
		r := request(protocol.StatusSucceeded, nil)
		w.records[r.Key] = r
		if _, err := w.handler().Handle(t.Context(), message(body)); err != nil {
			t.Errorf("%q: %v", body, err)
		}
		for _, frame := range w.frames {
			if !json.Valid([]byte(frame)) || len(frame) > protocol.MaxFrameBytes {
				t.Errorf("%q: answered %s", body, frame)
			}
		}
	})
}
