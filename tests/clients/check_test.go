package clients_test

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/streaming-service/streaming-service/internal/localcloud/localcloudtest"
	"github.com/streaming-service/streaming-service/protocol"
)

// patience is how long anything may take on a busy machine.
const patience = time.Minute

// check compares what the client saw with what the service holds.
func (w *world) check(t *testing.T, c client) {
	t.Helper()
	w.checkAnswers(t)
	w.checkTools(t)
	w.checkSeals(t, c)
	if c.models && !slices.Contains(w.result.Models, modelID) {
		t.Errorf("models %q", w.result.Models)
	}
	if w.result.Parameters != nil {
		w.checkParameters(t)
	}
	w.checkFailures(t, c)
	w.checkCalls(t)
	w.checkHangUp(t)
}

func (w *world) checkAnswers(t *testing.T) {
	t.Helper()
	plain, stream := w.result.Plain, w.result.Stream
	want := w.state(t, stream.RequestID)
	if want.Status != "succeeded" || stream.Text != want.Text || stream.Pieces < 2 || stream.ID != "chatcmpl-"+stream.RequestID {
		t.Errorf("streamed %+v, recorded %+v", stream, want)
	}
	if stream.Finish != "stop" || stream.Tokens != want.Usage.InputTokens+want.Usage.OutputTokens || stream.LastChoices != 0 {
		t.Errorf("the stream ended with %+v, recorded is %+v", stream, want)
	}
	want = w.state(t, strings.TrimPrefix(plain.ID, "chatcmpl-"))
	if plain.Text != want.Text || plain.Text == "" || plain.Finish != "stop" || plain.Tokens != want.Usage.InputTokens+want.Usage.OutputTokens {
		t.Errorf("answered %+v, recorded %+v", plain, want)
	}
	if w.result.SecondTurn.Text == "" {
		t.Error("a second turn has no answer")
	}
}

// checkTools compares a use of a tool, and the reasoning before it, with the
// blocks of the record.
func (w *world) checkTools(t *testing.T) {
	t.Helper()
	seen := w.result.Tools
	recorded := w.state(t, strings.TrimPrefix(seen.ID, "chatcmpl-"))
	want := protocol.AnswerOf(protocol.RequestState{Content: recorded.Content})
	if want.Reasoning() == "" || seen.Reasoning != want.Reasoning() || seen.Text != want.Text() {
		t.Errorf("reasoning %q and text %q, recorded %+v", seen.Reasoning, seen.Text, recorded)
	}
	uses := want.ToolUses()
	if len(uses) != 1 || len(seen.Calls) != 1 {
		t.Fatalf("calls %+v, recorded %+v", seen.Calls, uses)
	}
	call := seen.Calls[0]
	if call.ID != uses[0].ToolUseID || call.Name != "get_weather" || call.Arguments != string(uses[0].Input) || !strings.Contains(call.Arguments, `"city"`) {
		t.Errorf("call %+v, recorded %+v", call, uses[0])
	}
	if strings.ReplaceAll(seen.Finish, "-", "_") != "tool_calls" || seen.AnswerFinish != "stop" || seen.Answer == "" {
		t.Errorf("finished with %s, and then with %s after %q", seen.Finish, seen.AnswerFinish, seen.Answer)
	}
	if f := w.result.NotFetched; f != nil && (f.Status != 400 || f.Param != "messages[0].content[0].image_url.url") {
		t.Errorf("an image elsewhere is %+v", f)
	}
}

// checkSeals looks at what the model was asked with the results: its reasoning is
// there as it has sealed it.
func (w *world) checkSeals(t *testing.T, c client) {
	t.Helper()
	if want := fmt.Sprintf("reasoning %q sealed with \"c2lnbmVk\"", w.result.Tools.Reasoning); c.seals && !strings.Contains(w.result.Tools.Answer, want) {
		t.Errorf("the model was asked\n%s\nwithout %s", w.result.Tools.Answer, want)
	}
}

// checkParameters compares what the client can send with what docs/openai.md
// knows of a request. The page is that of the code, which its own test checks.
func (w *world) checkParameters(t *testing.T) {
	t.Helper()
	page, err := os.ReadFile("../../docs/openai.md")
	if err != nil {
		t.Fatal(err)
	}
	var known []string
	for _, row := range regexp.MustCompile("(?m)^\\| `([a-z_]+)` \\| (honoured|ignored|refused) ").FindAllStringSubmatch(string(page), -1) {
		known = append(known, row[1])
	}
	slices.Sort(known)
	if !slices.Equal(known, w.result.Parameters) {
		t.Errorf("docs/openai.md has the parameters\n%q, the client sends\n%q", known, w.result.Parameters)
	}
}

