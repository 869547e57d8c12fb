package restapi_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
	"github.com/streaming-service/streaming-service/internal/localcloud/restapi"
	"github.com/streaming-service/streaming-service/internal/localcloud/usage"
)

const delimiter = "\x00\x00\x00\x00\x00\x00\x00\x00"

// streams is a function that streams what a test writes into it.
type streams struct {
	body   io.ReadCloser // of the next invocation
	err    error
	called chan call
}

func (s *streams) InvokeStreamAs(_ context.Context, principal, source, arn string, _ []byte) (io.ReadCloser, error) {
	s.called <- call{principal: principal, source: source, function: arn[strings.LastIndex(arn, ":")+1:]}
	return s.body, s.err
}

// streaming is a cloud whose GET /s streams.
func streaming(t *testing.T, deps restapi.Deps, integration object) (*cloud, *streams, *io.PipeWriter) {
	t.Helper()
	reader, writer := io.Pipe()
	t.Cleanup(func() { _ = writer.Close() })
	s := &streams{body: reader, called: make(chan call, 1)}
	deps.Streamer = s
	c := newCloud(t, deps)
	c.method("GET", "/s", "f", func(operation object) {
		i := operation["x-amazon-apigateway-integration"].(object)
		i["uri"], i["responseTransferMode"] = streamAs+"f/response-streaming-invocations", "STREAM"
		maps.Copy(i, integration)
	})
	c.deploy()
	return c, s, writer
}

// get begins a GET /s.
func (c *cloud) get(ctx context.Context) (*http.Response, error) {
	c.t.Helper()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, c.server.URL+restapi.InvokePath(c.api.ID, "v1")+"/s", nil)
	c.must(err)
	response, err := c.server.Client().Do(r)
	if err == nil {
		c.t.Cleanup(func() { _ = response.Body.Close() })
	}
	return response, err
}

func (c *cloud) begin() *http.Response {
	c.t.Helper()
	response, err := c.get(c.t.Context())
	c.must(err)
	return response
}

func say(t *testing.T, w io.Writer, text string) {
	if _, err := io.WriteString(w, text); err != nil {
		t.Errorf("the function could not say %q: %v", text, err)
	}
}

func hear(t *testing.T, r io.Reader, want string) {
	t.Helper()
	got := make([]byte, len(want))
	if n, err := io.ReadFull(r, got); err != nil || string(got) != want {
		t.Fatalf("read %q (%v), want %q", got[:n], err, want)
	}
}

type counts struct {
	mu    sync.Mutex
	total map[string]float64
}

func (c *counts) Add(counter string, amount float64, _ []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.total[counter] += amount
}

func TestEachChunkReachesTheClientAtOnce(t *testing.T) {
	t.Parallel()
	meter := &counts{total: map[string]float64{}}
	c, s, function := streaming(t, restapi.Deps{Meter: meter}, nil)
	go say(t, function, `{"statusCode":201,"headers":{"Content-Type":"text/event-stream","X-One":"1"},`+
		`"multiValueHeaders":{"X-Two":["a","b"]},"cookies":["k=v"]}`+delimiter)
	response := c.begin()
	if response.StatusCode != http.StatusCreated || response.Header.Get("Content-Type") != "text/event-stream" || response.Header.Get("X-One") != "1" ||
		fmt.Sprint(response.Header["X-Two"], response.Header["Set-Cookie"], response.TransferEncoding) != "[a b] [k=v] [chunked]" ||
		response.Header.Get("X-Amzn-Requestid") == "" {
		t.Errorf("%d %v %v", response.StatusCode, response.Header, response.TransferEncoding)
	}
	for _, chunk := range []string{"data: one\n\n", "data: two\n\n"} {
		go say(t, function, chunk)
		hear(t, response.Body, chunk) // before there is another
	}
	c.must(function.Close())
	if rest, err := io.ReadAll(response.Body); len(rest) > 0 || err != nil {
		t.Errorf("%q and %v after the end", rest, err)
	}
	want := call{principal: "apigateway.amazonaws.com", source: restapi.ExecutionARN(c.api.ID) + "/v1/GET/s", function: "f"}
	if got := <-s.called; got.principal != want.principal || got.source != want.source || got.function != want.function {
		t.Errorf("invoked %+v, want %+v", got, want)
	}
	c.server.Close()
	if sent := meter.total[usage.RestBytesSent]; sent != float64(len("data: one\n\ndata: two\n\n")) {
		t.Errorf("%v bytes counted", sent)
	}
}

