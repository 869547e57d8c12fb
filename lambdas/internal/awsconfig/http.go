package awsconfig

import (
	"io"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
)

// HTTPClient returns a client that keeps a connection to each service for every
// call that may be under way: to open one takes more time than a call.
func HTTPClient() aws.HTTPClient {
	return plainBodies{awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) {
		t.MaxIdleConns = 0 // as many as of each host
		t.MaxIdleConnsPerHost = MaxCalls
	})}
}

// plainBodies hides the WriteTo of request bodies. That of smithy-go v1.28
// fails once the SDK has closed the body, which it does as soon as the answer's
// header is there; net/http then drops the connection under the answer.
type plainBodies struct{ client aws.HTTPClient }

func (c plainBodies) Do(r *http.Request) (*http.Response, error) {
	if r.Body != nil && r.Body != http.NoBody {
		r.Body = struct{ io.ReadCloser }{r.Body}
	}
	return c.client.Do(r)
}
