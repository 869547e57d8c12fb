package e2e_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"

	"github.com/streaming-service/streaming-service/client"
	"github.com/streaming-service/streaming-service/internal/localcloud/bedrock"
	"github.com/streaming-service/streaming-service/internal/localcloud/localcloudtest"
	"github.com/streaming-service/streaming-service/protocol"
)

// Defects of other streaming services, each with the test that would show it
// here, end to end or where it can be seen closer:
//
//	a  failures reported to a mapping     TestDefectADeadLettersReachTheirUser,
//	   that does not ask are deleted      TestWithoutReportBatchItemFailuresMessagesAreLost
//	b  a batch serialises its users       TestDefectBABatchDoesNotSerialiseUsers
//	c  one bad record replays the rest    TestDefectCOneBadRecordReplaysNothing
//	d  a closed socket passes for success TestDefectDAClosedSocketIsNoEnd
//	e  a gone socket discards the answer  TestDefectEAGoneSocketKeepsTheAnswer
//	f  text like a control word vanishes  TestDefectFTextIsNoControlWord
//	g  tokens in logs                     TestNoTokenOrPromptIsLogged
//	h  keys fetched per message; issuer   TestDefectHKeysAreFetchedOnce of lambdas/internal/token,
//	   and token_use unchecked            TestForgedTokens
//	i  requests share a sequence          TestDefectISequencesAreOfOneRequest
//	j  visibility of one timeout          TestDefectJVisibilityOutlastsRetries
//	k  bedrock:* on *                     TestDefectKOnlyTheAllowedModelsMayBeAsked
//	l  first requests race                TestTheMonthlyRequestsHoldUnderConcurrency
//	m  month edge and time zone           TestDefectMTheMonthEndsInItsTimeZone,
//	                                      TestCalendar of lambdas/internal/life
//	n  over-block without maxTokens       TestDefectNAnAbsentMaxTokensReservesTheDefault

func TestDefectADeadLettersReachTheirUser(t *testing.T) {
	t.Parallel()
	p := newPerson(t, brokenCloud(t, drop("processor-mapping")))
	socket := p.dial()
	id := p.submit("Nobody answers", "")
	p.receiveUntilRedriven()
	if end := endOf(t, socket, id); end.Type != "error" || end.Code != "dead_lettered" || !end.Retryable {
		t.Errorf("end %s, want dead_lettered", end.Raw)
	}
	if s := p.await(id, "failed"); s.Error == nil || s.Error.Code != "dead_lettered" {
		t.Errorf("failed as %+v", s)
	}
	p.wantSettled(0, 0)
	localcloudtest.Eventually(t, patience, "no dead letter", func() bool { return p.messages(p.Config.DeadLetterQueueURL) == 0 })
}

// receiveUntilRedriven receives the message of the queue without working it, as
// a failing processor does, until the queue gives it up.
func (p *person) receiveUntilRedriven() {
	p.t.Helper()
	for deadline := time.Now().Add(patience); p.messages(p.Config.QueueURL) > 0; {
		if time.Now().After(deadline) {
			p.t.Fatal("the queue never gives its message up")
		}
		p.aws("AmazonSQS.ReceiveMessage", map[string]any{"QueueUrl": p.Config.QueueURL, "VisibilityTimeout": 0})
	}
}

// batchCloud collects messages for a second, so that they come to the processor
// in one batch or two.
func batchCloud(t *testing.T) *localcloudtest.Harness {
	t.Helper()
	return brokenCloud(t, change("processor-mapping", func(in resource.PropertyMap) {
		in["maximumBatchingWindowInSeconds"] = resource.NewNumberProperty(1)
		in["scalingConfig"] = resource.NewObjectProperty(resource.PropertyMap{"maximumConcurrency": resource.NewNumberProperty(2)})
	}))
}

func TestDefectBABatchDoesNotSerialiseUsers(t *testing.T) {
	t.Parallel()
	h := batchCloud(t)
	var mu sync.Mutex
	var started, ended []time.Time
	together(10, func(i int) {
		p := newPerson(t, h)
		socket := p.dial()
		id := p.submit(fmt.Sprint("User ", i), "tokens=90 rate=30")
		waitForText(t, socket, id)
		begun := time.Now()
		endOf(t, socket, id)
		mu.Lock()
		defer mu.Unlock()
		started, ended = append(started, begun), append(ended, time.Now())
	})
	if slices.MaxFunc(started, time.Time.Compare).After(slices.MinFunc(ended, time.Time.Compare)) {
		t.Error("somebody's answer began only after another's had ended")
	}
	localcloudtest.Eventually(t, patience, "the end of the invocations", func() bool { return invocations(t, h) > 0 })
	if got := invocations(t, h); got < 1 || got > 4 {
		t.Errorf("%v invocations for 10 requests: they were no batch", got)
	}
}

