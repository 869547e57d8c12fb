package responsestreaming_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/streaming-service/streaming-service/lambdas/internal/responsestreaming"
	"github.com/streaming-service/streaming-service/lambdas/internal/starttest"
)

func TestMain(m *testing.M) {
	starttest.Main(m, func() { responsestreaming.Start(respond) })
}

// respond is the handler of the function that the tests start.
func respond(_ context.Context, event string) (any, error) {
	switch event {
	case "buffered":
		return map[string]int{"statusCode": 204}, nil
	case "fails":
		return nil, errors.New("no luck")
	}
	reader, writer := io.Pipe()
	if event == "awaits" {
		return responsestreaming.Awaited(func() *events.APIGatewayProxyStreamingResponse {
			time.Sleep(20 * time.Millisecond)
			return &events.APIGatewayProxyStreamingResponse{
				StatusCode: 200, Headers: map[string]string{"Content-Type": "text/event-stream"}, Body: strings.NewReader("onetwo"),
			}
		}), nil
	}
	if event == "goes on" {
		go goOn(writer)
		return &events.APIGatewayProxyStreamingResponse{StatusCode: 200, Body: reader}, nil
	}
	go func() {
		_, _ = io.WriteString(writer, "one")
		if event == "breaks off" {
			_ = writer.CloseWithError(errors.New("lost the model"))
			return
		}
		_, _ = io.WriteString(writer, "two")
		_ = writer.Close()
	}()
	return &events.APIGatewayProxyStreamingResponse{StatusCode: 200, Headers: map[string]string{"Content-Type": "text/event-stream"}, Body: reader}, nil
}

// goOn writes on for a while, and then leaves a trace of it.
func goOn(writer *io.PipeWriter) {
	for range 30 { // longer, and more, than a server takes of a call that it aborts
		if _, err := io.WriteString(writer, strings.Repeat("word ", 4000)); err != nil {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	_ = os.WriteFile(os.Getenv("TRACE"), []byte("done"), 0o600)
	_ = writer.Close()
}

const prelude = `{"statusCode":200,"headers":{"Content-Type":"text/event-stream"}}` + "\x00\x00\x00\x00\x00\x00\x00\x00"

const crlf = "\r\n"

// TestResponsesOnTheWire compares, byte by byte, what the Runtime API gets, but
// for where the chunks are cut.
func TestResponsesOnTheWire(t *testing.T) {
	t.Parallel()
	const streamed = "POST /token/2018-06-01/runtime/invocation/id-1/response HTTP/1.1" + crlf +
		"Host: HOST" + crlf + "User-Agent: AGENT" + crlf + "Connection: close" + crlf + "Transfer-Encoding: chunked" + crlf +
		"Trailer: Lambda-Runtime-Function-Error-Body,Lambda-Runtime-Function-Error-Type" + crlf + "Accept-Encoding: gzip" + crlf +
		"Content-Type: application/vnd.awslambda.http-integration-response" + crlf +
		"Lambda-Runtime-Function-Response-Mode: streaming" + crlf + crlf + prelude
	tests := []struct{ event, want string }{
		{"streams", streamed + "onetwo" + crlf + "0" + crlf + crlf},
		{"awaits", streamed + "onetwo" + crlf + "0" + crlf + crlf},
		{"breaks off", streamed + "one" + crlf + "0" + crlf +
			"Lambda-Runtime-Function-Error-Body: eyJlcnJvck1lc3NhZ2UiOiJsb3N0IHRoZSBtb2RlbCIsImVycm9yVHlwZSI6ImVycm9yU3RyaW5nIn0=" + crlf +
			"Lambda-Runtime-Function-Error-Type: errorString" + crlf + crlf},
		{"buffered", "POST /token/2018-06-01/runtime/invocation/id-1/response HTTP/1.1" + crlf +
			"Host: HOST" + crlf + "User-Agent: AGENT" + crlf + "Transfer-Encoding: chunked" + crlf +
			"Trailer: Lambda-Runtime-Function-Error-Body,Lambda-Runtime-Function-Error-Type" + crlf + "Accept-Encoding: gzip" + crlf +
			"Content-Type: application/json" + crlf + crlf + `{"statusCode":204}` + crlf + "0" + crlf + crlf},
		{"fails", "POST /token/2018-06-01/runtime/invocation/id-1/error HTTP/1.1" + crlf +
			"Host: HOST" + crlf + "User-Agent: AGENT" + crlf + "Transfer-Encoding: chunked" + crlf +
			"Trailer: Lambda-Runtime-Function-Error-Body,Lambda-Runtime-Function-Error-Type" + crlf + "Accept-Encoding: gzip" + crlf +
			"Content-Type: application/json" + crlf + "Lambda-Runtime-Function-Xray-Error-Cause: CAUSE" + crlf + crlf +
			`{"errorMessage":"no luck","errorType":"errorString"}` + crlf + "0" + crlf + crlf},
	}
	for _, test := range tests {
		t.Run(test.event, func(t *testing.T) {
			t.Parallel()
			api := newRuntimeAPI(t, test.event)
			startFunction(t, api.address())
			if got := <-api.posted; got != test.want {
				t.Errorf("posted\n%q\nwant\n%q", got, test.want)
			}
			<-api.asked // the process lives on and asks for the next event
		})
	}
}

// The address that Lambda gives to a function is a host and a port, without a
// path.
func TestFunctionFindsLambda(t *testing.T) {
	t.Parallel()
	asked := make(chan string, 1)
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		connection, err := listener.Accept()
		if err != nil {
			return
		}
		line, _ := bufio.NewReader(connection).ReadString('\n')
		asked <- line
		_ = connection.Close()
	}()
	t.Cleanup(func() { _ = listener.Close() })
	startFunction(t, listener.Addr().String())
	if got, want := <-asked, "GET /2018-06-01/runtime/invocation/next HTTP/1.1"+crlf; got != want {
		t.Errorf("asked %q, want %q", got, want)
	}
}

// Lambda takes no more of a response: the handler still comes to its end, since a
// request that it answers would else be answered again by somebody else.
func TestHandlerOutlivesTheCallThatTakesItsResponse(t *testing.T) {
	t.Parallel()
	trace := filepath.Join(t.TempDir(), "trace")
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	api := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			_, _ = io.ReadFull(r.Body, make([]byte, 100))
			connection, _, _ := w.(http.Hijacker).Hijack()
			_ = connection.(*net.TCPConn).SetLinger(0) // reset at once
			_ = connection.Close()
			return
		}
		w.Header().Set("Lambda-Runtime-Aws-Request-Id", "id-1")
		w.Header().Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(time.Now().Add(time.Minute).UnixMilli(), 10))
		_, _ = io.WriteString(w, `"goes on"`)
	})}
	go func() { _ = api.Serve(listener) }()
	t.Cleanup(func() { _ = api.Close() })
	startFunction(t, listener.Addr().String(), "TRACE="+trace)
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if _, err := os.Stat(trace); err == nil {
			return
		}
		if time.Now().After(end) {
			t.Fatal("the handler never came to its end")
		}
	}
}

