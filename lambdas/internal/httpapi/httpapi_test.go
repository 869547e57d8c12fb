package httpapi_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/streaming-service/streaming-service/lambdas/internal/httpapi"
	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/lambdas/internal/logging"
	"github.com/streaming-service/streaming-service/protocol"
)

// api answers GET /usage with what it was asked.
func api(handler httpapi.Handler) (*httpapi.API, *bytes.Buffer) {
	var log bytes.Buffer
	if handler == nil {
		handler = func(_ context.Context, r httpapi.Request) (httpapi.Response, error) {
			return httpapi.Response{Status: http.StatusOK, Body: map[string]any{"user": r.UserID, "groups": r.Groups, "body": string(r.Body), "key": r.Header("idempotency-key")}}, nil
		}
	}
	return &httpapi.API{
		ClientID: "client",
		Log:      logging.New(&log, 0),
		Routes:   map[httpapi.Route]httpapi.Handler{{Method: http.MethodGet, Resource: httpapi.ResourceUsage}: handler},
	}, &log
}

func event(change func(*events.APIGatewayProxyRequest)) events.APIGatewayProxyRequest {
	e := events.APIGatewayProxyRequest{Resource: httpapi.ResourceUsage, HTTPMethod: http.MethodGet}
	e.RequestContext.Identity.SourceIP = "192.0.2.1"
	e.RequestContext.Authorizer = map[string]any{"claims": map[string]any{"sub": "u", "aud": "client", "token_use": "id", "cognito:groups": "gold,staff"}}
	if change != nil {
		change(&e)
	}
	return e
}

