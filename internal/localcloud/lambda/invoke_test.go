package lambda_test

import (
	"context"
	"errors"
	"net/http"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
	"github.com/streaming-service/streaming-service/internal/localcloud/lambda"
)

func TestInvokeReturnsTheHandlersResult(t *testing.T) {
	t.Parallel()
	s := newService(t)
	newFunction(t, s)
	if got := string(invoke(t, s, `{"do":"echo","text":"grüß dich"}`).Payload); got != `"grüß dich"` {
		t.Errorf("payload = %s", got)
	}
}

func TestHandlerErrorKeepsTheEnvironment(t *testing.T) {
	t.Parallel()
	s := newService(t)
	newFunction(t, s)
	before := describe(t, s)
	if f := failureOf(t, invoke(t, s, `{"do":"fail","text":"no luck"}`)); f.ErrorMessage != "no luck" || f.ErrorType != "errorString" {
		t.Errorf("failure = %+v", f)
	}
	if after := describe(t, s); after.PID != before.PID || after.Calls != 3 {
		t.Errorf("before %+v, after %+v: want the same process at its third call", before, after)
	}
}

func TestEnvironmentIsReplacedAfterAnEnd(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, event string
		timeout     int // seconds
		wantType    string
		wantMessage string
	}{
		{"panic", `{"do":"panic","text":"ouch"}`, 30, "string", "ouch"},
		{"exit", `{"do":"exit"}`, 30, "Runtime.ExitError", "Error: Runtime exited with error: exit status 7"},
		{"time-out", `{"do":"sleep","ms":60000}`, 3, "Sandbox.Timedout", "Error: Task timed out after 3.00 seconds"},
		{"large response", `{"do":"big","size":6291557}`, 30, "Function.ResponseSizeTooLarge", "Response payload size exceeded"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newService(t)
			newFunction(t, s, func(spec *lambda.Spec) { spec.Timeout = test.timeout })
			before := describe(t, s)
			f := failureOf(t, invoke(t, s, test.event))
			if f.ErrorType != test.wantType || !strings.Contains(f.ErrorMessage, test.wantMessage) {
				t.Errorf("failure = %+v, want %s %q", f, test.wantType, test.wantMessage)
			}
			if after := describe(t, s); after.PID == before.PID || after.Calls != 1 {
				t.Errorf("the process lives on: %+v", after)
			}
			if !gone(before.PID) {
				t.Errorf("process %d was left behind", before.PID)
			}
		})
	}
}

func TestFailingStart(t *testing.T) {
	t.Parallel()
	s := newService(t)
	newFunction(t, s, func(spec *lambda.Spec) { spec.Environment = map[string]string{"ON_START": "exit"} })
	if f := failureOf(t, invoke(t, s, `{}`)); f.ErrorType != "Runtime.ExitError" || !strings.HasSuffix(f.ErrorMessage, "exit status 3") {
		t.Errorf("failure = %+v", f)
	}
}

// TestAnEndedEnvironmentIsNotWaitedFor: who waits for an environment that has
// answered and then ends, instead of asking for more, gets another at once.
func TestAnEndedEnvironmentIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	s := newService(t)
	s.WaitForFinishing(2 * time.Minute)
	newFunction(t, s)
	invoke(t, s, `{"do":"panic","text":"ouch"}`)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if _, err := s.Invoke(ctx, "f", []byte(`{}`)); err != nil {
		t.Error(err)
	}
}