// startFunction runs the function until the test ends.
func startFunction(t *testing.T, api string, environment ...string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	command := exec.Command(self) //nolint:noctx // killed below
	command.Env = append([]string{"RUN_FUNCTION=1", "AWS_LAMBDA_RUNTIME_API=" + api}, environment...)
	command.Stderr = os.Stderr
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = command.Process.Kill()
		_ = command.Wait()
	})
}

// runtimeAPI is a Runtime API that hands out one event and keeps the bytes of
// what is posted.
type runtimeAPI struct {
	listener net.Listener
	event    string
	posted   chan string
	asked    chan struct{} // for an event after the first
}

func newRuntimeAPI(t *testing.T, event string) *runtimeAPI {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	api := &runtimeAPI{listener: listener, event: event, posted: make(chan string, 1), asked: make(chan struct{})}
	events := make(chan string, 1)
	events <- strconv.Quote(event)
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			go api.serve(connection, events)
		}
	}()
	return api
}

// address has a path, as that of the local cloud.
func (api *runtimeAPI) address() string { return api.listener.Addr().String() + "/token" }

func (api *runtimeAPI) serve(connection net.Conn, events chan string) {
	defer func() { _ = connection.Close() }()
	var raw strings.Builder
	reader := bufio.NewReader(io.TeeReader(connection, &raw))
	for {
		raw.Reset()
		request, err := http.ReadRequest(reader)
		if err != nil {
			return
		}
		body, err := io.ReadAll(request.Body)
		if err != nil {
			return
		}
		if request.Method == http.MethodPost {
			api.posted <- api.normalise(raw.String(), string(body))
			_, _ = io.WriteString(connection, "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n")
			continue
		}
		select {
		case event := <-events:
			deadline := strconv.FormatInt(time.Now().Add(time.Minute).UnixMilli(), 10)
			_, _ = io.WriteString(connection, "HTTP/1.1 200 OK\r\nLambda-Runtime-Aws-Request-Id: id-1\r\nLambda-Runtime-Deadline-Ms: "+deadline+
				"\r\nContent-Length: "+strconv.Itoa(len(event))+"\r\n\r\n"+event)
		default:
			close(api.asked)
			_, _ = io.Copy(io.Discard, connection) // until the process is killed
		}
	}
}

var (
	userAgent = regexp.MustCompile(`User-Agent: aws-lambda-go/[^\r]+`)
	cause     = regexp.MustCompile(`Xray-Error-Cause: [^\r]+`)
)

// normalise joins the chunks of a request and replaces what differs from run to
// run.
func (api *runtimeAPI) normalise(raw, body string) string {
	head, chunks, _ := strings.Cut(raw, crlf+crlf)
	end := chunks[strings.LastIndex(chunks, crlf+"0"+crlf):]
	raw = head + crlf + crlf + body + end
	raw = strings.Replace(raw, "Host: "+api.listener.Addr().String(), "Host: HOST", 1)
	raw = userAgent.ReplaceAllString(raw, "User-Agent: AGENT")
	return cause.ReplaceAllString(raw, "Xray-Error-Cause: CAUSE")
}
