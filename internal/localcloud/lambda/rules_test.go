package lambda_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/streaming-service/streaming-service/internal/localcloud/lambda"
)

func TestRuleRunsAtItsRate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var runs []string
		begun := time.Now()
		rules := lambda.NewRules(func(arn string, target lambda.Target, event []byte) error {
			runs = append(runs, fmt.Sprint(time.Since(begun), " ", arn, " ", target.ID, " ", string(event)))
			return nil
		})
		arn, err := rules.PutRule(lambda.RuleSpec{Name: "sweep", ScheduleExpression: "rate(5 minutes)"})
		if err != nil {
			t.Fatal(err)
		}
		if err := rules.PutTarget("sweep", lambda.Target{ID: "t", ARN: lambda.FunctionARN("f"), Input: `{"sweep":true}`}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(11 * time.Minute)
		rules.Close()
		time.Sleep(time.Hour)
		want := fmt.Sprintf("[5m0s %s t {\"sweep\":true} 10m0s %s t {\"sweep\":true}]", arn, arn)
		if got := fmt.Sprint(runs); got != want {
			t.Errorf("runs = %s, want %s", got, want)
		}
	})
}

func TestDisabledRuleRunsOnlyWhenAsked(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var events [][]byte
		rules := lambda.NewRules(func(_ string, _ lambda.Target, event []byte) error {
			events = append(events, event)
			return nil
		})
		defer rules.Close()
		arn, err := rules.PutRule(lambda.RuleSpec{Name: "r", ScheduleExpression: "rate(1 minute)", Disabled: true})
		if err != nil {
			t.Fatal(err)
		}
		if err := rules.PutTarget("r", lambda.Target{ID: "t", ARN: lambda.FunctionARN("f")}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Minute)
		if len(events) != 0 {
			t.Errorf("%d runs of a disabled rule", len(events))
		}
		if err := rules.RunRule("r"); err != nil || len(events) != 1 {
			t.Fatalf("%v, %d runs", err, len(events))
		}
		var event struct {
			Source    string   `json:"source"`
			Kind      string   `json:"detail-type"`
			Resources []string `json:"resources"`
		}
		if err := json.Unmarshal(events[0], &event); err != nil || event.Source != "aws.events" || event.Kind != "Scheduled Event" || event.Resources[0] != arn {
			t.Errorf("event %s: %v", events[0], err)
		}
	})
}

func TestRulesRefuse(t *testing.T) {
	t.Parallel()
	rules := lambda.NewRules(func(string, lambda.Target, []byte) error { return nil })
	defer rules.Close()
	if _, err := rules.PutRule(lambda.RuleSpec{Name: "r", ScheduleExpression: "cron(0 12 * * ? *)"}); err == nil || !strings.Contains(err.Error(), "rate(...)") {
		t.Errorf("cron: %v", err)
	}
	if _, err := rules.PutRule(lambda.RuleSpec{Name: "r", ScheduleExpression: "rate(1 minute)"}); err != nil {
		t.Fatal(err)
	}
	target := lambda.Target{ID: "t", ARN: lambda.FunctionARN("f")}
	tests := []struct {
		name string
		do   func() error
		want string
	}{
		{"target of no rule", func() error { return rules.PutTarget("x", target) }, "ResourceNotFoundException"},
		{"bad input", func() error { return rules.PutTarget("r", lambda.Target{ID: "t", ARN: target.ARN, Input: "{"}) }, "ValidationException"},
		{"not a function", func() error { return rules.PutTarget("r", lambda.Target{ID: "t", ARN: queueARN}) }, "ValidationException"},
		{"target", func() error { return rules.PutTarget("r", target) }, "<nil>"},
		{"rule with targets", func() error { return rules.DeleteRule("r") }, "ValidationException"},
		{"remove target", func() error { return rules.RemoveTarget("r", "t") }, "<nil>"},
		{"delete rule", func() error { return rules.DeleteRule("r") }, "<nil>"},
		{"run deleted rule", func() error { return rules.RunRule("r") }, "ResourceNotFoundException"},
	}
	for _, test := range tests {
		if err := test.do(); codeOf(err) != test.want {
			t.Errorf("%s: %v, want %s", test.name, err, test.want)
		}
	}
}

func TestRuleInvokesItsFunctionWithPermission(t *testing.T) {
	t.Parallel()
	worked := make(chan lambda.Invocation, 8)
	s := newService(t, func(o *lambda.Options) {
		o.Meter = func(i lambda.Invocation) { worked <- i }
		o.RetryDelays = []time.Duration{time.Millisecond, time.Millisecond}
	})
	function := newFunction(t, s)
	rule, err := s.PutRule(lambda.RuleSpec{Name: "r", ScheduleExpression: "rate(1 hour)"})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.PutTarget("r", lambda.Target{ID: "t", ARN: function, Input: `{"do":"fail","text":"x"}`}); err != nil {
		t.Fatal(err)
	}
	if err := s.RunRule("r"); codeOf(err) != "AccessDeniedException" {
		t.Errorf("without permission: %v", err)
	}
	if err := s.AddPermission("f", lambda.Permission{StatementID: "events", Principal: "events.amazonaws.com", SourceARN: rule}); err != nil {
		t.Fatal(err)
	}
	if err := s.RunRule("r"); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if i := <-worked; i.Error == "" {
			t.Errorf("invocation = %+v", i)
		}
	}
	select {
	case i := <-worked:
		t.Errorf("a fourth attempt: %+v", i)
	case <-time.After(100 * time.Millisecond):
	}
}