func TestProcessSeesLambdasEnvironmentOnly(t *testing.T) {
	t.Setenv("SECRET_OF_THE_HOST", "x")
	s := newService(t, func(o *lambda.Options) {
		o.EndpointURL = func() string { return "http://127.0.0.1:1" }
		o.Credentials = func(role string) (string, string, string) { return "id-of-" + role[len(role)-1:], "secret", "token" }
	})
	arn := newFunction(t, s, func(spec *lambda.Spec) {
		spec.Environment = map[string]string{"TABLE": "t"}
		spec.MemorySize = 256
		spec.Logging = lambda.Logging{Format: "JSON", Group: "/group"}
	})
	d := describe(t, s)
	for _, want := range []string{
		"TABLE=t", "AWS_REGION=us-east-1", "AWS_DEFAULT_REGION=us-east-1", "AWS_ENDPOINT_URL=http://127.0.0.1:1",
		"AWS_ACCESS_KEY_ID=id-of-r", "AWS_SECRET_ACCESS_KEY=secret", "AWS_SESSION_TOKEN=token",
		"AWS_LAMBDA_FUNCTION_NAME=f", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE=256", "AWS_LAMBDA_FUNCTION_VERSION=$LATEST",
		"AWS_LAMBDA_LOG_GROUP_NAME=/group", "AWS_LAMBDA_LOG_FORMAT=JSON",
	} {
		if !slices.Contains(d.Environment, want) {
			t.Errorf("environment lacks %s", want)
		}
	}
	for _, variable := range d.Environment {
		if name, _, _ := strings.Cut(variable, "="); slices.Contains([]string{"SECRET_OF_THE_HOST", "HOME", "GOPATH", "USER"}, name) {
			t.Errorf("environment has the host's %s", name)
		}
	}
	if d.ARN != arn || d.Left < 29_000 || d.Left > 30_000 || d.RequestID == "" || !strings.HasPrefix(d.Trace, "Root=1-") {
		t.Errorf("context = %+v", d)
	}
}

func TestConcurrency(t *testing.T) {
	t.Parallel()
	one := 1
	tests := []struct {
		name    string
		account int
		spec    func(*lambda.Spec)
		reason  string
	}{
		{"reserved", 1000, func(s *lambda.Spec) { s.Reserved = &one }, "ReservedFunctionConcurrentInvocationLimitExceeded"},
		{"account", 1, func(*lambda.Spec) {}, "ConcurrentInvocationLimitExceeded"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newService(t, func(o *lambda.Options) { o.Concurrency = test.account })
			newFunction(t, s, test.spec)
			var running sync.WaitGroup
			running.Go(func() { invoke(t, s, `{"do":"sleep","ms":1000}`) })
			time.Sleep(100 * time.Millisecond)
			_, err := s.Invoke(context.Background(), "f", []byte(`{}`))
			if e, ok := errors.AsType[*awsapi.Error](err); !ok || e.Code != "TooManyRequestsException" || e.Status != http.StatusTooManyRequests || e.Members["Reason"] != test.reason {
				t.Errorf("second call: %v", err)
			}
			running.Wait()
			invoke(t, s, `{}`)
		})
	}
}

func TestReservedZeroTurnsTheFunctionOff(t *testing.T) {
	t.Parallel()
	s := newService(t)
	zero := 0
	newFunction(t, s, func(spec *lambda.Spec) { spec.Reserved = &zero })
	if _, err := s.Invoke(context.Background(), "f", nil); codeOf(err) != "TooManyRequestsException" {
		t.Errorf("err = %v", err)
	}
}

func TestSequentialCallsReuseOneEnvironment(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	cold, count := 0, 0
	s := newService(t, func(o *lambda.Options) {
		o.Meter = func(i lambda.Invocation) {
			mu.Lock()
			defer mu.Unlock()
			count++
			if i.Cold {
				cold++
			}
			if i.GBSeconds <= 0 || i.Function != "f" || i.Cold != (i.Init > 0) || runtime.GOOS == "linux" && i.MaxMemory == 0 {
				t.Errorf("invocation = %+v", i)
			}
		}
	})
	newFunction(t, s)
	for range 50 {
		invoke(t, s, `{"do":"echo"}`)
	}
	s.Close()
	if cold != 1 || count != 50 {
		t.Errorf("%d cold starts in %d invocations, want 1 in 50", cold, count)
	}
}

