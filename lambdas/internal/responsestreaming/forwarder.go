package responsestreaming

import (
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"strings"
)

// What makes a response a stream to the Runtime API.
const (
	responseMode        = "Lambda-Runtime-Function-Response-Mode"
	streaming           = "streaming"
	integrationResponse = "application/vnd.awslambda.http-integration-response"
)

// forwarder passes the calls of the Runtime API on, and marks the streamed
// responses among them.
type forwarder struct {
	api       *url.URL
	transport http.RoundTripper
}

func newForwarder(api *url.URL) *forwarder {
	transport := http.DefaultTransport.(*http.Transport).Clone() //nolint:errcheck // as net/http declares it
	transport.Proxy = nil
	return &forwarder{api: api, transport: transport}
}

// ServeHTTP implements http.Handler. A call that fails is aborted, so that
// aws-lambda-go sees the failed call that it is.
func (f *forwarder) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	response, err := f.transport.RoundTrip(f.outgoing(r))
	// A response that nobody takes is still read to its end: what writes it has
	// work to complete, and the process ends with the failed call.
	_, _ = io.Copy(io.Discard, r.Body)
	if err != nil {
		slog.Error("calling the Runtime API", slog.Any("error", err))
		panic(http.ErrAbortHandler)
	}
	defer func() { _ = response.Body.Close() }()
	maps.Copy(w.Header(), response.Header)
	w.WriteHeader(response.StatusCode)
	if _, err := io.Copy(w, response.Body); err != nil {
		slog.Error("reading from the Runtime API", slog.Any("error", err))
		panic(http.ErrAbortHandler)
	}
}

func (f *forwarder) outgoing(r *http.Request) *http.Request {
	out := r.Clone(r.Context())
	out.URL, out.Host, out.RequestURI = f.api.JoinPath(r.URL.Path), f.api.Host, ""
	out.Trailer = r.Trailer // the same map: its values arrive after the body
	if isStreamedResponse(r) {
		out.Body = io.NopCloser(r.Body) // is read on when the call has failed
		out.Header.Set(responseMode, streaming)
		out.Close = true
	}
	return out
}

func isStreamedResponse(r *http.Request) bool {
	return strings.HasSuffix(r.URL.Path, "/response") && r.Header.Get("Content-Type") == integrationResponse
}
