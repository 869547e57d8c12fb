package responsestreaming

import (
	"io"
	"time"

	"github.com/aws/aws-lambda-go/events"
)

// Response is a streamed response that is on its way before it is known how it
// begins. Its first byte, that of any JSON object, goes ahead, so that the call
// that takes the response, and the stream behind it, are there when there is
// something to say.
type Response struct {
	begun    chan struct{} // closed when response is known
	response *events.APIGatewayProxyStreamingResponse

	ahead bool      // the first byte is out
	rest  io.Reader // behind it; nil until the response begins
}

const (
	firstByte = '{'
	// headStart is what a response gives to what was set going before it, such as
	// the call of a model: that answers later, and its call should not wait.
	headStart = 2 * time.Millisecond
)

// Awaited returns the response that begin waits for, after headStart or when it
// begins.
func Awaited(begin func() *events.APIGatewayProxyStreamingResponse) *Response {
	r := &Response{begun: make(chan struct{})}
	go func() {
		r.response = begin()
		close(r.begun)
	}()
	select {
	case <-r.begun:
	case <-time.After(headStart):
	}
	return r
}

// Begin waits until it is known how the response begins.
func (r *Response) Begin() *events.APIGatewayProxyStreamingResponse {
	<-r.begun
	return r.response
}

// ContentType is that of a response in API Gateway's format.
func (r *Response) ContentType() string { return integrationResponse }

// Read implements io.Reader for one reader.
func (r *Response) Read(p []byte) (int, error) {
	switch {
	case len(p) == 0:
		return 0, nil
	case !r.ahead:
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
