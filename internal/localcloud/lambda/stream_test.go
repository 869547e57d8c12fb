package lambda_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/streaming-service/streaming-service/internal/localcloud/lambda"
)

// newStreaming declares the function f that streams its responses.
func newStreaming(t testing.TB, s *lambda.Service, change ...func(*lambda.Spec)) string {
	t.Helper()
	return newFunction(t, s, append([]func(*lambda.Spec){func(spec *lambda.Spec) { spec.ZipPath = streamingZip }}, change...)...)
}

// withoutMode makes the function one that does not tell Lambda of its streams.
func withoutMode(spec *lambda.Spec) { spec.Environment = map[string]string{"WITHOUT_MODE": "1"} }

// steps is an event that makes the function stream.
func steps(t testing.TB, steps ...string) []byte {
	t.Helper()
	return event(t, map[string]any{"statusCode": 200, "steps": steps})
}

func event(t testing.TB, script map[string]any) []byte {
	t.Helper()
	body, err := json.Marshal(script)
	if err != nil {
		t.Fatal(err)
	}
	event, err := json.Marshal(map[string]string{"body": string(body)})
	if err != nil {
		t.Fatal(err)
	}
	return event
}

func stream(t testing.TB, s *lambda.Service, event []byte) *lambda.StreamedResponse {
	t.Helper()
	response, err := s.InvokeStream(t.Context(), "f", event)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = response.Body.Close() })
	return response
}

// gate answers when it is opened: what a function awaits.
type gate struct {
	url    string
	opened chan struct{}
	asked  chan string // the request id, if the function tells it
}