func serve(t *testing.T, a *httpapi.API, e events.APIGatewayProxyRequest) (events.APIGatewayProxyResponse, map[string]any) {
	t.Helper()
	r, err := a.Serve(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	var body map[string]any
	if r.Body != "" {
		if err := json.Unmarshal([]byte(r.Body), &body); err != nil {
			t.Fatalf("%q: %v", r.Body, err)
		}
	}
	return r, body
}

func TestServe(t *testing.T) {
	t.Parallel()
	a, _ := api(nil)
	r, body := serve(t, a, event(func(e *events.APIGatewayProxyRequest) {
		e.Headers = map[string]string{"IDEMPOTENCY-key": "k"}
		e.Body, e.IsBase64Encoded = base64.StdEncoding.EncodeToString([]byte("a<b>")), true
	}))
	want := map[string]any{"user": "u", "groups": []any{"gold", "staff"}, "body": "a<b>", "key": []any{"k"}}
	if r.StatusCode != http.StatusOK || !reflect.DeepEqual(body, want) || !strings.Contains(r.Body, "a<b>") {
		t.Errorf("%d %s", r.StatusCode, r.Body)
	}
	if r.Headers["Content-Type"] != "application/json" || r.Headers["Cache-Control"] != "no-store" {
		t.Errorf("headers %v", r.Headers)
	}
}

func TestServeRefuses(t *testing.T) {
	t.Parallel()
	claims := func(name string, value any) func(*events.APIGatewayProxyRequest) {
		return func(e *events.APIGatewayProxyRequest) {
			e.RequestContext.Authorizer["claims"].(map[string]any)[name] = value
		}
	}
	route := func(method, resource string) func(*events.APIGatewayProxyRequest) {
		return func(e *events.APIGatewayProxyRequest) { e.HTTPMethod, e.Resource = method, resource }
	}
	tests := []struct {
		name   string
		change func(*events.APIGatewayProxyRequest)
		status int
		code   protocol.Code
		allow  string
	}{
		{"no authorizer", func(e *events.APIGatewayProxyRequest) { e.RequestContext.Authorizer = nil }, 401, protocol.CodeUnauthenticated, ""},
		{"other client", claims("aud", "other"), 401, protocol.CodeUnauthenticated, ""},
		{"access token", claims("token_use", "access"), 401, protocol.CodeUnauthenticated, ""},
		{"no user", claims("sub", ""), 401, protocol.CodeUnauthenticated, ""},
		{"claim that is no text", claims("sub", 7), 401, protocol.CodeUnauthenticated, ""},
		{"unknown resource", route("GET", "/{proxy+}"), 404, protocol.CodeNotFound, ""},
		{"root", route("GET", "/"), 404, protocol.CodeNotFound, ""},
		{"method of requests", route("PUT", httpapi.ResourceRequests), 405, protocol.CodeMethodNotAllowed, "POST, OPTIONS"},
		{"method of a request", route("POST", httpapi.ResourceRequest), 405, protocol.CodeMethodNotAllowed, "DELETE, GET, OPTIONS"},
		{"method of usage", route("HEAD", httpapi.ResourceUsage), 405, protocol.CodeMethodNotAllowed, "GET, OPTIONS"},
		{"body that is not base64", func(e *events.APIGatewayProxyRequest) { e.Body, e.IsBase64Encoded = "%", true }, 400, protocol.CodeInvalidRequest, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			a, _ := api(nil)
			r, body := serve(t, a, event(test.change))
			if r.StatusCode != test.status || body["code"] != string(test.code) || r.Headers["Allow"] != test.allow {
				t.Errorf("%d %s, Allow %q", r.StatusCode, r.Body, r.Headers["Allow"])
			}
			if r.Headers["Content-Type"] != "application/problem+json" || body["type"] != "urn:streaming-service:"+string(test.code) || body["status"] != float64(test.status) || body["title"] == "" {
				t.Errorf("problem %v %s", r.Headers, r.Body)
			}
		})
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		err    error
		status int
		retry  string
		logged bool
	}{
		{"not found", fmt.Errorf("reading: %w", life.ErrNotFound), 404, "", false},
		{"unknown outcome", fmt.Errorf("secret cause: %w", life.ErrUnavailable), 503, "1", true},
		{"anything else", errors.New("secret cause"), 500, "", true},
		{"too fast", httpapi.NewError(protocol.CodeRateLimited, "").With("Retry-After", "7"), 429, "7", false},
		{"too fast without a wait", httpapi.NewError(protocol.CodeTooManyInFlight, ""), 429, "1", false},
		{"too large", httpapi.NewError(protocol.CodePayloadTooLarge, ""), 413, "", false},
		{"conflict", httpapi.NewError(protocol.CodeIdempotencyConflict, ""), 409, "", false},
		{"blocked", httpapi.NewError(protocol.CodeBlocked, ""), 403, "", false},
		{"code without a status", httpapi.NewError("strange", ""), 500, "", true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			a, log := api(func(context.Context, httpapi.Request) (httpapi.Response, error) { return httpapi.Response{}, test.err })
			r, _ := serve(t, a, event(nil))
			if r.StatusCode != test.status || r.Headers["Retry-After"] != test.retry {
				t.Errorf("%d, Retry-After %q", r.StatusCode, r.Headers["Retry-After"])
			}
			if strings.Contains(r.Body, "secret") || (log.Len() > 0) != test.logged {
				t.Errorf("body %s, log %s", r.Body, log)
			}
		})
	}
}

func TestOrigins(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		allowed []string
		header  map[string]string
		want    string
	}{
		{"allowed", []string{"https://a.example"}, map[string]string{"Origin": "https://a.example"}, "https://a.example"},
		{"lower-case name", []string{"https://a.example"}, map[string]string{"origin": "https://a.example"}, "https://a.example"},
		{"not allowed", []string{"https://a.example"}, map[string]string{"Origin": "https://a.example.evil"}, ""},
		{"as a client other than a browser writes it", []string{"https://a.example"}, map[string]string{"Origin": "HTTPS://A.example:443"}, "HTTPS://A.example:443"},
		{"opaque", []string{"https://a.example"}, map[string]string{"Origin": "null"}, ""},
		{"any", nil, map[string]string{"Origin": "https://b.example"}, "https://b.example"},
		{"no origin", nil, nil, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			for _, method := range []string{http.MethodGet, http.MethodOptions, http.MethodPut} {
				a, _ := api(nil)
				a.AllowedOrigins = test.allowed
				r, _ := serve(t, a, event(func(e *events.APIGatewayProxyRequest) { e.Headers, e.HTTPMethod = test.header, method }))
				exposed := r.Headers["Access-Control-Expose-Headers"] != ""
				if r.Headers["Access-Control-Allow-Origin"] != test.want || r.Headers["Vary"] != "Origin" || exposed != (test.want != "") {
					t.Errorf("%s: %v", method, r.Headers)
				}
			}
		})
	}
}