// TestPreludes: what a streamed response says before its payload, however it is
// cut into chunks.
func TestPreludes(t *testing.T) {
	t.Parallel()
	long := `{"headers":{"X":"` + strings.Repeat("x", 16<<10) + `"}}`
	fitting := `{"headers":{"X":"` + strings.Repeat("x", 16<<10-len(`{"headers":{"X":""}}`)-len(delimiter)) + `"}}`
	for name, test := range map[string]struct {
		said   string
		status int
		body   string
		header string // "name: value"
	}{
		"nothing but an object":    {`{}` + delimiter + "body", 200, "body", "Content-Type: application/json"},
		"more than one delimiter":  {`{}` + delimiter + delimiter + "x", 200, delimiter + "x", ""},
		"no payload":               {`{"statusCode":204}` + delimiter, 204, "", ""},
		"lists win":                {`{"headers":{"X":"1"},"multiValueHeaders":{"x":["2"]}}` + delimiter, 200, "", "X: 2"},
		"length":                   {`{"headers":{"content-length":"2"}}` + delimiter + "ab", 200, "ab", "Content-Length: 2"},
		"header of the connection": {`{"headers":{"Transfer-Encoding":"chunked"}}` + delimiter + "ab", 200, "ab", ""},
		"remapped header":          {`{"headers":{"WWW-Authenticate":"x"}}` + delimiter, 200, "", "X-Amzn-Remapped-Www-Authenticate: x"},
		"16 KB":                    {fitting + delimiter + "x", 200, "x", ""},
		"over 16 KB":               {long + delimiter, 500, "", ""},
		"no delimiter":             {`{"statusCode":200}`, 500, "", ""},
		"nothing":                  {"", 500, "", ""},
		"too few NUL bytes":        {`{}` + delimiter[1:] + "x", 500, "", ""},
		"not JSON":                 {`statusCode` + delimiter, 500, "", ""},
		"no object":                {`[]` + delimiter, 500, "", ""},
		"two objects":              {`{}{}` + delimiter, 500, "", ""},
		"unknown member":           {`{"body":"x"}` + delimiter, 500, "", ""},
		"status of another kind":   {`{"statusCode":"200"}` + delimiter, 500, "", ""},
		"status out of range":      {`{"statusCode":99}` + delimiter, 500, "", ""},
		"header of another kind":   {`{"headers":{"X":["a"]}}` + delimiter, 500, "", ""},
		"length of another kind":   {`{"headers":{"Content-Length":"x"}}` + delimiter, 500, "", ""},
	} {
		for _, cut := range []int{1, 7, 64 << 10} {
			if cut == 1 && len(test.said) > 1000 {
				continue
			}
			t.Run(fmt.Sprintf("%s in chunks of %d", name, cut), func(t *testing.T) {
				t.Parallel()
				c, _, function := streaming(t, restapi.Deps{}, nil)
				go func() {
					for said := test.said; said != ""; {
						n := min(cut, len(said))
						_, _ = io.WriteString(function, said[:n]) // nobody reads on what is refused
						said = said[n:]
					}
					_ = function.Close()
				}()
				response, body := c.do("GET", "/s", "")
				c.expect(response, body, test.status, test.body)
				if header, value, _ := strings.Cut(test.header, ": "); response.Header.Get(header) != value {
					t.Errorf("headers %v, want %s", response.Header, test.header)
				}
			})
		}
	}
}

