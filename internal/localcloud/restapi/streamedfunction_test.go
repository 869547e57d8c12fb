package restapi_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/streaming-service/streaming-service/internal/functionbuild"
	"github.com/streaming-service/streaming-service/internal/localcloud/lambda"
	"github.com/streaming-service/streaming-service/internal/localcloud/restapi"
)

// streamer is what the local cloud makes of its Lambda.
type streamer struct{ *lambda.Service }

func (s streamer) InvokeStreamAs(ctx context.Context, principal, source, arn string, payload []byte) (io.ReadCloser, error) {
	response, err := s.Service.InvokeStreamAs(ctx, principal, source, arn, payload)
	if err != nil {
		return nil, err
	}
	return response.Body, nil
}

// built is a function that streams, built as those of the service are.
var built = sync.OnceValues(func() (zip string, err error) {
	builder := functionbuild.New(functionbuild.ForHost(), functionbuild.WithSource("../../.."))
	return builder.Build(context.Background(), "internal/responsestreaming/testdata/function", "arm64")
})

// newFunction starts a Lambda with a compiled function that streams what the body
// of its request says, and an API in front of it.
func newFunction(t *testing.T, environment map[string]string, fault func(string) lambda.Fault) *cloud {
	t.Helper()
	zip, err := built()
	if err != nil {
		t.Fatal(err)
	}
	functions, err := lambda.New(lambda.Options{Faults: fault})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(functions.Close)
	if _, _, err := functions.CreateFunction(lambda.Spec{Name: "f", RoleARN: "arn:aws:iam::000000000000:role/r", ZipPath: zip, Runtime: "provided.al2023", Timeout: 60, Environment: environment}); err != nil {
		t.Fatal(err)
	}
	if err := functions.AddPermission("f", lambda.Permission{StatementID: "api", Principal: "apigateway.amazonaws.com"}); err != nil {
		t.Fatal(err)
	}
	c := newCloud(t, restapi.Deps{Streamer: streamer{functions}})
	c.method("POST", "/s", "f", func(operation object) {
		i := operation["x-amazon-apigateway-integration"].(object)
		i["uri"], i["responseTransferMode"] = streamAs+"f/response-streaming-invocations", "STREAM"
	})
	c.deploy()
	return c
}

// play begins a POST /s with a script for the function.
func (c *cloud) play(script object) *http.Response {
	c.t.Helper()
	body, err := json.Marshal(script)
	c.must(err)
	r, err := http.NewRequestWithContext(c.t.Context(), http.MethodPost, c.server.URL+restapi.InvokePath(c.api.ID, "v1")+"/s", strings.NewReader(string(body)))
	c.must(err)
	response, err := c.server.Client().Do(r)
	c.must(err)
	c.t.Cleanup(func() { _ = response.Body.Close() })
	return response
}

// gate is what a function awaits.
func gate(t *testing.T) (url string, asked <-chan struct{}, open func()) {
	t.Helper()
	reached, opened := make(chan struct{}, 1), make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		reached <- struct{}{}
		select {
		case <-opened:
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(server.CloseClientConnections)
	return server.URL, reached, func() { close(opened) }
}

// TestAFunctionStreamsToTheClient: a real function, its Runtime API, Lambda, the
// gateway and HTTP. Each chunk is at the client before the next is produced.
func TestAFunctionStreamsToTheClient(t *testing.T) {
	t.Parallel()
	c := newFunction(t, nil, nil)
	second, secondAsked, openSecond := gate(t)
	third, thirdAsked, openThird := gate(t)
	response := c.play(object{"statusCode": 200, "headers": object{"Content-Type": "text/event-stream"}, "steps": []string{
		"say one\n", "await " + second, "say two\n", "await " + third, "say three\n",
	}})
	if response.StatusCode != http.StatusOK || response.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatalf("%d %v", response.StatusCode, response.Header)
	}
	hear(t, response.Body, "one\n")
	<-secondAsked
	openSecond()
	hear(t, response.Body, "two\n")
	<-thirdAsked
	openThird()
	hear(t, response.Body, "three\n")
	if rest, err := io.ReadAll(response.Body); err != nil || len(rest) > 0 {
		t.Errorf("%q and %v after the end", rest, err)
	}
}

// The same function with aws-lambda-go alone: the first chunk waits for the last.
func TestAFunctionThatDoesNotSayThatItStreamsIsBuffered(t *testing.T) {
	t.Parallel()
	c := newFunction(t, map[string]string{"WITHOUT_MODE": "1"}, nil)
	url, asked, open := gate(t)
	answered := make(chan *http.Response, 1)
	go func() { answered <- c.play(object{"steps": []string{"say one ", "await " + url, "say two"}}) }()
	<-asked
	select {
	case <-answered:
		t.Error("the answer began before the function had written all of it")
	default:
	}
	open()
	response := <-answered
	if body, err := io.ReadAll(response.Body); err != nil || string(body) != "one two" {
		t.Errorf("%q, %v", body, err)
	}
}

func TestAFunctionThatBreaksOffAbortsTheAnswer(t *testing.T) {
	t.Parallel()
	hang, _, _ := gate(t)
	for name, test := range map[string]struct {
		step  string
		fault func(string) lambda.Fault
	}{
		"error in mid-stream": {step: "fail lost the model"},
		"end of the process":  {step: "exit 1"},
		"kill":                {step: "await " + hang, fault: func(string) lambda.Fault { return lambda.Fault{Kill: true, At: 0.9} }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newFunction(t, nil, test.fault)
			url, _, open := gate(t)
			response := c.play(object{"steps": []string{"say one", "await " + url, test.step}})
			hear(t, response.Body, "one")
			open()
			if _, err := io.ReadAll(response.Body); !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("error %v, want an unexpected end", err)
			}
		})
	}
}

func TestAFunctionThatFailsBeforeItStreams(t *testing.T) {
	t.Parallel()
	c := newFunction(t, nil, nil)
	if response := c.play(object{"refuse": "not today"}); response.StatusCode != http.StatusBadGateway {
		t.Errorf("a failure: %d", response.StatusCode)
	}
	if response := c.play(object{"raw": true, "steps": []string{`say {"statusCode":200,"body":"x"}`}}); response.StatusCode != http.StatusInternalServerError {
		t.Errorf("a response in another format: %d", response.StatusCode)
	}
}
