package sockets

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/encoding/httpbinding"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/streaming-service/streaming-service/lambdas/internal/awsconfig"
)

// maxErrorBytes is how much is read of what the API says to a refused call.
const maxErrorBytes = 4 << 10

// managementAPI calls the API Gateway Management API, @connections, of one stage.
// It says what the SDK says, without the client around it: a frame is a call, and
// that client takes more time for one than all the rest of a frame.
type managementAPI struct {
	endpoint url.URL
	client   *awsconfig.SignedClient
}

func newManagementAPI(cfg aws.Config, endpoint string) *managementAPI {
	base, _ := url.Parse(strings.TrimSuffix(endpoint, "/")) // a URL: config has checked it
	return &managementAPI{endpoint: *base, client: awsconfig.NewSignedClient(cfg, "execute-api")}
}

// postToConnection sends data to a connection.
func (a *managementAPI) postToConnection(ctx context.Context, connectionID string, data []byte) error {
	return a.call(ctx, http.MethodPost, connectionID, http.Header{"Content-Type": {"application/octet-stream"}}, data)
}

// deleteConnection closes a connection.
func (a *managementAPI) deleteConnection(ctx context.Context, connectionID string) error {
	return a.call(ctx, http.MethodDelete, connectionID, http.Header{}, nil)
}

// call makes one call, once. Its error is that of the SDK: a
// *smithyhttp.ResponseError and a smithy.APIError if the API has answered.
func (a *managementAPI) call(ctx context.Context, method, connectionID string, header http.Header, body []byte) error {
	address := a.endpoint
	address.Path += "/@connections/" + connectionID
	address.RawPath = a.endpoint.EscapedPath() + "/@connections/" + httpbinding.EscapePath(connectionID, true)
	response, err := a.client.Do(ctx, method, &address, header, body)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }() // what it says has been read
	if response.StatusCode >= http.StatusOK && response.StatusCode < http.StatusMultipleChoices {
		_, err = io.Copy(io.Discard, response.Body) // so that the connection can be used again
		return err
	}
	return refusal(response)
}

// refusal is the error that a response stands for.
func refusal(response *http.Response) error {
	var said struct{ Message string }
	body, err := io.ReadAll(io.LimitReader(response.Body, maxErrorBytes))
	if err == nil {
		_ = json.Unmarshal(body, &said) // it need not be JSON
	}
	code, _, _ := strings.Cut(response.Header.Get("X-Amzn-Errortype"), ":")
	if code == "" {
		code = "UnknownError"
	}
	return &awshttp.ResponseError{
		RequestID: response.Header.Get("X-Amzn-Requestid"),
		ResponseError: &smithyhttp.ResponseError{
			Response: &smithyhttp.Response{Response: response},
			Err:      &smithy.GenericAPIError{Code: code, Message: said.Message},
		},
	}
}