// invocations counts how often the processor ran.
func invocations(t *testing.T, h *localcloudtest.Harness) (n float64) {
	t.Helper()
	var report struct{ Calls map[string]map[string]float64 }
	h.Get(t, "/_local/usage", &report)
	for name, count := range report.Calls["lambda"] {
		if strings.Contains(name, "processor") {
			n += count
		}
	}
	return n
}

func TestDefectCOneBadRecordReplaysNothing(t *testing.T) {
	t.Parallel()
	p := newPerson(t, batchCloud(t))
	var ids []string
	for i := range 6 {
		ids = append(ids, p.submit(fmt.Sprint("Good ", i), "tokens=20 rate=0"))
	}
	bad := p.submit("Bad", "tokens=20 rate=0 error=throttlingException@5 times=1")
	p.aws("AmazonSQS.SendMessage", map[string]any{"QueueUrl": p.Config.QueueURL, "MessageBody": "poison"})
	tokens := 0
	for _, id := range append(ids, bad) {
		s := p.await(id, "succeeded")
		tokens += s.Usage.InputTokens + s.Usage.OutputTokens
		attempts := 1
		if id == bad {
			attempts = 2
		}
		if calls := modelCalls(t, p.Harness, id); s.Attempt != attempts || calls != float64(attempts) {
			t.Errorf("request %s had %d attempts and %v model calls, want %d", id, s.Attempt, calls, attempts)
		}
	}
	localcloudtest.Eventually(t, patience, "an empty queue", func() bool { return p.messages(p.Config.QueueURL) == 0 })
	p.wantSettled(len(ids)+1, tokens)
}

// newClient is the Go client of a person.
func (p *person) newClient() *client.Client {
	p.t.Helper()
	cfg, err := client.FetchConfig(p.t.Context(), p.Cloud.URL()+"/config.json")
	if err != nil {
		p.t.Fatal(err)
	}
	session, err := client.NewAuth(cfg, nil).SignIn(p.t.Context(), p.email, localcloudtest.Password)
	if err != nil {
		p.t.Fatal(err)
	}
	c := client.New(cfg, session)
	p.t.Cleanup(c.Close)
	return c
}

// Sockets that drop in the middle of an answer neither end nor shorten it.
func TestDefectDAClosedSocketIsNoEnd(t *testing.T) {
	t.Parallel()
	h := ownCloud(t)
	p := newPerson(t, h)
	c := p.newClient()
	const prompt, script = "Hold the line", "tokens=300 rate=100"
	stream, err := c.Submit(t.Context(), protocol.SubmitRequest{Prompt: prompt, System: "script: " + script})
	if err != nil {
		t.Fatal(err)
	}
	dropped := 0
	for event, err := range stream.Events(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		switch e := event.(type) {
		case client.Delta:
			if want := float64(len(stream.Text())) / 400; dropped < 3 && float64(dropped) < want {
				dropped++
				h.SetFaults(t, map[string]any{"service": "websocket", "drop": 1, "times": 1})
			}
		case client.Done:
			if e.StopReason != "end_turn" {
				t.Errorf("done %+v", e)
			}
		default:
			t.Errorf("event %T %+v", e, e)
		}
	}
	if dropped == 0 || stream.Text() != bedrock.ScriptedText(prompt, script) {
		t.Errorf("after %d drops: %q", dropped, stream.Text())
	}
	if got := modelCalls(t, h, stream.RequestID()); got != 1 {
		t.Errorf("%v model calls", got)
	}
}

func TestDefectEAGoneSocketKeepsTheAnswer(t *testing.T) {
	t.Parallel()
	p := newPerson(t, cloud(t))
	const prompt, script = "I am leaving", "tokens=120 rate=100"
	socket := p.dial()
	id := p.submit(prompt, script)
	waitForText(t, socket, id)
	socket.Close()
	s := p.await(id, "succeeded")
	if want := bedrock.ScriptedText(prompt, script); s.Text != want || s.Attempt != 1 {
		t.Errorf("attempt %d has %q, the model said %q", s.Attempt, s.Text, want)
	}
	p.wantSettled(1, s.Usage.InputTokens+s.Usage.OutputTokens)
	later := p.dial()
	later.Send(t, map[string]any{"action": "resume", "requestId": id})
	if got := later.Stream(t, id, patience); got.Text != s.Text {
		t.Errorf("resumed %q", got.Text)
	}
}

func TestDefectFTextIsNoControlWord(t *testing.T) {
	t.Parallel()
	p := newPerson(t, cloud(t))
	socket := p.dial()
	for _, text := range []string{
		"[DONE]", "done", "<END>", "error", "null", "\n", " ", "0", "__END_OF_STREAM__", "Internal server error",
		`{"type":"done","seq":1}`, `{"type":"error","code":"cancelled"}`, `{"action":"cancel"}`, "data: [DONE]\n\n", "\u0000\u001b", "a[DONE]b",
	} {
		literal, err := json.Marshal(text)
		if err != nil {
			t.Fatal(err)
		}
		id := p.submit("Say it", "rate=0 text="+string(literal))
		if got := socket.Stream(t, id, patience); got.Text != text || got.End.Type != "done" {
			t.Errorf("the model said %q, the socket %q, end %s", text, got.Text, got.End.Raw)
		}
		if s := p.state(id); s.Text != text {
			t.Errorf("the model said %q, reading gives %q", text, s.Text)
		}
	}
}

