package responsestreaming

import (
	"io"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/events"
)

// Response is a streamed response that is on its way before it is known how it
// begins. Its first byte, that of any JSON object, goes ahead, so that the call
// that takes the response, and the stream behind it, are there when there is
// something to say.
type Response struct {
	begin func() *events.APIGatewayProxyStreamingResponse

	once     sync.Once
	begun    chan struct{} // closed when response is known
	response *events.APIGatewayProxyStreamingResponse

	ahead bool      // the first byte is out
	rest  io.Reader // behind it; nil until the response begins
}

const (
	firstByte = '{'
	// headStart is what the first byte gives to what was set going before it, such
	// as the call of a model: that answers later, and its call should not wait.
	headStart = 2 * time.Millisecond
)

// Awaited returns the response that begin waits for.
func Awaited(begin func() *events.APIGatewayProxyStreamingResponse) *Response {
	return &Response{begin: begin, begun: make(chan struct{})}
}

// Begin waits until it is known how the response begins.
func (r *Response) Begin() *events.APIGatewayProxyStreamingResponse {
	<-r.await()
	return r.response
}

// await returns a channel that is closed when the response begins.
func (r *Response) await() <-chan struct{} {
	r.once.Do(func() {
		go func() {
			r.response = r.begin()
			close(r.begun)
		}()
	})
	return r.begun
}

// ContentType is that of a response in API Gateway's format.
func (r *Response) ContentType() string { return integrationResponse }

// Read implements io.Reader for one reader.
func (r *Response) Read(p []byte) (int, error) {
	switch {
	case len(p) == 0:
		return 0, nil
	case !r.ahead:
		r.giveWay()
		r.ahead, p[0] = true, firstByte
		return 1, nil
	case r.rest == nil:
		r.rest = r.Begin()
		if _, err := io.ReadFull(r.rest, make([]byte, 1)); err != nil { // the byte that went ahead
			return 0, err
		}
	}
	return r.rest.Read(p)
}

// giveWay waits for headStart, or until the response begins.
func (r *Response) giveWay() {
	select {
	case <-r.await():
	case <-time.After(headStart):
	}
}
