package e2e_test

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/streaming-service/streaming-service/internal/localcloud/bedrock"
	"github.com/streaming-service/streaming-service/internal/localcloud/localcloudtest"
)

func TestAPromptIsAnswered(t *testing.T) {
	t.Parallel()
	p := newPerson(t, cloud(t))
	first, second := p.dial(), p.dial()
	const prompt, script = "Tell me about the sea", "tokens=150 rate=400 seed=3"
	answer := p.call("POST", "/requests", localcloudtest.Prompt(prompt, script))
	id := accepted(t, answer)
	wantRateLimitHeaders(t, answer, 1)

	got := first.Stream(t, id, patience)
	if used := p.usage(); used.InFlight != 0 || used.Tokens.Used == 0 {
		t.Errorf("usage %+v after the end: it is told before it is settled", used)
	}
	want := bedrock.ScriptedText(prompt, script)
	if got.Text != want {
		t.Errorf("streamed\n%q\nthe model said\n%q", got.Text, want)
	}
	checkShape(t, got, id)
	wantEqualFrames(t, got, second.Stream(t, id, patience))

	read := p.state(id)
	if read.Status != "succeeded" || read.Text != want || read.Attempt != 1 || read.LastSeq != got.End.Seq-1 || read.StopReason != "end_turn" {
		t.Errorf("read %+v", read)
	}
	if read.Usage == nil || read.Usage.OutputTokens != 150 || read.Usage.InputTokens != got.End.Usage.InputTokens || read.Usage.Estimated {
		t.Errorf("read usage %+v, the end frame said %+v", read.Usage, got.End.Usage)
	}
	for _, stamp := range []string{read.CreatedAt, read.UpdatedAt} {
		if when, err := time.Parse(time.RFC3339, stamp); err != nil || when.Location() != time.UTC {
			t.Errorf("time %q: %v, want RFC 3339 in UTC", stamp, err)
		}
	}
	p.wantSettled(1, read.Usage.InputTokens+read.Usage.OutputTokens)
}

// accepted returns the request id of a 202.
func accepted(t *testing.T, answer localcloudtest.Answer) string {
	t.Helper()
	var body struct {
		RequestID, Status string
		Quota             *usage
	}
	if answer.Status != http.StatusAccepted {
		t.Fatalf("submitting: %d %s", answer.Status, answer.Body)
	}
	answer.Decode(t, &body)
	if !regexp.MustCompile(`^[a-z2-7]{26}$`).MatchString(body.RequestID) || body.Status == "" || body.Quota == nil {
		t.Errorf("202 with %s", answer.Body)
	}
	return body.RequestID
}

// wantRateLimitHeaders expects the headers to describe the monthly requests
// after so many were used.
func wantRateLimitHeaders(t *testing.T, answer localcloudtest.Answer, used int) {
	t.Helper()
	limit, errLimit := strconv.Atoi(answer.Header.Get("RateLimit-Limit"))
	remaining, errRemaining := strconv.Atoi(answer.Header.Get("RateLimit-Remaining"))
	reset, errReset := strconv.Atoi(answer.Header.Get("RateLimit-Reset"))
	if errLimit != nil || errRemaining != nil || errReset != nil || remaining != limit-used || reset < 1 || reset > 31*86400 {
		t.Errorf("headers %v: want RateLimit-Limit, RateLimit-Remaining after %d used and RateLimit-Reset", answer.Header, used)
	}
}

// checkShape expects start, deltas and done in their sequence, each within the
// limit of a frame.
func checkShape(t *testing.T, s localcloudtest.Stream, id string) {
	t.Helper()
	for i, frame := range s.Frames {
		want := "delta"
		switch i {
		case 0:
			want = "start"
		case len(s.Frames) - 1:
			want = "done"
		}
		if frame.Type != want || frame.Seq != i || frame.RequestID != id || len(frame.Raw) > 32_768 {
			t.Errorf("frame %d is %s, want a %s", i, frame.Raw, want)
		}
		if want == "delta" && frame.Text == "" {
			t.Errorf("frame %d is an empty delta", i)
		}
	}
	if s.Frames[0].Model == "" || s.End.StopReason == "" || s.End.Usage == nil {
		t.Errorf("start %s, end %s", s.Frames[0].Raw, s.End.Raw)
	}
}

