package sockets_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigatewaymanagementapi"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/streaming-service/streaming-service/lambdas/internal/awsconfig"
	"github.com/streaming-service/streaming-service/lambdas/internal/sockets"
)

// recorder is an API that remembers each call as it came.
type recorder struct {
	*httptest.Server
	calls chan call
}

// call is what of a call is signed, and the signature.
type call struct{ line, body, host, length, kind, date, token, authorization string }

func record(t *testing.T, respond http.HandlerFunc) *recorder {
	t.Helper()
	r := &recorder{calls: make(chan call, 10)}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		body, _ := io.ReadAll(q.Body)
		r.calls <- call{
			q.Method + " " + q.RequestURI, string(body), q.Host, fmt.Sprint(q.ContentLength), q.Header.Get("Content-Type"),
			q.Header.Get("X-Amz-Date"), q.Header.Get("X-Amz-Security-Token"), q.Header.Get("Authorization"),
		}
		respond(w, q)
	}))
	t.Cleanup(r.Close)
	return r
}

func fine(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) }

// fixed are credentials that never change.
func fixed(token string) aws.CredentialsProvider {
	return aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: "id", SecretAccessKey: "secret", SessionToken: token}, nil
	})
}

// sdk is the SDK's client without the headers of its statistics.
func sdk(cfg aws.Config, endpoint string) *apigatewaymanagementapi.Client {
	strip := middleware.FinalizeMiddlewareFunc("Strip", func(
		ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler,
	) (middleware.FinalizeOutput, middleware.Metadata, error) {
		if request, ok := in.Request.(*smithyhttp.Request); ok {
			request.Header.Del("Amz-Sdk-Invocation-Id")
			request.Header.Del("Amz-Sdk-Request")
		}
		return next.HandleFinalize(ctx, in)
	})
	return apigatewaymanagementapi.NewFromConfig(cfg, func(o *apigatewaymanagementapi.Options) {
		o.BaseEndpoint, o.Retryer = &endpoint, aws.NopRetryer{}
		o.APIOptions = append(o.APIOptions, func(stack *middleware.Stack) error {
			return stack.Finalize.Insert(strip, "Signing", middleware.Before)
		})
	})
}

const dateFormat = "20060102T150405Z"

// At the same time and with the same credentials, a call is the SDK's, to the
// signature.
func TestCallsAreThoseOfTheSDK(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"/v1", "", "/v1/"} {
		for _, id := range []string{"R1k=", "a/b c+d", "é?#%"} {
			for _, token := range []string{"", "token//=="} {
				for _, frame := range []string{"", "x", `{"type":"delta","text":"é"}`} {
					t.Run(fmt.Sprintf("%s|%s|%s|%s", path, id, token, frame), func(t *testing.T) {
						t.Parallel()
						compare(t, path, id, token, frame)
					})
				}
			}
		}
	}
}

// compare posts a frame, or without one deletes the connection.
func compare(t *testing.T, path, id, token, frame string) {
	t.Helper()
	r := record(t, fine)
	cfg := aws.Config{Region: "eu-west-1", HTTPClient: awsconfig.HTTPClient(), Credentials: fixed(token)}
	client, ours := sdk(cfg, r.URL+path), sockets.New(cfg, r.URL+path, nil, nil)
	var err error
	if frame == "" {
		_, err = client.DeleteConnection(t.Context(), &apigatewaymanagementapi.DeleteConnectionInput{ConnectionId: &id})
	} else {
		_, err = client.PostToConnection(t.Context(), &apigatewaymanagementapi.PostToConnectionInput{ConnectionId: &id, Data: []byte(frame)})
	}
	if err != nil {
		t.Fatal(err)
	}
	want := <-r.calls
	at, err := time.Parse(dateFormat, want.date)
	if err != nil {
		t.Fatal(err)
	}
	ours.SetClock(func() time.Time { return at })
	if frame == "" {
		err = sockets.Delete(ours, t.Context(), id)
	} else {
		err = sockets.Post(ours, t.Context(), id, []byte(frame))
	}
	if err != nil {
		t.Fatal(err)
	}
	if got := <-r.calls; got != want {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

// Whoever looks at an error finds in it what the SDK would say.
func TestErrorsAreThoseOfTheSDK(t *testing.T) {
	t.Parallel()
	for _, a := range []answer{
		gone, limited, {403, "ForbiddenException"}, {413, "PayloadTooLargeException"}, {410, "GoneException:http://internal.amazon.com/"},
		{500, "InternalServerError"}, {429, "TooManyRequestsException"},
	} {
		t.Run(fmt.Sprint(a), func(t *testing.T) {
			t.Parallel()
			r := record(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("X-Amzn-Errortype", a.typed)
				w.Header().Set("X-Amzn-Requestid", "request-7")
				w.WriteHeader(a.status)
				_, _ = io.WriteString(w, `{"message":"no"}`)
			})
			cfg := aws.Config{Region: "eu-west-1", HTTPClient: awsconfig.HTTPClient(), Credentials: fixed("")}
			_, want := sdk(cfg, r.URL).PostToConnection(t.Context(), &apigatewaymanagementapi.PostToConnectionInput{ConnectionId: aws.String("a"), Data: []byte("x")})
			got := sockets.Post(sockets.New(cfg, r.URL, nil, nil), t.Context(), "a", []byte("x"))
			if code(got) != code(want) || status(got) != status(want) || status(want) != a.status {
				t.Errorf("got %s %d, want %s %d", code(got), status(got), code(want), status(want))
			}
			if !strings.Contains(got.Error(), "RequestID: request-7") {
				t.Errorf("%v does not name the call", got)
			}
		})
	}
}

func code(err error) string {
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		return api.ErrorCode()
	}
	return ""
}

