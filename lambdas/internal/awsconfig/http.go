package awsconfig

import (
	"io"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
)

// HTTPClient returns the client of an AWS service that keeps up to connections
// idle connections to its one host.
func HTTPClient(connections int) aws.HTTPClient {
	return plainBodies{awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) {
		t.MaxIdleConns = connections
		t.MaxIdleConnsPerHost = connections
	})}
}

// Sized returns client with room for so many idle connections. A client that was
// not made here, such as one that reaches services in the same process, is
// returned as it is.
func Sized(client aws.HTTPClient, connections int) aws.HTTPClient {
	switch client.(type) {
	case plainBodies, *awshttp.BuildableClient:
		return HTTPClient(connections)
	}
	return client
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