func TestStreamsThatDoNotBegin(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		err    error
		status int
	}{
		"function that fails": {errors.New("errorString: no luck"), 502},
		"no permission":       {&awsapi.Error{Status: 403, Code: "AccessDeniedException"}, 500},
		"throttled function":  {&awsapi.Error{Status: 429, Code: "TooManyRequestsException"}, 500},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, s, _ := streaming(t, restapi.Deps{}, nil)
			s.body, s.err = nil, test.err
			response, body := c.do("GET", "/s", "")
			c.expect(response, body, test.status, "")
		})
	}
	t.Run("function that fails within the prelude", func(t *testing.T) {
		t.Parallel()
		c, _, function := streaming(t, restapi.Deps{}, nil)
		go func() {
			_, _ = io.WriteString(function, `{"status`)
			_ = function.CloseWithError(errors.New("Runtime.ExitError"))
		}()
		response, body := c.do("GET", "/s", "")
		c.expect(response, body, http.StatusBadGateway, "")
	})
	t.Run("time-out before the prelude", func(t *testing.T) {
		t.Parallel()
		c, _, _ := streaming(t, restapi.Deps{}, object{"timeoutInMillis": 50})
		response, body := c.do("GET", "/s", "")
		c.expect(response, body, http.StatusGatewayTimeout, `{"message":"Endpoint request timed out"}`)
	})
}

// TestStreamsThatBreakOff: the client sees a connection that ends in the middle of
// the answer, never an answer that looks whole.
func TestStreamsThatBreakOff(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		deps        restapi.Deps
		integration object
		then        func(*io.PipeWriter)
	}{
		"error of the function":   {then: func(function *io.PipeWriter) { _ = function.CloseWithError(errors.New("errorString: lost")) }},
		"time of the integration": {integration: object{"timeoutInMillis": 200}, then: func(*io.PipeWriter) {}},
		"silence":                 {deps: restapi.Deps{Silence: 100 * time.Millisecond}, integration: object{"timeoutInMillis": 900_000}, then: func(*io.PipeWriter) {}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, _, function := streaming(t, test.deps, test.integration)
			go say(t, function, `{}`+delimiter+"one")
			response := c.begin()
			hear(t, response.Body, "one")
			test.then(function)
			if rest, err := io.ReadAll(response.Body); !errors.Is(err, io.ErrUnexpectedEOF) || len(rest) > 0 {
				t.Errorf("%q and error %v, want an unexpected end", rest, err)
			}
			if _, err := io.WriteString(function, "more"); err == nil {
				t.Error("the function is still read")
			}
		})
	}
}

func TestStreamsMayBeLongerThanBufferedAnswers(t *testing.T) {
	t.Parallel()
	c, _, function := streaming(t, restapi.Deps{Timeout: 50 * time.Millisecond, Silence: time.Second}, object{"timeoutInMillis": 900_000})
	go func() {
		_, _ = io.WriteString(function, `{}`+delimiter)
		for range 4 {
			time.Sleep(50 * time.Millisecond)
			_, _ = io.WriteString(function, ".")
		}
		_ = function.Close()
	}()
	response, body := c.do("GET", "/s", "")
	c.expect(response, body, http.StatusOK, "....")
}

func TestAClientThatLeavesLetsTheFunctionRunOn(t *testing.T) {
	t.Parallel()
	c, s, function := streaming(t, restapi.Deps{}, nil)
	closed := make(chan struct{})
	s.body = &closing{s.body, sync.OnceFunc(func() { close(closed) })}
	go say(t, function, `{}`+delimiter+"one")
	ctx, leave := context.WithCancel(t.Context())
	response, err := c.get(ctx)
	c.must(err)
	hear(t, response.Body, "one")
	leave()
	<-closed // which is how a stream of Lambda is left to run on
}

type closing struct {
	io.ReadCloser
	closed func()
}

func (c *closing) Close() error {
	c.closed()
	return c.ReadCloser.Close()
}
