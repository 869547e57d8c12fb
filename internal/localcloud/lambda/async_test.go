package lambda_test

import (
	"testing"
	"time"

	"github.com/streaming-service/streaming-service/internal/localcloud/lambda"
)

// failing is a service whose rule r invokes a function that fails, and what was
// worked.
func failing(t *testing.T, change ...func(*lambda.Options)) (*lambda.Service, chan lambda.Invocation) {
	t.Helper()
	worked := make(chan lambda.Invocation, 8)
	s := newService(t, append(change, func(o *lambda.Options) {
		o.Meter = func(i lambda.Invocation) { worked <- i }
		o.RetryDelays = []time.Duration{time.Millisecond, time.Millisecond}
	})...)
	function := newFunction(t, s)
	rule, err := s.PutRule(lambda.RuleSpec{Name: "r", ScheduleExpression: "rate(1 hour)"})
	if err == nil {
		err = s.PutTarget("r", lambda.Target{ID: "t", ARN: function, Input: `{"do":"fail","text":"x"}`})
	}
	if err == nil {
		err = s.AddPermission("f", lambda.Permission{StatementID: "events", Principal: "events.amazonaws.com", SourceARN: rule})
	}
	if err != nil {
		t.Fatal(err)
	}
	return s, worked
}

// attempts counts the invocations until none has come for a while.
func attempts(worked chan lambda.Invocation) (n int) {
	for {
		select {
		case <-worked:
			n++
		case <-time.After(300 * time.Millisecond):
			return n
		}
	}
}

func TestEventInvokeConfigBoundsTheAttempts(t *testing.T) {
	t.Parallel()
	s, worked := failing(t)
	run := func(want int) {
		t.Helper()
		if err := s.RunRule("r"); err != nil {
			t.Fatal(err)
		}
		for range want {
			<-worked
		}
		if more := attempts(worked); more != 0 {
			t.Errorf("%d attempts more than %d", more, want)
		}
	}
	for _, retries := range []int{0, 1, 2} {
		if err := s.PutEventInvokeConfig("f", lambda.EventInvokeConfig{MaximumRetryAttempts: retries, MaximumEventAge: time.Minute}); err != nil {
			t.Fatal(err)
		}
		run(1 + retries)
	}
	if err := s.DeleteEventInvokeConfig("f"); err != nil {
		t.Fatal(err)
	}
	run(3)
}

// What Lambda could not hand to the function is no attempt of it.
func TestThrottledEventsAreKept(t *testing.T) {
	t.Parallel()
	s, worked := failing(t)
	config := lambda.EventInvokeConfig{MaximumRetryAttempts: 0, MaximumEventAge: time.Minute}
	if err := s.PutEventInvokeConfig("f", config); err != nil {
		t.Fatal(err)
	}
	spec := newSpec(func(spec *lambda.Spec) { spec.Reserved = new(0) })
	if err := s.UpdateFunction(spec); err != nil {
		t.Fatal(err)
	}
	if err := s.RunRule("r"); err != nil {
		t.Fatal(err)
	}
	if n := attempts(worked); n != 0 {
		t.Fatalf("%d attempts without concurrency", n)
	}
	spec.Reserved = nil
	if err := s.UpdateFunction(spec); err != nil {
		t.Fatal(err)
	}
	if i := <-worked; i.Error == "" {
		t.Errorf("invocation = %+v", i)
	}
}

func TestEventInvokeConfigIsChecked(t *testing.T) {
	t.Parallel()
	s := newService(t)
	newFunction(t, s)
	for name, test := range map[string]struct {
		function string
		config   lambda.EventInvokeConfig
		want     string
	}{
		"retries":          {"f", lambda.EventInvokeConfig{MaximumRetryAttempts: 3, MaximumEventAge: time.Minute}, "InvalidParameterValueException"},
		"negative retries": {"f", lambda.EventInvokeConfig{MaximumRetryAttempts: -1, MaximumEventAge: time.Minute}, "InvalidParameterValueException"},
		"age":              {"f", lambda.EventInvokeConfig{MaximumEventAge: 59 * time.Second}, "InvalidParameterValueException"},
		"long age":         {"f", lambda.EventInvokeConfig{MaximumEventAge: 7 * time.Hour}, "InvalidParameterValueException"},
		"function":         {"g", lambda.EventInvokeConfig{MaximumEventAge: time.Hour}, "ResourceNotFoundException"},
	} {
		if err := s.PutEventInvokeConfig(test.function, test.config); codeOf(err) != test.want {
			t.Errorf("%s: %v, want %s", name, err, test.want)
		}
	}
}
