// Package responsestreaming starts functions whose responses are streamed.
//
// A custom runtime has to tell Lambda that a response is a stream, in the header
// Lambda-Runtime-Function-Response-Mode, and to close the connection after it
// (docs.aws.amazon.com/lambda/latest/dg/runtimes-custom.html, "Implementing
// response streaming in a custom runtime"). aws-lambda-go v1.55 streams what a
// handler's io.Reader yields, with the trailers of an error in mid-stream, but
// does neither, and it has no hook for it. So its Runtime API calls pass through
// a forwarder within the process that adds what is missing and changes nothing
// else.
package responsestreaming

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"os"

	"github.com/aws/aws-lambda-go/lambda"
)

// runtimeAPI is the variable in which Lambda tells a runtime where the Runtime
// API is, as host:port.
const runtimeAPI = "AWS_LAMBDA_RUNTIME_API"

// Start is lambda.Start for a handler that returns
// *events.APIGatewayProxyStreamingResponse. Other responses go out as they do
// there. It does not return.
func Start(handler any) {
	if address := os.Getenv(runtimeAPI); address != "" {
		if err := forwardTo(address); err != nil {
			slog.Error("cannot start", slog.Any("error", err))
			os.Exit(1)
		}
	}
	lambda.Start(handler)
}

// forwardTo puts a forwarder between aws-lambda-go and the Runtime API, whose
// connections are pipes: a response that is to begin soon should not go through
// the network twice.
func forwardTo(address string) error {
	api, err := url.Parse("http://" + address)
	if err != nil {
		return fmt.Errorf("reading %s: %w", runtimeAPI, err)
	}
	if api.Path == "" {
		api.Path = "/" // Lambda's address has no path, and what is joined to none has no slash
	}
	pipes := newPipeListener()
	server := &http.Server{Handler: newForwarder(api)} //nolint:gosec // its one client is this process, and the next event may take hours
	go func() { _ = server.Serve(pipes) }()            // lives as long as the process
	dialPipes(pipes)
	if err := os.Setenv(runtimeAPI, forwarderAddress); err != nil {
		return fmt.Errorf("setting %s: %w", runtimeAPI, err)
	}
	return nil
}