// wantEqualFrames expects two sockets to have received the same bytes.
func wantEqualFrames(t *testing.T, a, b localcloudtest.Stream) {
	t.Helper()
	if len(a.Frames) != len(b.Frames) {
		t.Errorf("%d and %d frames", len(a.Frames), len(b.Frames))
		return
	}
	for i := range a.Frames {
		if a.Frames[i].Raw != b.Frames[i].Raw {
			t.Errorf("frame %d differs:\n%s\n%s", i, a.Frames[i].Raw, b.Frames[i].Raw)
		}
	}
}

func TestParametersReachTheModel(t *testing.T) {
	t.Parallel()
	p := newPerson(t, cloud(t))
	socket := p.dial()
	for _, test := range []struct {
		name       string
		body       map[string]any
		stopReason string
		text       string
	}{
		{"a prompt instead of messages", map[string]any{"prompt": "Hi", "system": `script: rate=0 text="one two"`}, "end_turn", "one two"},
		{"maxTokens", map[string]any{"prompt": "Hi", "system": `script: rate=0 text="a b c d e f"`, "maxTokens": 2}, "max_tokens", ""},
		{"stopSequences", map[string]any{"prompt": "Hi", "system": `script: rate=0 text="one STOP two"`, "stopSequences": []string{"STOP"}}, "stop_sequence", "one "},
		{"a conversation", map[string]any{"messages": []map[string]string{
			{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Yes?"}, {"role": "user", "content": "Go on"},
		}, "system": `script: rate=0 text="on"`, "temperature": 0.5, "topP": 0.9}, "end_turn", "on"},
		{"text that JSON and HTML escape", map[string]any{"prompt": "Hi", "system": `script: rate=0 text="<b>&\"\\ 日本 👩‍🚀"`}, "end_turn", "<b>&\"\\ 日本 👩‍🚀"},
	} {
		got := socket.Stream(t, p.Submit(t, p.token(), test.body), patience)
		if got.End.StopReason != test.stopReason || test.text != "" && got.Text != test.text {
			t.Errorf("%s: %q and %s, want %q and stop reason %s", test.name, got.Text, got.End.Raw, test.text, test.stopReason)
		}
	}
}

func TestAReplayOfAKeyIsNotChargedTwice(t *testing.T) {
	t.Parallel()
	p := newPerson(t, cloud(t))
	socket := p.dial()
	body := localcloudtest.Prompt("Once", "tokens=30 rate=0")
	id := accepted(t, p.call("POST", "/requests", body, "Idempotency-Key", "key-1"))
	socket.Stream(t, id, patience)

	replay := p.call("POST", "/requests", body, "Idempotency-Key", "key-1")
	var again struct{ RequestID, Status string }
	if replay.Decode(t, &again); replay.Status != http.StatusAccepted || again.RequestID != id || again.Status != "succeeded" {
		t.Errorf("replay: %d %s, want 202 with %s succeeded", replay.Status, replay.Body, id)
	}
	wantRateLimitHeaders(t, replay, 1)

	other := p.call("POST", "/requests", localcloudtest.Prompt("Twice", "tokens=30 rate=0"), "Idempotency-Key", "key-1")
	wantProblem(t, other, http.StatusConflict, "idempotency_conflict")

	ids := make([]string, 20)
	together(len(ids), func(i int) {
		ids[i] = p.submit("All at once", "tokens=30 rate=0", "Idempotency-Key", "key-2")
	})
	for _, got := range ids {
		if got != ids[0] {
			t.Errorf("one key gave requests %s and %s", ids[0], got)
		}
	}
	p.await(ids[0], "succeeded")
	if calls := modelCalls(t, p.Harness, ids[0]); calls != 1 {
		t.Errorf("%v model calls for one key", calls)
	}
	if used := p.settled(); used.Requests.Used != 2 {
		t.Errorf("usage %+v, want 2 requests", used)
	}
}

// modelCalls counts the calls of the model for a request.
func modelCalls(t *testing.T, h *localcloudtest.Harness, id string) float64 {
	t.Helper()
	return callsFor(t, h, id)["bedrock-runtime"]["ConverseStream"]
}

// callsFor counts the calls of every service for a request.
func callsFor(t *testing.T, h *localcloudtest.Harness, id string) map[string]map[string]float64 {
	t.Helper()
	var report struct {
		Requests map[string]struct{ Calls map[string]map[string]float64 }
	}
	h.Get(t, "/_local/usage?requests", &report)
	return report.Requests[id].Calls
}

func TestCancel(t *testing.T) {
	t.Parallel()
	p := newPerson(t, cloud(t))
	socket := p.dial()
	t.Run("while streaming", func(t *testing.T) {
		p := p.with(t)
		id := p.submit("A long story", "tokens=5000 rate=50")
		waitForText(t, socket, id)
		begun := time.Now()
		wantCancel(t, p, id)
		end := endOf(t, socket, id)
		if end.Type != "error" || end.Code != "cancelled" || end.Retryable {
			t.Errorf("end %s, want an error cancelled", end.Raw)
		}
		if took := time.Since(begun); took > 5*time.Second {
			t.Errorf("the cancel took %v", took)
		}
		s := p.await(id, "cancelled")
		if s.Text == "" || s.Error == nil || s.Error.Code != "cancelled" || s.Usage == nil || !s.Usage.Estimated {
			t.Errorf("cancelled with %+v", s)
		}
		p.wantSettled(1, s.Usage.InputTokens+s.Usage.OutputTokens)
		wantCancel(t, p, id) // again
	})
	t.Run("over the socket", func(t *testing.T) {
		p := p.with(t)
		id := p.submit("A long story", "tokens=5000 rate=50")
		waitForText(t, socket, id)
		socket.Send(t, map[string]any{"action": "cancel", "requestId": id})
		if end := endOf(t, socket, id); end.Code != "cancelled" {
			t.Errorf("end %s", end.Raw)
		}
		socket.Send(t, map[string]any{"action": "cancel", "requestId": id})
		if again := endOf(t, socket, id); again.Code != "cancelled" {
			t.Errorf("the answer to a second cancel is %s", again.Raw)
		}
	})
	t.Run("when ended", func(t *testing.T) {
		p := p.with(t)
		before := p.settled()
		id := p.submit("Short", "tokens=5 rate=0")
		socket.Stream(t, id, patience)
		wantCancel(t, p, id)
		if s := p.state(id); s.Status != "succeeded" {
			t.Errorf("a request that had ended is now %s", s.Status)
		}
		if used := p.settled(); used.Requests.Used != before.Requests.Used+1 {
			t.Errorf("%d requests used, want %d", used.Requests.Used, before.Requests.Used+1)
		}
	})
}

// A request that waits in the queue is ended at once and costs nothing.
func TestCancelOfAQueuedRequest(t *testing.T) {
	t.Parallel()
	h := brokenCloud(t, drop("processor-mapping"))
	p := newPerson(t, h)
	socket := p.dial()
	id := p.submit("Never asked", "")
	if s := p.state(id); s.Status != "queued" || s.Attempt != 0 || s.LastSeq != -1 || s.Text != "" {
		t.Errorf("queued as %+v", s)
	}
	wantCancel(t, p, id)
	if end := endOf(t, socket, id); end.Code != "cancelled" || end.Attempt != 1 || end.Seq != 0 {
		t.Errorf("end %s, want attempt 1, seq 0", end.Raw)
	}
	if s := p.state(id); s.Status != "cancelled" {
		t.Errorf("cancelled as %+v", s)
	}
	p.wantSettled(0, 0)
}

func wantCancel(t *testing.T, p *person, id string) {
	t.Helper()
	answer := p.call("DELETE", "/requests/"+id, nil)
	var body struct{ RequestID, Status string }
	if answer.Status != http.StatusAccepted {
		t.Fatalf("cancelling: %d %s", answer.Status, answer.Body)
	}
	if answer.Decode(t, &body); body.RequestID != id || body.Status == "" {
		t.Errorf("cancelling: %s", answer.Body)
	}
}

// waitForText reads frames until the request has some text.
func waitForText(t *testing.T, s *localcloudtest.Socket, id string) {
	t.Helper()
	for {
		if frame := s.Next(t, patience); frame.RequestID == id && frame.Type == "delta" {
			return
		}
	}
}

// endOf reads frames until the end of the request.
func endOf(t *testing.T, s *localcloudtest.Socket, id string) localcloudtest.Frame {
	t.Helper()
	for {
		if frame := s.Next(t, patience); frame.RequestID == id && frame.Ends() {
			return frame
		}
	}
}

func TestASocketThatDropsIsResumed(t *testing.T) {
	t.Parallel()
	p := newPerson(t, cloud(t))
	const prompt, script = "A story to interrupt", "tokens=300 rate=150"
	watcher := p.dial()
	id := p.submit(prompt, script)
	waitForText(t, watcher, id)

	r := newReader(id)
	lost := p.dial()
	r.follow(t, lost, func() bool { return r.last >= 3 })
	lost.Close()
	again := p.dial()
	r.follow(t, again, r.complete)
	if want := bedrock.ScriptedText(prompt, script); r.text() != want {
		t.Errorf("resumed\n%q\nthe model said\n%q", r.text(), want)
	}

	late := p.dial()
	late.Send(t, map[string]any{"action": "resume", "requestId": id})
	replay := late.Stream(t, id, patience)
	for _, frame := range replay.Frames {
		r.take(t, frame)
	}
	if len(replay.Frames) != r.last+1 {
		t.Errorf("%d frames replayed of %d", len(replay.Frames), r.last+1)
	}
}

func TestPing(t *testing.T) {
	t.Parallel()
	p := newPerson(t, cloud(t))
	socket := p.dial()
	for range 3 {
		socket.Send(t, map[string]any{"action": "ping"})
		if frame := socket.Next(t, patience); frame.Raw != `{"type":"pong"}` {
			t.Errorf("answer to a ping: %s", frame.Raw)
		}
	}
}

func TestARefreshedTokenWorks(t *testing.T) {
	t.Parallel()
	p := newPerson(t, cloud(t))
	answer := p.Cognito(t, "InitiateAuth", map[string]any{
		"AuthFlow": "REFRESH_TOKEN_AUTH", "AuthParameters": map[string]string{"REFRESH_TOKEN": p.tokens.RefreshToken},
	})
	var result struct{ AuthenticationResult localcloudtest.Tokens }
	if answer.Decode(t, &result); answer.Status != http.StatusOK || result.AuthenticationResult.IDToken == "" {
		t.Fatalf("refreshing: %d %s", answer.Status, answer.Body)
	}
	p.tokens.IDToken = result.AuthenticationResult.IDToken
	socket := p.dial()
	socket.Stream(t, p.submit("Hello", "tokens=5 rate=0"), patience)
}

func TestAForgottenPasswordIsReset(t *testing.T) {
	t.Parallel()
	h := cloud(t)
	p := newPerson(t, h)
	if answer := h.Cognito(t, "ForgotPassword", map[string]any{"Username": p.email}); answer.Status != http.StatusOK {
		t.Fatalf("asking for a code: %d %s", answer.Status, answer.Body)
	}
	var mails []struct{ To, Subject, Code string }
	h.Get(t, "/_local/outbox?to="+url.QueryEscape(p.email), &mails)
	if len(mails) != 2 || mails[1].To != p.email || mails[1].Code == "" {
		t.Fatalf("mails %+v, want that of the sign-up and that of the reset", mails)
	}
	const changed = "Another-horse-2"
	reset := map[string]any{"Username": p.email, "ConfirmationCode": mails[1].Code, "Password": changed}
	if answer := h.Cognito(t, "ConfirmForgotPassword", reset); answer.Status != http.StatusOK {
		t.Fatalf("resetting: %d %s", answer.Status, answer.Body)
	}
	old := h.Cognito(t, "InitiateAuth", map[string]any{
		"AuthFlow": "USER_PASSWORD_AUTH", "AuthParameters": map[string]string{"USERNAME": p.email, "PASSWORD": localcloudtest.Password},
	})
	if old.Status == http.StatusOK {
		t.Error("the old password still works")
	}
	p.tokens = h.SignIn(t, p.email, changed)
	p.wantSettled(0, 0)
}

func TestTheBearerPrefixIsAccepted(t *testing.T) {
	t.Parallel()
	p := newPerson(t, cloud(t))
	for _, prefix := range []string{"Bearer ", "bearer "} {
		if answer := p.Rest(t, prefix+p.token(), "GET", "/usage", nil); answer.Status != http.StatusOK {
			t.Errorf("%s: %d %s", fmt.Sprintf("%q", prefix), answer.Status, answer.Body)
		}
	}
}

// An answer that comes all at once is cut into frames of the allowed size,
// between characters, however much longer JSON makes it.
func TestLongAnswersAreCutBetweenCharacters(t *testing.T) {
	t.Parallel()
	p := newPerson(t, cloud(t))
	socket := p.dial()
	for name, piece := range map[string]string{"emoji": "👩‍🚀", "control characters": "\u0001", "quotes": `"\`, "angle brackets": "<&>", "line separators": "\u2028"} {
		text := strings.Repeat(piece, 36_000/len(piece))
		id := p.submit("At once", "rate=0 text="+strconv.Quote(text))
		got := socket.Stream(t, id, patience)
		if got.Text != text {
			t.Errorf("%s: %d bytes of %d arrived, or others", name, len(got.Text), len(text))
		}
		checkShape(t, got, id)
		if s := p.state(id); s.Text != text {
			t.Errorf("%s: reading gives %d bytes of %d", name, len(s.Text), len(text))
		}
	}
}
