package awsconfig

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"

	"github.com/streaming-service/streaming-service/lambdas/internal/roundtrip"
)

// HTTPClient returns a client that speaks TLS as the SDK does and keeps a
// connection to each service for every call that may be under way: to open one
// takes more time than a call.
func HTTPClient() aws.HTTPClient {
	return roundtrip.New(awshttp.NewBuildableClient().GetTransport().TLSClientConfig, MaxCalls)
}
