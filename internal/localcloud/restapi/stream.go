package restapi

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
	"github.com/streaming-service/streaming-service/internal/localcloud/gateway"
	"github.com/streaming-service/streaming-service/internal/localcloud/usage"
)

// maxStreamSilence is how long a streamed answer may pause (developer guide,
// response-transfer-mode, for REGIONAL endpoints). The limit of the bandwidth, 2 MB
// a second after 10 MB, is not here: Lambda's own, after 6 MB, is reached before.
const maxStreamSilence = 5 * time.Minute

// Streamer invokes functions that stream their response for API Gateway.
type Streamer interface {
	// InvokeStreamAs is the InvokeWithResponseStream of principal, whose request
	// came from sourceARN. It returns when the response begins. An *awsapi.Error
	// is one of gateway.Invoker; another error that is not of ctx is a function
	// that failed. Close ends a Read of the response, and lets the function run on.
	InvokeStreamAs(ctx context.Context, principal, sourceARN, functionARN string, payload []byte) (io.ReadCloser, error)
}

// failureMalformedStream is the answer for a function whose response is not in the
// format of streamed ones (developer guide, response-transfer-mode-lambda: 500).
var failureMalformedStream = failure{"", http.StatusInternalServerError, "InternalServerErrorException", "Internal server error", false}

// integrateStream invokes the method's function and answers with what it writes, as
// it writes it. The time of the integration covers the whole stream.
func (s *Service) integrateStream(q *request, event []byte) (answer, *failure) {
	i := q.route.method.integration
	ctx, cancel := context.WithTimeout(context.WithoutCancel(q.http.Context()), s.streamTimeout(*i))
	response, err := s.deps.Streamer.InvokeStreamAs(ctx, gateway.Principal, gateway.ExecutionARN(q.source()), i.functionARN, event)
	if err != nil {
		defer cancel()
		return answer{}, streamFailure(ctx, err)
	}
	begun := &stream{response: response, timer: cancel}
	context.AfterFunc(ctx, begun.close)
	a, err := begun.answer()
	if err != nil {
		f := streamFailure(ctx, err)
		begun.close()
		return answer{}, f
	}
	return a, nil
}

func (s *Service) streamTimeout(i integration) time.Duration {
	if i.timeoutMilliseconds == 0 {
		return s.deps.Timeout
	}
	return time.Duration(i.timeoutMilliseconds) * time.Millisecond
}

// streamFailure is the answer for a stream that does not begin.
func streamFailure(ctx context.Context, err error) *failure {
	refused := (*awsapi.Error)(nil)
	switch {
	case ctx.Err() != nil || errors.Is(err, context.DeadlineExceeded):
		return &failureTimeout
	case gateway.ErrorCode(err) == "AccessDeniedException":
		return &failureConfiguration
	case errors.As(err, &refused):
		return &failureInvocation
	case errors.Is(err, errMalformedPrelude):
		return &failureMalformedStream
	default:
		return &failureBadGateway
	}
}

// stream is the payload of an answer that is still being written.
type stream struct {
	response io.ReadCloser
	payload  io.Reader
	timer    context.CancelFunc
}

// answer reads the beginning of the response.
func (s *stream) answer() (answer, error) {
	p, payload, err := readPrelude(s.response)
	if err != nil {
		return answer{}, err
	}
	header, err := p.header()
	if err != nil {
		return answer{}, err
	}
	s.payload = payload
	return answer{status: p.StatusCode, header: header, stream: s}, nil
}

// close lets the function run on alone.
func (s *stream) close() {
	_ = s.response.Close()
	s.timer()
}

// send hands a stream on. One that breaks off breaks the connection: nothing else
// tells the client that the answer is not whole.
func (s *Service) send(w http.ResponseWriter, q *request, stream *stream) {
	sent, whole := stream.copyTo(q.http.Context(), w, s.deps.Silence)
	if s.deps.Meter != nil {
		s.deps.Meter.Add(usage.RestBytesSent, float64(sent), nil)
	}
	if !whole {
		panic(http.ErrAbortHandler)
	}
}

// copyTo hands each chunk to the client at once. It returns what was sent, and
// false when the stream broke off: at an error of the function, at the end of the
// integration's time or after silence. A client that is gone misses nothing.
func (s *stream) copyTo(client context.Context, w http.ResponseWriter, silence time.Duration) (sent int, whole bool) {
	defer s.close()
	defer context.AfterFunc(client, s.close)()
	silent := time.AfterFunc(silence, s.close)
	defer silent.Stop()
	out := http.NewResponseController(w)
	_ = out.Flush() // the client's end shows at the next write
	buffer := make([]byte, 32<<10)
	for {
		n, err := s.payload.Read(buffer)
		silent.Reset(silence)
		if n > 0 {
			written, gone := w.Write(buffer[:n])
			sent += written
			if gone != nil || out.Flush() != nil {
				return sent, true
			}
		}
		switch {
		case errors.Is(err, io.EOF):
			return sent, true
		case err != nil:
			return sent, client.Err() != nil
		}
	}
}