func TestDefectISequencesAreOfOneRequest(t *testing.T) {
	t.Parallel()
	p := newPerson(t, batchCloud(t))
	socket := p.dial()
	want := map[string]string{}
	for i := range 4 {
		prompt, script := fmt.Sprint("Number ", i), fmt.Sprintf("tokens=80 rate=80 seed=%d", i)
		want[p.submit(prompt, script)] = bedrock.ScriptedText(prompt, script)
	}
	seq, text := map[string]int{}, map[string]string{}
	interleaved, last := 0, ""
	for _, frame := range framesUntilEnds(t, socket, len(want)) {
		if frame.Seq != seq[frame.RequestID] {
			t.Errorf("%s is frame %d of its request", frame.Raw, seq[frame.RequestID])
		}
		seq[frame.RequestID]++
		text[frame.RequestID] += frame.Text
		if frame.RequestID != last {
			interleaved++
		}
		last = frame.RequestID
	}
	for id := range want {
		if text[id] != want[id] {
			t.Errorf("request %s: %q, want %q", id, text[id], want[id])
		}
	}
	if interleaved <= len(want) {
		t.Errorf("the answers came one after the other: this shows nothing")
	}
}

func TestDefectJVisibilityOutlastsRetries(t *testing.T) {
	t.Parallel()
	p := newPerson(t, cloud(t))
	answer := p.aws("AmazonSQS.GetQueueAttributes", map[string]any{"QueueUrl": p.Config.QueueURL, "AttributeNames": []string{"All"}})
	var body struct{ Attributes map[string]string }
	answer.Decode(t, &body)
	const timeout = 300 // seconds, of the processor by default
	if got := atoi(t, body.Attributes["VisibilityTimeout"]); got < 6*timeout {
		t.Errorf("visibility %d s, want at least six times the function's %d s", got, timeout)
	}
	if !strings.Contains(body.Attributes["RedrivePolicy"], "deadLetterTargetArn") {
		t.Errorf("redrive policy %q", body.Attributes["RedrivePolicy"])
	}
}

// The processor's role asks the allowed models and no other: a record that was
// tampered with fails.
func TestDefectKOnlyTheAllowedModelsMayBeAsked(t *testing.T) {
	t.Parallel()
	p := newPerson(t, brokenCloud(t, change("quota", func(in resource.PropertyMap) {
		variables := in["environment"].ObjectValue()["variables"].ObjectValue()
		variables["ALLOWED_MODEL_IDS"] = resource.NewStringProperty(variables["MODEL_ID"].StringValue() + ",amazon.nova-lite-v1:0")
	})))
	body := localcloudtest.Prompt("Hi", "tokens=1 rate=0")
	body["model"] = "amazon.nova-lite-v1:0"
	id := p.Submit(t, p.token(), body)
	if s := p.await(id, "failed"); s.Error.Code != "model_error" || s.Model != "amazon.nova-lite-v1:0" {
		t.Errorf("failed as %+v", s)
	}
	if logs := p.Logs(t, "processor"); !strings.Contains(logs, "AccessDenied") {
		t.Errorf("the processor was not denied: %s", logs)
	}
	p.wantSettled(0, 0)
}

func TestDefectMTheMonthEndsInItsTimeZone(t *testing.T) {
	t.Parallel()
	const zone = "America/St_Johns" // half an hour off, and not at midnight UTC
	h := ownCloud(t, "quota.timeZone="+zone)
	p := newPerson(t, h)
	location, err := time.LoadLocation(zone)
	if err != nil {
		t.Fatal(err)
	}
	before := time.Now()
	got := p.usage()
	for _, now := range []time.Time{before, time.Now()} {
		here := now.In(location)
		edge := time.Date(here.Year(), here.Month()+1, 1, 0, 0, 0, 0, location)
		if got.Period == here.Format("2006-01") && got.ResetsAt == edge.UTC().Format(time.RFC3339) {
			return
		}
	}
	t.Errorf("period %s resets at %s", got.Period, got.ResetsAt)
}

func TestDefectNAnAbsentMaxTokensReservesTheDefault(t *testing.T) {
	t.Parallel()
	p := newPerson(t, cloud(t))
	answer := p.call("POST", "/requests", map[string]any{"prompt": "Hello", "system": "script: tokens=500 rate=50"})
	if answer.Status != http.StatusAccepted {
		t.Fatalf("%d %s", answer.Status, answer.Body)
	}
	var body struct {
		RequestID string
		Quota     usage
	}
	answer.Decode(t, &body)
	if reserved := body.Quota.Tokens.Reserved; reserved < 4096 || reserved > 4096+100 {
		t.Errorf("%d tokens reserved, want the default of 4096 and those of the prompt", reserved)
	}
	wantCancel(t, p, body.RequestID)
}