func TestConcurrentCallsHaveTheirOwnEnvironments(t *testing.T) {
	t.Parallel()
	var cold atomic.Int32
	s := newService(t, func(o *lambda.Options) {
		o.Meter = func(i lambda.Invocation) {
			if i.Cold {
				cold.Add(1)
			}
		}
	})
	newFunction(t, s)
	var running sync.WaitGroup
	for range 4 {
		running.Go(func() { invoke(t, s, `{"do":"sleep","ms":1000}`) })
	}
	running.Wait()
	s.Close()
	if got := cold.Load(); got != 4 {
		t.Errorf("%d cold starts for 4 calls at once", got)
	}
}

func TestIdleEnvironmentsEnd(t *testing.T) {
	t.Parallel()
	s := newService(t, func(o *lambda.Options) { o.IdleTimeout = 50 * time.Millisecond })
	newFunction(t, s)
	d := describe(t, s)
	if !gone(d.PID) {
		t.Error("the idle process lives")
	}
	if after := describe(t, s); after.PID == d.PID {
		t.Error("a dead process answered")
	}
}

func TestUpdateStartsNewEnvironments(t *testing.T) {
	t.Parallel()
	s := newService(t)
	newFunction(t, s)
	before := describe(t, s)
	spec := lambda.Spec{Name: "f", ZipPath: functionZip, Runtime: "provided.al2023", Environment: map[string]string{"VERSION": "2"}}
	if err := s.UpdateFunction(spec); err != nil {
		t.Fatal(err)
	}
	after := describe(t, s)
	if after.PID == before.PID || !slices.Contains(after.Environment, "VERSION=2") {
		t.Errorf("after the update: %+v", after)
	}
	if err := s.DeleteFunction("f"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Invoke(context.Background(), "f", nil); codeOf(err) != "ResourceNotFoundException" {
		t.Errorf("err = %v", err)
	}
}

func TestCloseLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	s := newService(t)
	newFunction(t, s)
	d := describe(t, s)
	child, err := strconv.Atoi(string(invoke(t, s, `{"do":"child"}`).Payload))
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		result, err := s.Invoke(context.Background(), "f", []byte(`{"do":"sleep","ms":60000}`))
		if err == nil && result.FunctionError == "" {
			t.Error("the cut invocation succeeded")
		}
		done <- err
	}()
	time.Sleep(50 * time.Millisecond)
	begun := time.Now()
	s.Close()
	if took := time.Since(begun); took > time.Second {
		t.Errorf("Close took %v", took)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	if !gone(d.PID) || !gone(child) {
		t.Errorf("process %d or its child %d is left", d.PID, child)
	}
	if _, err := s.Invoke(context.Background(), "f", nil); err == nil {
		t.Error("a closed service took a call")
	}
}

func TestInvokeRefusesPayloads(t *testing.T) {
	t.Parallel()
	s := newService(t)
	newFunction(t, s)
	tests := []struct {
		name, payload, want string
	}{
		{"not JSON", "{", "InvalidRequestContentException"},
		{"over 6 MB", `"` + strings.Repeat("x", 6<<20) + `"`, "RequestTooLargeException"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if _, err := s.Invoke(context.Background(), "f", []byte(test.payload)); codeOf(err) != test.want {
				t.Errorf("err = %v, want %s", err, test.want)
			}
		})
	}
	if got := len(invoke(t, s, `{"do":"big","size":6291000}`).Payload); got != 6291002 {
		t.Errorf("%d bytes of a response just below the limit", got)
	}
}