// TestOriginOfTheSite: the origin of the hosted page is known to the stage alone,
// and is allowed beside the list.
func TestOriginOfTheSite(t *testing.T) {
	t.Parallel()
	const site = "https://d111111abcdef8.cloudfront.net"
	for _, test := range []struct {
		name             string
		allowed          []string
		variable, caller string
		allow            bool
	}{
		{"site", []string{"https://a.example"}, site, site, true},
		{"listed, beside the site", []string{"https://a.example"}, site, "https://a.example", true},
		{"neither", []string{"https://a.example"}, site, "https://b.example", false},
		{"site of another", []string{"https://a.example"}, site, "https://d222222abcdef8.cloudfront.net", false},
		{"site without the variable", []string{"https://a.example"}, "", site, false},
		{"variable that is no origin", []string{"https://a.example"}, "*", "https://b.example", false},
		{"no list", nil, site, "https://b.example", true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			for _, method := range []string{http.MethodGet, http.MethodOptions} {
				a, _ := api(nil)
				a.AllowedOrigins = test.allowed
				r, _ := serve(t, a, event(func(e *events.APIGatewayProxyRequest) {
					e.Headers, e.HTTPMethod = map[string]string{"Origin": test.caller}, method
					e.StageVariables = map[string]string{"siteOrigin": test.variable}
				}))
				if got := r.Headers["Access-Control-Allow-Origin"]; (got == test.caller) != test.allow || got != "" && !test.allow {
					t.Errorf("%s: allowed %q", method, got)
				}
			}
		})
	}
}

// The clients of OpenAI send headers of their own making.
func TestPreflightOfOpenAIAllowsEveryHeader(t *testing.T) {
	t.Parallel()
	a, _ := api(nil)
	r, _ := serve(t, a, event(func(e *events.APIGatewayProxyRequest) {
		e.HTTPMethod, e.Resource = http.MethodOptions, httpapi.ResourceChatCompletions
	}))
	if got := r.Headers["Access-Control-Allow-Headers"]; got != "Authorization, *" {
		t.Errorf("allowed headers %q", got)
	}
}

func TestPreflightNeedsNoToken(t *testing.T) {
	t.Parallel()
	a, _ := api(nil)
	r, _ := serve(t, a, event(func(e *events.APIGatewayProxyRequest) {
		e.HTTPMethod, e.RequestContext.Authorizer = http.MethodOptions, nil
		e.Headers = map[string]string{"Origin": "https://a.example"}
	}))
	want := map[string]string{
		"Access-Control-Allow-Methods": "GET, OPTIONS",
		"Access-Control-Allow-Headers": "Authorization, Content-Type, Idempotency-Key",
		"Access-Control-Max-Age":       "7200",
		"Access-Control-Allow-Origin":  "https://a.example",
	}
	for name, value := range want {
		if r.Headers[name] != value {
			t.Errorf("%s = %q, want %q", name, r.Headers[name], value)
		}
	}
	if r.StatusCode != http.StatusNoContent || r.Body != "" {
		t.Errorf("%d %q", r.StatusCode, r.Body)
	}
}