func status(err error) int {
	if response, ok := errors.AsType[*smithyhttp.ResponseError](err); ok {
		return response.HTTPStatusCode()
	}
	return 0
}

// AWS refuses calls of a clock that is 5 minutes off; its answers tell the time.
func TestClockFollowsThatOfAWS(t *testing.T) {
	t.Parallel()
	const ahead = 10 * time.Minute
	r := record(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Date", time.Now().Add(ahead).UTC().Format(http.TimeFormat))
	})
	cfg := aws.Config{Region: "eu-west-1", HTTPClient: awsconfig.HTTPClient(), Credentials: fixed("")}
	client, ours := sdk(cfg, r.URL), sockets.New(cfg, r.URL, nil, nil)
	for name, post := range map[string]func() error{
		"ours": func() error { return sockets.Post(ours, t.Context(), "a", []byte("x")) },
		"the SDK's": func() error {
			_, err := client.PostToConnection(t.Context(), &apigatewaymanagementapi.PostToConnectionInput{ConnectionId: aws.String("a"), Data: []byte("x")})
			return err
		},
	} {
		for n, want := range []time.Duration{0, ahead} {
			if err := post(); err != nil {
				t.Fatal(err)
			}
			at, err := time.Parse(dateFormat, (<-r.calls).date)
			if got := time.Until(at); err != nil || (got-want).Abs() > time.Minute {
				t.Errorf("%s: call %d is signed for %v from now, %v; want %v", name, n, got, err, want)
			}
		}
	}
}

// Lambda's credentials do not change, those of others do.
func TestEachCallAsksForItsCredentials(t *testing.T) {
	t.Parallel()
	r := record(t, fine)
	var asked atomic.Int32
	changing := aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: fmt.Sprintf("id%d", asked.Add(1)), SecretAccessKey: "secret"}, nil
	})
	ours := sockets.New(aws.Config{Region: "eu-west-1", HTTPClient: awsconfig.HTTPClient(), Credentials: changing}, r.URL, nil, nil)
	for n := 1; n <= 2; n++ {
		if err := sockets.Post(ours, t.Context(), "a", []byte("x")); err != nil {
			t.Fatal(err)
		}
		if got, want := (<-r.calls).authorization, fmt.Sprintf("Credential=id%d/", n); !strings.Contains(got, want) {
			t.Errorf("call %d: %s, want %s", n, got, want)
		}
	}
}

// A burst makes no more connections than are kept, and all are used again. One
// takes a moment to be free after its answer.
func TestConnectionsAreUsedAgain(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	connections := map[string]bool{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		mu.Lock()
		connections[q.RemoteAddr] = true
		mu.Unlock()
		time.Sleep(time.Millisecond)
		_, _ = io.WriteString(w, "what nobody reads")
	}))
	t.Cleanup(server.Close)
	ours := sockets.New(aws.Config{Region: "eu-west-1", HTTPClient: awsconfig.HTTPClient(), Credentials: fixed("")}, server.URL, nil, nil)
	var posts sync.WaitGroup
	for range 2 * awsconfig.MaxCalls {
		posts.Go(func() {
			for range 3 {
				if err := sockets.Post(ours, t.Context(), "a", []byte("x")); err != nil {
					t.Error(err)
				}
			}
		})
	}
	posts.Wait()
	mu.Lock()
	defer mu.Unlock()
	if n := len(connections); n > awsconfig.MaxCalls*5/4 {
		t.Errorf("%d connections, want about %d at most", n, awsconfig.MaxCalls)
	}
}
