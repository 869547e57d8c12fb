package lambda

import (
	"bytes"
	"errors"
	"io"
	"sync/atomic"
	"time"
)

// streamLimits are those of a streamed response
// (docs.aws.amazon.com/lambda/latest/dg/configuration-response-streaming.html).
type streamLimits struct {
	size  int64 // of the whole response
	burst int64 // that goes out unthrottled
	rate  int64 // bytes a second after the burst
}

var defaultStreamLimits = streamLimits{size: 200 << 20, burst: 6 << 20, rate: 2 << 20}

// responseStream carries a response from the process to the caller while the
// process writes it.
type responseStream struct {
	requestID string
	begun     chan beginning // one value
	started   atomic.Bool
	reader    *io.PipeReader
	writer    *io.PipeWriter
	bytes     atomic.Int64
}

// beginning is what the caller of InvokeStream waits for.
type beginning struct {
	response *StreamedResponse
	err      error
}

func newResponseStream(requestID string) *responseStream {
	s := &responseStream{requestID: requestID, begun: make(chan beginning, 1)}
	s.reader, s.writer = io.Pipe()
	return s
}

// begin hands the stream to the caller. It returns false when it has begun.
func (s *responseStream) begin(contentType string) bool {
	if s.started.Swap(true) {
		return false
	}
	s.begun <- beginning{response: &StreamedResponse{RequestID: s.requestID, ContentType: contentType, Body: s.reader}}
	return true
}

// abandon drops what the function writes.
func (s *responseStream) abandon() { _ = s.reader.Close() }

// receive copies what the process writes, at the pace of the caller and no
// faster than Lambda's bandwidth. For a caller that is gone it reads on.
func (s *responseStream) receive(body io.Reader, limits streamLimits) error {
	buffer := make([]byte, 32<<10)
	for {
		n, err := body.Read(buffer)
		total := s.bytes.Add(int64(n))
		if n > 0 {
			if _, gone := s.writer.Write(buffer[:n]); gone == nil {
				time.Sleep(limits.pause(total, n))
			}
		}
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
	}
}

// pause is how long the bandwidth is taken by the last n of total bytes.
func (l streamLimits) pause(total int64, n int) time.Duration {
	throttled := max(0, min(int64(n), total-l.burst))
	return time.Duration(throttled) * time.Second / time.Duration(l.rate)
}

// end tells the caller how the invocation ended. A response that did not come as
// a stream is handed over in one piece.
func (s *responseStream) end(o outcome) {
	var failure error
	if o.errorType != "" {
		failure = &StreamError{RequestID: s.requestID, Code: o.errorType, Details: o.payload}
	}
	if s.started.Swap(true) {
		_ = s.writer.CloseWithError(failure)
		return
	}
	if failure != nil {
		s.begun <- beginning{err: failure}
		return
	}
	s.bytes.Store(int64(len(o.payload)))
	s.begun <- beginning{response: &StreamedResponse{
		RequestID: s.requestID, ContentType: o.contentType, Body: io.NopCloser(bytes.NewReader(o.payload)),
	}}
}