func newGate(t testing.TB) *gate {
	t.Helper()
	g := &gate{opened: make(chan struct{}), asked: make(chan string, 10)}
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		g.asked <- r.URL.Query().Get("id")
		select {
		case <-g.opened:
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(server.CloseClientConnections)
	g.url = server.URL
	return g
}

const prelude = `{"statusCode":200}` + "\x00\x00\x00\x00\x00\x00\x00\x00"

func readFull(t testing.TB, r io.Reader, want string) {
	t.Helper()
	got := make([]byte, len(want))
	if n, err := io.ReadFull(r, got); err != nil || string(got) != want {
		t.Fatalf("read %q (%v), want %q", got[:n], err, want)
	}
}

func streamErrorOf(t testing.TB, err error) *lambda.StreamError {
	t.Helper()
	failure := (*lambda.StreamError)(nil)
	if !errors.As(err, &failure) {
		t.Fatalf("err = %v, want a StreamError", err)
	}
	return failure
}

func TestChunksArriveBeforeTheNextIsProduced(t *testing.T) {
	t.Parallel()
	metered := make(chan lambda.Invocation, 1)
	s := newService(t, func(o *lambda.Options) { o.Meter = func(i lambda.Invocation) { metered <- i } })
	newStreaming(t, s)
	second, third := newGate(t), newGate(t)
	response := stream(t, s, steps(t, "say one", "await "+second.url, "say two", "await "+third.url, "say three"))
	if want := "application/vnd.awslambda.http-integration-response"; response.ContentType != want || response.RequestID == "" {
		t.Errorf("response = %+v, want content type %s", response, want)
	}
	readFull(t, response.Body, prelude+"one")
	<-second.asked // it waits: two is not produced yet
	close(second.opened)
	readFull(t, response.Body, "two")
	close(third.opened)
	readFull(t, response.Body, "three")
	if n, err := response.Body.Read(make([]byte, 1)); n != 0 || !errors.Is(err, io.EOF) {
		t.Errorf("read %d bytes more, err = %v; want EOF", n, err)
	}
	if used := <-metered; used.StreamedBytes != int64(len(prelude+"onetwothree")) || used.Error != "" {
		t.Errorf("used = %+v", used)
	}
}

// A function that does not say that it streams does not.
func TestResponseWithoutTheModeIsBuffered(t *testing.T) {
	t.Parallel()
	s := newService(t)
	newStreaming(t, s, withoutMode)
	second := newGate(t)
	begun := make(chan *lambda.StreamedResponse, 1)
	failed := make(chan error, 1)
	go func() {
		response, err := s.InvokeStream(context.Background(), "f", steps(t, "say one", "await "+second.url, "say two"))
		begun <- response
		failed <- err
	}()
	<-second.asked
	select {
	case <-begun:
		t.Error("the response began before it was complete")
	case <-time.After(50 * time.Millisecond):
	}
	close(second.opened)
	response := <-begun
	if err := <-failed; err != nil {
		t.Fatal(err)
	}
	if body, err := io.ReadAll(response.Body); err != nil || string(body) != prelude+"onetwo" {
		t.Errorf("body = %q, err = %v", body, err)
	}
}

func TestStreamsMayBeLargerThanBufferedResponses(t *testing.T) {
	t.Parallel()
	const size = 7 << 20
	fill := fmt.Sprintf("fill %d", size)
	s := newService(t)
	newStreaming(t, s)
	begun := time.Now()
	body, err := io.ReadAll(stream(t, s, steps(t, fill)).Body)
	if err != nil || len(body) != len(prelude)+size {
		t.Fatalf("%d bytes, err = %v", len(body), err)
	}
	if took := time.Since(begun); took < time.Second/2 {
		t.Errorf("took %v: the seventh megabyte takes half a second at 2 MB a second", took)
	}

	newStreaming(t, s, withoutMode, func(spec *lambda.Spec) { spec.Name = "buffered" })
	_, err = s.InvokeStream(t.Context(), "buffered", steps(t, fill))
	if failure := streamErrorOf(t, err); failure.Code != "Function.ResponseSizeTooLarge" {
		t.Errorf("failure = %v", failure)
	}
}

func TestStreamsEndAtTheirSizeLimit(t *testing.T) {
	t.Parallel()
	s := newService(t)
	s.LimitStreams(1<<20, 1<<20, 1<<30)
	newStreaming(t, s)
	body, err := io.ReadAll(stream(t, s, steps(t, "fill 2000000")).Body)
	if failure := streamErrorOf(t, err); failure.Code != "Function.ResponseSizeTooLarge" || len(body) != 1<<20 {
		t.Errorf("%d bytes, failure = %v", len(body), failure)
	}
}

func TestStreamsThatBreakOff(t *testing.T) {
	t.Parallel()
	hang := newGate(t).url
	tests := []struct {
		name    string
		step    string
		timeout int // seconds
		code    string
		details string
	}{
		{"error in mid-stream", "fail lost the model", 30, "errorString", "lost the model"},
		{"end of the process", "exit 3", 30, "Runtime.ExitError", "exit status 3"},
		{"time-out", "await " + hang, 3, "Sandbox.Timedout", "timed out after 3.00 seconds"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			metered := make(chan lambda.Invocation, 1)
			s := newService(t, func(o *lambda.Options) { o.Meter = func(i lambda.Invocation) { metered <- i } })
			newStreaming(t, s, func(spec *lambda.Spec) { spec.Timeout = test.timeout })
			heard := newGate(t)
			response := stream(t, s, steps(t, "say one", "await "+heard.url, test.step))
			readFull(t, response.Body, prelude+"one")
			close(heard.opened)
			_, err := io.ReadAll(response.Body)
			failure := streamErrorOf(t, err)
			if failure.Code != test.code || !strings.Contains(string(failure.Details), test.details) {
				t.Errorf("failure = %v, want %s %q", failure, test.code, test.details)
			}
			if used := <-metered; used.Error != test.code || used.StreamedBytes != int64(len(prelude+"one")) {
				t.Errorf("used = %+v", used)
			}
		})
	}
}

func TestKillInMidStream(t *testing.T) {
	t.Parallel()
	s := newService(t, func(o *lambda.Options) {
		o.Faults = func(string) lambda.Fault { return lambda.Fault{Kill: true, At: 0.5} }
	})
	newStreaming(t, s)
	response := stream(t, s, steps(t, "say one", "await "+newGate(t).url))
	readFull(t, response.Body, prelude+"one")
	_, err := io.ReadAll(response.Body)
	if failure := streamErrorOf(t, err); failure.Code != "Runtime.ExitError" {
		t.Errorf("failure = %v", failure)
	}
}

func TestStreamFailsBeforeItBegins(t *testing.T) {
	t.Parallel()
	s := newService(t)
	newStreaming(t, s)
	_, err := s.InvokeStream(t.Context(), "f", event(t, map[string]any{"refuse": "not today"}))
	if failure := streamErrorOf(t, err); failure.Code != "errorString" || !bytes.Contains(failure.Details, []byte("not today")) {
		t.Errorf("failure = %v", failure)
	}
	if _, err := s.InvokeStream(t.Context(), "g", []byte(`{}`)); codeOf(err) != "ResourceNotFoundException" {
		t.Errorf("unknown function: %v", err)
	}
}

