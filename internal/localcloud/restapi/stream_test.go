package restapi_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
	"github.com/streaming-service/streaming-service/internal/localcloud/restapi"
)

// streamer answers with a pipe that the test writes to.
type streamer struct {
	source string
	err    error
	reader *io.PipeReader
	writer *io.PipeWriter
}

func (s *streamer) InvokeStreamAs(_ context.Context, _, source, _ string, _ []byte) (io.ReadCloser, error) {
	s.source = source
	return s.reader, s.err
}

func newStreamCloud(t *testing.T) (*cloud, *streamer) {
	t.Helper()
	s := &streamer{}
	s.reader, s.writer = io.Pipe()
	c := newCloud(t, restapi.Deps{Streamer: s})
	c.method("POST", "/answers", "f", func(o object) {
		i := o["x-amazon-apigateway-integration"].(object)
		i["responseTransferMode"], i["uri"] = "STREAM", streamAs+"f/response-streaming-invocations"
	})
	c.deploy()
	return c, s
}

const nul = "\x00\x00\x00\x00\x00\x00\x00\x00"

// open posts and returns when the response has begun.
func (c *cloud) open() *http.Response {
	c.t.Helper()
	r, err := http.NewRequestWithContext(c.t.Context(), http.MethodPost, c.server.URL+restapi.InvokePath(c.api.ID, "v1")+"/answers", strings.NewReader("{}"))
	c.must(err)
	response, err := c.server.Client().Do(r)
	c.must(err)
	c.t.Cleanup(func() { _ = response.Body.Close() })
	return response
}

func TestStreamReachesTheClientPieceByPiece(t *testing.T) {
	t.Parallel()
	c, s := newStreamCloud(t)
	go func() { _, _ = io.WriteString(s.writer, `{"statusCode":201,"headers":{"Content-Type":"text/event-stream","X-A":"b"},"cookies":["c=d"]}`+nul+"one") }()
	response := c.open()
	if response.StatusCode != 201 || response.Header.Get("X-A") != "b" || response.Header.Get("Set-Cookie") != "c=d" || response.Header.Get("Content-Type") != "text/event-stream" {
		t.Errorf("%d %v", response.StatusCode, response.Header)
	}
	if !strings.HasSuffix(s.source, "/v1/POST/answers") {
		t.Errorf("invoked for %s", s.source)
	}
	buffer := make([]byte, 3)
	for _, want := range []string{"one", "two", "end"} { // each is read before the next is written
		if _, err := io.ReadFull(response.Body, buffer); err != nil || string(buffer) != want {
			t.Fatalf("read %q, %v; want %q", buffer, err, want)
		}
		next := map[string]string{"one": "two", "two": "end"}[want]
		go func() {
			if next == "" {
				_ = s.writer.Close()
				return
			}
			_, _ = io.WriteString(s.writer, next)
		}()
	}
	if rest, err := io.ReadAll(response.Body); len(rest) > 0 || err != nil {
		t.Errorf("rest %q, %v", rest, err)
	}
}

func TestStreamsThatDoNotBegin(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		wrote string
		err   error
		want  int
	}{
		"no prelude":          {wrote: "hello", want: 502},
		"no JSON":             {wrote: "hello" + nul, want: 502},
		"no status":           {wrote: `{"headers":{}}` + nul, want: 502},
		"an endless prelude":  {wrote: strings.Repeat("x", 20_000), want: 502},
		"the function failed": {err: errors.New("Sandbox.Timedout"), want: 502},
		"no permission":       {err: &awsapi.Error{Code: "AccessDeniedException"}, want: 500},
		"throttled":           {err: &awsapi.Error{Code: "TooManyRequestsException"}, want: 500},
		"took too long":       {err: context.DeadlineExceeded, want: 504},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, s := newStreamCloud(t)
			s.err = test.err
			go func() {
				_, _ = io.WriteString(s.writer, test.wrote)
				_ = s.writer.Close()
			}()
			if response := c.open(); response.StatusCode != test.want {
				t.Errorf("got %d, want %d", response.StatusCode, test.want)
			}
		})
	}
}

// A stream that breaks off must not look whole.
func TestStreamThatBreaksOff(t *testing.T) {
	t.Parallel()
	c, s := newStreamCloud(t)
	go func() {
		_, _ = io.WriteString(s.writer, `{"statusCode":200}`+nul+"half")
		_ = s.writer.CloseWithError(errors.New("the function died"))
	}()
	if body, err := io.ReadAll(c.open().Body); err == nil || string(body) != "half" {
		t.Errorf("read %q, %v", body, err)
	}
}

// The function of a client that is gone runs on: it is the local Lambda that
// drops what it writes once the stream is closed.
func TestClientThatIsGoneLetsTheStreamGo(t *testing.T) {
	t.Parallel()
	c, s := newStreamCloud(t)
	go func() { _, _ = io.WriteString(s.writer, `{"statusCode":200}`+nul+"one") }()
	_ = c.open().Body.Close()
	for begun := time.Now(); time.Since(begun) < 10*time.Second; time.Sleep(time.Millisecond) {
		if _, err := io.WriteString(s.writer, "more"); errors.Is(err, io.ErrClosedPipe) {
			return
		}
	}
	t.Error("the gateway still reads for a client that is gone")
}
