package e2e_test

import (
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/streaming-service/streaming-service/internal/localcloud/localcloudtest"
	metered "github.com/streaming-service/streaming-service/internal/localcloud/usage"
)

// docs/life.md states these figures:
//
//	go test ./tests/e2e -run TestWhatACompletionUses -v
//
// A streamed completion and a request by the queue ask the same and are
// answered the same, with one socket open. What only polls is left out.
func TestWhatACompletionUses(t *testing.T) {
	t.Parallel()
	o := options("queue.sweepIntervalMinutes=0")
	o.FunctionEnv = map[string]string{"LEASE_SECONDS": "3"} // the message that stands by comes after 9 s, not after 36
	p := newPerson(t, localcloudtest.Start(t, o))
	p.dial()
	const prompt, script = "How much is it?", "tokens=40 rate=200"
	viaQueue := func() { p.await(p.submit(prompt, script), "succeeded") }
	viaCompletions := func() {
		c := p.complete(localcloudtest.Chat(prompt, script, true)).Read(t)
		if c.Status != http.StatusOK || !c.Done {
			t.Fatalf("got %+v", c)
		}
	}
	queue, completion := p.uses(viaQueue), p.uses(viaCompletions)
	t.Logf("%-32s %10s %10s", "", "queue", "completion")
	for _, what := range []string{
		metered.WriteUnits, "sqs.SendMessage", "sqs.ChangeMessageVisibility",
		"lambda.invocations of completions", "lambda.invocations of processor", "lambda.invocations of authorizer", metered.ModelCalls,
	} {
		t.Logf("%-32s %10g %10g", what, queue[what], completion[what])
	}
	if completion[metered.ModelCalls] != 1 || completion["sqs.SendMessage"] != 1 || completion["lambda.invocations of processor"] != 1 {
		t.Errorf("a completion is asked for and stood by for once: %v", completion)
	}
	if more := completion[metered.WriteUnits] - queue[metered.WriteUnits]; more > 1 {
		t.Errorf("a completion writes %g units more", more)
	}
}

// uses is what a request uses, until its messages are gone.
func (p *person) uses(ask func()) map[string]float64 {
	p.t.Helper()
	before := p.counts()
	ask()
	p.settled()
	localcloudtest.Eventually(p.t, patience, "the end of its messages", func() bool {
		return p.counts()["lambda.invocations of processor"] > before["lambda.invocations of processor"]
	})
	time.Sleep(time.Second) // what the last invocation still does
	after := p.counts()
	for what, n := range before {
		after[what] -= n
	}
	return after
}

// counts is what the cloud has counted so far.
func (p *person) counts() map[string]float64 {
	p.t.Helper()
	var report metered.Report
	p.Get(p.t, "/_local/usage", &report)
	counts := maps.Clone(report.Counters)
	for operation, n := range report.Calls["sqs"] {
		counts["sqs."+operation] = n
	}
	for function, n := range report.Calls["lambda"] {
		for _, name := range []string{"authorizer", "completions", "processor"} {
			if strings.Contains(function, name) {
				counts["lambda.invocations of "+name] = n
			}
		}
	}
	return counts
}