func (w *world) checkFailures(t *testing.T, c client) {
	t.Helper()
	for name, seen := range map[string]struct {
		failure
		status int
		code   string
		words  string // in its message
	}{
		"quota":     {w.result.Quota, 429, "insufficient_quota", "quota"},
		"throttled": {w.result.Throttled, 503, "model_throttled", "busy"},
		"broken":    {w.result.Broken, 0, "model_error", "model"},
		"wrongKey":  {w.result.WrongKey, 401, "invalid_api_key", ""},
		"refused":   {w.result.Refused, 400, "unsupported_parameter", "'n'"},
	} {
		if seen.Class != c.errors[name] && c.errors[name] != "" {
			t.Errorf("%s is a %s: %+v, want a %s", name, seen.Class, seen.failure, c.errors[name])
		}
		if seen.status > 0 && seen.Status != seen.status || seen.Code != seen.code && c.name != "litellm" || !strings.Contains(seen.Message, seen.words) {
			t.Errorf("%s is %+v, want status %d, code %s, and %q in its message", name, seen.failure, seen.status, seen.code, seen.words)
		}
	}
	if w.result.Broken.Text == "" {
		t.Error("of an answer that broke off nothing was read")
	}
}

// checkCalls looks at what went over the wire: nobody repeats what is hopeless,
// and whoever comes too fast waits as long as he is told.
func (w *world) checkCalls(t *testing.T) {
	t.Helper()
	for _, hopeless := range []string{"quota", "wrong"} {
		if calls := w.wire.of(w.asked.Keys[hopeless]); len(calls) != 1 {
			t.Errorf("a call that is hopeless (%s) was made %d times: %+v", hopeless, len(calls), calls)
		}
	}
	calls := w.wire.of(w.asked.Keys["rate"])
	refused := slices.IndexFunc(calls, func(c call) bool { return c.status == 429 })
	if refused < 0 || len(w.result.Rate.Texts) != 2 || slices.Contains(w.result.Rate.Texts, "") {
		t.Errorf("two calls at once: %+v, answered %q", calls, w.result.Rate.Texts)
		return
	}
	told, err := strconv.Atoi(calls[refused].retryAfter)
	if err != nil || told < 1 {
		t.Errorf("told to wait for %q", calls[refused].retryAfter)
	}
	for _, again := range calls[refused+1:] {
		if waited := again.began.Sub(calls[refused].ended); again.began.After(calls[refused].ended) && waited < time.Duration(told)*time.Second {
			t.Errorf("waited for %v, told %d s: %+v", waited, told, calls)
		}
	}
}

// checkHangUp follows a request whose client has gone, over a socket and by its
// id.
func (w *world) checkHangUp(t *testing.T) {
	t.Helper()
	id := w.result.HangUp.RequestID
	socket := w.open.Dial(t, w.token)
	var followed protocol.Assembler
	resume := func() {
		socket.Send(t, map[string]any{"action": "resume", "requestId": id, "attempt": max(followed.Attempt(), 1), "afterSeq": followed.Last()})
	}
	for resume(); followed.End() == nil; {
		frame, err := protocol.DecodeFrame([]byte(socket.Next(t, patience).Raw))
		if err != nil {
			t.Fatal(err)
		}
		if frame.RequestID == id && followed.Apply(frame).Gap {
			time.Sleep(100 * time.Millisecond) // what is missing comes to the log within a second
			resume()
		}
	}
	s := w.state(t, id)
	if end := followed.End(); end.Type != protocol.FrameDone || s.Status != "succeeded" || s.Text != followed.Text() || s.Usage.OutputTokens != 60 {
		t.Errorf("the socket brought %q and %+v, recorded is %+v", followed.Text(), end, s)
	}
}

// state is GET /requests/{requestId}, once the request has ended.
type state struct {
	Status, Text string
	Content      []protocol.Block
	Usage        struct{ InputTokens, OutputTokens int }
}

func (w *world) state(t *testing.T, id string) (s state) {
	t.Helper()
	localcloudtest.Eventually(t, patience, "the request "+id+" ends", func() bool {
		s = state{}
		w.open.Rest(t, w.token, "GET", "/requests/"+id, nil).Decode(t, &s)
		return s.Status == "succeeded" || s.Status == "failed" || s.Status == "cancelled"
	})
	return s
}