// TestOpenRoutes: what is for anybody needs no token, but an allowed address.
func TestOpenRoutes(t *testing.T) {
	t.Parallel()
	for ip, status := range map[string]int{"10.1.2.3": http.StatusOK, "192.0.2.1": http.StatusForbidden} {
		a, _ := api(nil)
		a.AllowedCIDRs = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
		a.Open = map[httpapi.Route]httpapi.Handler{{Method: http.MethodGet, Resource: httpapi.ResourceDocument}: func(context.Context, httpapi.Request) (httpapi.Response, error) {
			return httpapi.Response{Status: http.StatusOK, Body: json.RawMessage(`{"openapi":"3.0.1"}`)}, nil
		}}
		anonymous := func(method string) events.APIGatewayProxyRequest {
			return event(func(e *events.APIGatewayProxyRequest) {
				e.Resource, e.HTTPMethod, e.RequestContext.Authorizer, e.RequestContext.Identity.SourceIP = httpapi.ResourceDocument, method, nil, ip
				e.Headers = map[string]string{"Origin": "https://a.example"}
			})
		}
		r, _ := serve(t, a, anonymous(http.MethodGet))
		if r.StatusCode != status || r.Headers["Access-Control-Allow-Origin"] != "https://a.example" {
			t.Errorf("from %s: %d %v %s", ip, r.StatusCode, r.Headers, r.Body)
		}
		if r, _ := serve(t, a, anonymous(http.MethodPost)); r.StatusCode == http.StatusOK {
			t.Errorf("POST from %s: %d %s", ip, r.StatusCode, r.Body)
		}
	}
}

func TestSources(t *testing.T) {
	t.Parallel()
	tests := map[string]bool{"10.1.2.3": true, "::ffff:10.1.2.3": true, "11.0.0.1": false, "2001:db8::1": true, "": false, "x": false}
	for ip, allowed := range tests {
		for _, method := range []string{http.MethodGet, http.MethodOptions} {
			a, _ := api(nil)
			a.AllowedCIDRs = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("2001:db8::/32")}
			r, _ := serve(t, a, event(func(e *events.APIGatewayProxyRequest) { e.RequestContext.Identity.SourceIP, e.HTTPMethod = ip, method }))
			if (r.StatusCode != http.StatusForbidden) != allowed {
				t.Errorf("%s from %q: %d", method, ip, r.StatusCode)
			}
		}
	}
}

// Whatever headers and claims arrive, there is an answer, and no header of it
// can be split.
func FuzzServe(f *testing.F) {
	f.Add("Origin", "https://a.example", "gold", "GET", httpapi.ResourceUsage, "")
	f.Add("oRIGIN", "x\r\nSet-Cookie: y", "[a b]", "OPTIONS", "/{proxy+}", "%")
	f.Add("Idempotency-Key", "", ",,,", "", "", "{}")
	f.Fuzz(func(t *testing.T, name, value, groups, method, resource, body string) {
		a, _ := api(nil)
		r, err := a.Serve(t.Context(), event(func(e *events.APIGatewayProxyRequest) {
			e.Headers = map[string]string{name: value}
			e.RequestContext.Authorizer["claims"].(map[string]any)["cognito:groups"] = groups
			e.HTTPMethod, e.Resource, e.Body, e.IsBase64Encoded = method, resource, body, true
		}))
		if err != nil || r.StatusCode < 200 {
			t.Fatalf("%d, %v", r.StatusCode, err)
		}
		for name, value := range r.Headers {
			if strings.ContainsAny(value, "\r\n") {
				t.Errorf("header %s: %q", name, value)
			}
		}
	})
}

// A table that does not answer must not take the function down with it: the
// caller is told that the outcome is unknown while there is time to say so.
func TestHangingCallIsAnsweredInTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a, _ := api(func(ctx context.Context, _ httpapi.Request) (httpapi.Response, error) {
			<-ctx.Done()
			return httpapi.Response{}, fmt.Errorf("%w: %w", life.ErrUnavailable, ctx.Err())
		})
		killed, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		r, err := a.Serve(killed, event(nil))
		if err != nil || r.StatusCode != http.StatusServiceUnavailable || r.Headers["Retry-After"] == "" {
			t.Errorf("%d %v, %v", r.StatusCode, r.Headers, err)
		}
		if killed.Err() != nil {
			t.Error("answered when the function was dead")
		}
	})
}