// Invoke of a function that streams returns all of it at once, up to 6 MB, as
// Lambda's runtime environment does (sendPayloadLimitedResponse of its
// open-source emulator).
func TestInvokeBuffersAStream(t *testing.T) {
	t.Parallel()
	s := newService(t)
	newStreaming(t, s)
	if result := invoke(t, s, string(steps(t, "say one", "say two"))); string(result.Payload) != prelude+"onetwo" || result.FunctionError != "" {
		t.Errorf("result = %q %s", result.Payload, result.FunctionError)
	}
	if f := failureOf(t, invoke(t, s, string(steps(t, "say one", "fail lost")))); f.ErrorMessage != "lost" {
		t.Errorf("failure = %+v", f)
	}
	if f := failureOf(t, invoke(t, s, string(steps(t, "fill 7000000")))); f.ErrorType != "Function.ResponseSizeTooLarge" {
		t.Errorf("failure = %+v", f)
	}
}

func TestReaderThatLeavesDoesNotEndTheFunction(t *testing.T) {
	t.Parallel()
	metered := make(chan lambda.Invocation, 1)
	s := newService(t, func(o *lambda.Options) { o.Meter = func(i lambda.Invocation) { metered <- i } })
	newStreaming(t, s)
	second := newGate(t)
	response := stream(t, s, steps(t, "say one", "await "+second.url, "fill 100000"))
	readFull(t, response.Body, prelude+"one")
	if err := response.Body.Close(); err != nil {
		t.Fatal(err)
	}
	close(second.opened)
	if used := <-metered; used.Error != "" || used.StreamedBytes != int64(len(prelude+"one")+100000) {
		t.Errorf("used = %+v, want the whole stream", used)
	}
}

func TestCallerThatLeavesBeforeTheStreamBegins(t *testing.T) {
	t.Parallel()
	metered := make(chan lambda.Invocation, 1)
	s := newService(t, func(o *lambda.Options) { o.Meter = func(i lambda.Invocation) { metered <- i } })
	newStreaming(t, s)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.InvokeStream(ctx, "f", steps(t, "fill 100000")); !errors.Is(err, context.Canceled) {
		t.Errorf("err = %v", err)
	}
	if used := <-metered; used.Error != "" || used.StreamedBytes != int64(len(prelude)+100000) {
		t.Errorf("used = %+v, want the whole stream", used)
	}
}

func TestInvokeStreamAsNeedsAPermission(t *testing.T) {
	t.Parallel()
	s := newService(t)
	arn := newStreaming(t, s)
	const source = "arn:aws:execute-api:us-east-1:000000000000:api1/v1/POST/x"
	if _, err := s.InvokeStreamAs(t.Context(), "apigateway.amazonaws.com", source, arn, steps(t)); codeOf(err) != "AccessDeniedException" {
		t.Errorf("err = %v", err)
	}
	if err := s.AddPermission("f", lambda.Permission{StatementID: "api", Principal: "apigateway.amazonaws.com", SourceARN: source}); err != nil {
		t.Fatal(err)
	}
	response, err := s.InvokeStreamAs(t.Context(), "apigateway.amazonaws.com", source, arn, steps(t, "say one"))
	if err != nil {
		t.Fatal(err)
	}
	if body, err := io.ReadAll(response.Body); err != nil || string(body) != prelude+"one" {
		t.Errorf("body = %q, err = %v", body, err)
	}
}

func TestUnknownResponseModeIsRefused(t *testing.T) {
	t.Parallel()
	s := newService(t)
	newFunction(t, s)
	api := ""
	for _, variable := range describe(t, s).Environment {
		if value, found := strings.CutPrefix(variable, "AWS_LAMBDA_RUNTIME_API="); found {
			api = value
		}
	}
	second := newGate(t)
	done := make(chan lambda.Result, 1)
	go func() {
		result, err := s.Invoke(context.Background(), "f", []byte(`{"do":"get","text":"`+second.url+`"}`))
		if err != nil {
			t.Error(err)
		}
		done <- result
	}()
	id := <-second.asked
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+api+"/2018-06-01/runtime/invocation/"+id+"/response", strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Lambda-Runtime-Function-Response-Mode", "later")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusBadRequest {
		t.Errorf("status = %d", response.StatusCode)
	}
	if f := failureOf(t, <-done); f.ErrorType != "Runtime.InvalidResponseModeHeader" || !strings.Contains(f.ErrorMessage, `"later"`) {
		t.Errorf("failure = %+v", f)
	}
}
