package lambda

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
)

// Result is what an invocation returns.
type Result struct {
	Payload       []byte
	FunctionError string // Unhandled when the function failed; Payload then tells how
	RequestID     string
}

// invocation is one event on its way through an environment.
type invocation struct {
	id       string
	arn      string
	traceID  string
	payload  []byte
	fault    Fault
	deadline time.Time
	begun    time.Time
	cold     bool
	init     time.Duration

	outcome chan outcome    // what the process posted
	result  chan Result     // to the caller of Invoke
	stream  *responseStream // to the caller of InvokeStream; nil for Invoke
}

// outcome is how an invocation ended.
type outcome struct {
	payload     []byte // empty when it was streamed
	contentType string
	errorType   string // "" on success
}

func newInvocation(f *function, payload []byte, fault Fault) *invocation {
	return &invocation{
		id: awsapi.NewRequestID(), arn: f.arn, traceID: newTraceID(time.Now()), payload: payload, fault: fault,
		outcome: make(chan outcome, 1), result: make(chan Result, 1),
	}
}

// begin starts the clock of the invocation.
func (inv *invocation) begin(timeout time.Duration) {
	inv.begun = time.Now()
	inv.deadline = inv.begun.Add(timeout)
}

func (inv *invocation) writeEvent(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(inv.payload)))
	h.Set("Lambda-Runtime-Aws-Request-Id", inv.id)
	h.Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(inv.deadline.UnixMilli(), 10))
	h.Set("Lambda-Runtime-Invoked-Function-Arn", inv.arn)
	h.Set("Lambda-Runtime-Trace-Id", inv.traceID)
	_, _ = w.Write(inv.payload)
}

// finish tells the caller.
func (inv *invocation) finish(o outcome) {
	if inv.stream != nil {
		inv.stream.end(o)
		return
	}
	result := Result{Payload: o.payload, RequestID: inv.id}
	if o.errorType != "" {
		result.FunctionError = "Unhandled"
	}
	inv.result <- result
}

// fail turns what went wrong outside the handler into an outcome.
func (inv *invocation) fail(err error) outcome {
	switch err := err.(type) { //nolint:errorlint // made here, never wrapped
	case *postedError:
		return outcome{payload: err.body, errorType: errorTypeOf(err.body)}
	case *functionError:
		return inv.failure(err.kind, err.message)
	case *invalidEntrypoint:
		return inv.failure("Runtime.InvalidEntrypoint", "Error: "+err.message)
	default:
		return inv.failure("Runtime.ExitError", "Error: "+err.Error())
	}
}

func (inv *invocation) failure(kind, message string) outcome {
	return errorOutcome(kind, "RequestId: "+inv.id+" "+message)
}

func errorOutcome(kind, message string) outcome {
	body, err := json.Marshal(map[string]string{"errorType": kind, "errorMessage": message})
	if err != nil {
		body = []byte(`{"errorType":"Runtime.Unknown"}`)
	}
	return outcome{payload: body, errorType: kind}
}

// functionError is an error of the platform about a function.
type functionError struct{ kind, message string }

func (e *functionError) Error() string { return e.kind + ": " + e.message }

// postedError is an error that the process itself posted.
type postedError struct{ body []byte }

func (e *postedError) Error() string { return errorTypeOf(e.body) }

// errorTypeOf reads the errorType of an error body.
func errorTypeOf(body []byte) string {
	var e struct {
		ErrorType string `json:"errorType"`
	}
	if err := json.Unmarshal(body, &e); err != nil || e.ErrorType == "" {
		return "Runtime.Unknown"
	}
	return e.ErrorType
}

func timedOut(timeout time.Duration) error {
	return &functionError{"Sandbox.Timedout", fmt.Sprintf("Error: Task timed out after %.2f seconds", timeout.Seconds())}
}

func exitError(p *process) error {
	return &functionError{"Runtime.ExitError", "Error: " + p.exitReason()}
}

// newTraceID returns an X-Ray header that is not sampled.
func newTraceID(now time.Time) string {
	var raw [20]byte
	_, _ = rand.Read(raw[:]) // never fails
	return fmt.Sprintf("Root=1-%08x-%s;Parent=%s;Sampled=0", now.Unix(), hex.EncodeToString(raw[:12]), hex.EncodeToString(raw[12:]))
}

func newStreamName(now time.Time) string {
	var raw [16]byte
	_, _ = rand.Read(raw[:]) // never fails
	return now.UTC().Format("2006/01/02") + "/[$LATEST]" + hex.EncodeToString(raw[:])
}
