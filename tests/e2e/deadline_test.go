package e2e_test

import (
	"strings"
	"testing"
	"time"

	"github.com/streaming-service/streaming-service/internal/localcloud/bedrock"
	"github.com/streaming-service/streaming-service/internal/localcloud/localcloudtest"
)

// An answer that never stops was once run up to the deadline of four attempts,
// and then refunded.
func TestAnEndlessAnswerEndsAtTheDeadlineAndIsCharged(t *testing.T) {
	t.Parallel()
	p := newPerson(t, ownCloud(t, "functions.timeout=30", "model.maxTokens=100000"))
	first, second := p.dial(), p.dial()
	const prompt, script = "Go on for ever", "tokens=100000 rate=50"
	begun := time.Now()
	id := p.submit(prompt, script)
	got := first.Stream(t, id, patience)
	if took := time.Since(begun); took < 20*time.Second {
		t.Errorf("ended after %v, with 30 s to go", took)
	}
	if got.End.Type != "done" || got.End.StopReason != "deadline" || got.End.Attempt != 1 || !got.End.Usage.Estimated {
		t.Errorf("ended with %s", got.End.Raw)
	}
	if got.Text == "" || !strings.HasPrefix(bedrock.ScriptedText(prompt, script), got.Text) {
		t.Errorf("streamed %q", got.Text)
	}
	checkShape(t, got, id)
	wantEqualFrames(t, got, second.Stream(t, id, patience))
	s := p.state(id)
	if s.Status != "succeeded" || s.Text != got.Text || s.StopReason != "deadline" || s.Usage == nil || s.Usage.OutputTokens != (len(s.Text)+3)/4 {
		t.Errorf("read %+v", s)
	}
	p.wantSettled(1, s.Usage.InputTokens+s.Usage.OutputTokens)
	if calls := modelCalls(t, p.Harness, id); calls != 1 {
		t.Errorf("%v model calls", calls)
	}
}

// A request that has ended once came back if others of its batch still ran, with
// an invocation, a claim, a settlement and an end frame.
func TestAShortAnswerDoesNotComeBackWhileItsBatchRuns(t *testing.T) {
	t.Parallel()
	o := options("queue.maximumConcurrency=2", "queue.batchSize=10")
	o.FunctionEnv = map[string]string{"LEASE_SECONDS": "3"}
	p := newPerson(t, localcloudtest.Start(t, o))
	socket := p.dial()
	// Both processes are busy, so that what comes now waits for them together.
	for range 2 {
		waitForText(t, socket, p.submit("Wait", "tokens=150 rate=30"))
	}
	short := p.submit("Short", "tokens=10 rate=0")
	long := p.submit("Long", "tokens=600 rate=30")
	p.await(short, "succeeded")
	s := p.await(long, "succeeded")
	if s.Attempt != 1 || s.Text != bedrock.ScriptedText("Long", "tokens=600 rate=30") {
		t.Errorf("read %+v", s)
	}
	ends := 0
	for ended := false; !ended; {
		frame := socket.Next(t, patience)
		if frame.RequestID == short && frame.Ends() {
			ends++
		}
		ended = frame.RequestID == long && frame.Ends()
	}
	if ends != 1 {
		t.Errorf("the end of the short answer was posted %d times", ends)
	}
	localcloudtest.Eventually(t, patience, "the end of the invocations", func() bool { return invocations(t, p.Harness) >= 3 })
	if n := invocations(t, p.Harness); n > 4 {
		t.Errorf("%v invocations for 4 requests", n)
	}
	calls := callsFor(t, p.Harness, short)
	t.Logf("calls for the short answer: %v", calls)
	if calls["sqs"]["DeleteMessage"] != 1 || calls["dynamodb"]["UpdateItem"] > 5 {
		t.Errorf("calls for the short answer: %v", calls)
	}
}
