package restapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/streaming-service/streaming-service/internal/localcloud/restapi/gateway"
	"github.com/streaming-service/streaming-service/internal/localcloud/usage"
)

// Streamer invokes functions whose response is streamed.
type Streamer interface {
	// InvokeStreamAs is to gateway.Invoker's InvokeAs what Lambda's
	// InvokeWithResponseStream is to Invoke: it returns when the response begins.
	// A function that fails before is an error that is no *awsapi.Error. The body
	// ends with an error if the function fails in mid-stream; after Close the
	// function runs on.
	InvokeStreamAs(ctx context.Context, principal, sourceARN, functionARN string, payload []byte) (body io.ReadCloser, err error)
}

// Limits of a streamed response (DG response-transfer-mode).
const (
	streamIdleTimeout = 5 * time.Minute // of a REGIONAL API
	maxPreludeBytes   = 16 << 10        // more than all headers may have together
)

// delimiter stands between the prelude, with status and headers, and the body.
var delimiter = make([]byte, 8)

// integrateStream invokes the method's function and hands on what it writes, as
// it writes it.
func (s *Service) integrateStream(q *request) (answer, *failure) {
	event, err := q.event()
	if err != nil || len(event) > gateway.MaxInvocationBytes {
		return answer{}, &failureTooLarge
	}
	i := q.route.method.integration
	source := gateway.ExecutionARN(q.apiID + "/" + q.stage.Name + "/" + q.http.Method + q.route.resourcePath)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(q.http.Context()), i.streamTimeout())
	defer cancel()
	body, err := s.deps.Streamer.InvokeStreamAs(ctx, gateway.Principal, source, i.functionARN, event)
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return answer{}, &failureTimeout
	case gateway.ErrorCode(err) == "AccessDeniedException":
		return answer{}, &failureConfiguration
	case gateway.ErrorCode(err) != "":
		return answer{}, &failureInvocation
	case err != nil:
		return answer{}, &failureBadGateway
	}
	stream := newStream(body, i.streamTimeout())
	a, err := stream.answer()
	if err != nil {
		_ = stream.Close()
		return answer{}, &failureBadGateway
	}
	return a, nil
}

func (i *integration) streamTimeout() time.Duration {
	if i.timeoutMilliseconds == 0 {
		return maxStreamTimeout
	}
	return time.Duration(i.timeoutMilliseconds) * time.Millisecond
}

// stream is the response of a function as it comes. It breaks off when it lasts
// too long, or says nothing for too long.
type stream struct {
	io.ReadCloser
	early       []byte // of the body, read with the prelude
	total, idle *time.Timer
}

func newStream(body io.ReadCloser, timeout time.Duration) *stream {
	s := &stream{ReadCloser: body}
	breakOff := func() { _ = body.Close() }
	s.total, s.idle = time.AfterFunc(timeout, breakOff), time.AfterFunc(streamIdleTimeout, breakOff)
	return s
}

// Read implements io.Reader.
func (s *stream) Read(p []byte) (int, error) {
	if len(s.early) > 0 {
		n := copy(p, s.early)
		s.early = s.early[n:]
		return n, nil
	}
	n, err := s.ReadCloser.Read(p)
	s.idle.Reset(streamIdleTimeout)
	return n, err
}

// Close lets the function run on by itself.
func (s *stream) Close() error {
	s.total.Stop()
	s.idle.Stop()
	return s.ReadCloser.Close()
}

// answer reads the prelude: a JSON object with statusCode and headers.
func (s *stream) answer() (answer, error) {
	var read []byte
	buffer := make([]byte, 4<<10)
	for {
		n, err := s.Read(buffer)
		read = append(read, buffer[:n]...)
		if prelude, body, found := bytes.Cut(read, delimiter); found {
			s.early = body
			return s.answerOf(prelude)
		}
		if err != nil || len(read) > maxPreludeBytes {
			return answer{}, fmt.Errorf("reading the prelude of a streamed response: no delimiter in %d bytes: %w", len(read), errors.Join(err))
		}
	}
}

func (s *stream) answerOf(prelude []byte) (answer, error) {
	var p struct {
		proxyResponse
		Cookies []string `json:"cookies"`
	}
	decoder := json.NewDecoder(bytes.NewReader(prelude))
	decoder.UseNumber()
	if err := decoder.Decode(&p); err != nil {
		return answer{}, fmt.Errorf("decoding the prelude of a streamed response: %w", err)
	}
	status, err := p.status()
	if err != nil {
		return answer{}, err
	}
	header, err := p.header()
	if err != nil {
		return answer{}, err
	}
	for _, cookie := range p.Cookies {
		header.Add("Set-Cookie", cookie)
	}
	return answer{status: status, header: header, stream: s}, nil
}

// send hands the stream on piece by piece. A stream that breaks off breaks the
// connection: nothing else tells the client that it is not whole.
func (s *Service) send(w http.ResponseWriter, a answer) {
	defer func() { _ = a.stream.Close() }()
	control := http.NewResponseController(w)
	_ = control.Flush() // status and headers
	buffer := make([]byte, 32<<10)
	for {
		n, err := a.stream.Read(buffer)
		if n > 0 {
			s.countSent(n)
			if _, gone := w.Write(buffer[:n]); gone != nil {
				return
			}
			_ = control.Flush()
		}
		switch {
		case errors.Is(err, io.EOF):
			return
		case err != nil:
			panic(http.ErrAbortHandler)
		}
	}
}

func (s *Service) countSent(n int) {
	if s.deps.Meter != nil {
		s.deps.Meter.Add(usage.RestBytesSent, float64(n), nil)
	}
}