func TestInvokeAsNeedsAPermission(t *testing.T) {
	t.Parallel()
	s := newService(t)
	arn := newFunction(t, s)
	if err := s.AddPermission("f", lambda.Permission{StatementID: "api", Principal: "apigateway.amazonaws.com", SourceARN: "arn:aws:execute-api:us-east-1:000000000000:api1/*/POST/requests"}); err != nil {
		t.Fatal(err)
	}
	if err := s.AddPermission(arn, lambda.Permission{StatementID: "api", Principal: "x"}); codeOf(err) != "ResourceConflictException" {
		t.Errorf("second statement of the same id: %v", err)
	}
	const source = "arn:aws:execute-api:us-east-1:000000000000:"
	tests := []struct{ name, principal, source, want string }{
		{"match", "apigateway.amazonaws.com", source + "api1/v1/POST/requests", "<nil>"},
		{"other method", "apigateway.amazonaws.com", source + "api1/v1/GET/requests", "AccessDeniedException"},
		{"other API", "apigateway.amazonaws.com", source + "api2/v1/POST/requests", "AccessDeniedException"},
		{"other principal", "events.amazonaws.com", source + "api1/v1/POST/requests", "AccessDeniedException"},
		{"no source", "apigateway.amazonaws.com", "", "AccessDeniedException"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if _, err := s.InvokeAs(context.Background(), test.principal, test.source, arn, []byte(`{}`)); codeOf(err) != test.want {
				t.Errorf("err = %v, want %s", err, test.want)
			}
		})
	}
	if err := s.RemovePermission("f", "api"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.InvokeAs(context.Background(), "apigateway.amazonaws.com", source+"api1/v1/POST/requests", arn, nil); codeOf(err) != "AccessDeniedException" {
		t.Errorf("after removal: %v", err)
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		fault lambda.Fault
		want  string
	}{
		{"kill at the beginning", lambda.Fault{Kill: true}, "Runtime.ExitError"},
		{"kill late", lambda.Fault{Kill: true, At: 0.99}, "Runtime.ExitError"},
		{"panic", lambda.Fault{Panic: true, At: 0.5}, "Runtime.ExitError"},
		{"time-out", lambda.Fault{Timeout: true, At: 0.5}, "Sandbox.Timedout"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var mu sync.Mutex
			var fault lambda.Fault
			s := newService(t, func(o *lambda.Options) {
				o.Faults = func(string) lambda.Fault { mu.Lock(); defer mu.Unlock(); return fault }
			})
			newFunction(t, s)
			d := describe(t, s)
			mu.Lock()
			fault = test.fault
			mu.Unlock()
			for _, event := range []string{`{"do":"sleep","ms":30000}`, `{"do":"echo"}`} {
				if f := failureOf(t, invoke(t, s, event)); f.ErrorType != test.want {
					t.Errorf("%s: failure = %+v, want %s", event, f, test.want)
				}
			}
			if !gone(d.PID) {
				t.Error("the process lives")
			}
		})
	}
}

func TestFreezeStopsTheProcessForAWhile(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("processes cannot be frozen")
	}
	t.Parallel()
	s := newService(t, func(o *lambda.Options) {
		o.Faults = func(string) lambda.Fault { return lambda.Fault{Freeze: 300 * time.Millisecond} }
	})
	newFunction(t, s)
	begun := time.Now()
	if result := invoke(t, s, `{"do":"sleep","ms":50}`); string(result.Payload) != `"slept"` {
		t.Errorf("result = %s", result.Payload)
	}
	if took := time.Since(begun); took < 300*time.Millisecond {
		t.Errorf("took %v, want at least the freeze", took)
	}
}

func TestCallerThatLeavesDoesNotEndTheFunction(t *testing.T) {
	t.Parallel()
	metered := make(chan lambda.Invocation, 1)
	s := newService(t, func(o *lambda.Options) { o.Meter = func(i lambda.Invocation) { metered <- i } })
	newFunction(t, s)
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if _, err := s.Invoke(ctx, "f", []byte(`{"do":"sleep","ms":200}`)); err == nil {
		t.Error("no error for the caller")
	}
	if i := <-metered; i.Error != "" || i.Duration < 200*time.Millisecond {
		t.Errorf("invocation = %+v", i)
	}
}

func alive(pid int) bool {
	if runtime.GOOS != "linux" {
		return false
	}
	status, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	return err == nil && !strings.Contains(string(status), "State:\tZ")
}

func gone(pid int) bool {
	for range 100 {
		if !alive(pid) {
			return true
		}
		time.Sleep(20 * time.Millisecond)
	}
	return false
}
