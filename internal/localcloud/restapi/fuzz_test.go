package restapi

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/streaming-service/streaming-service/internal/localcloud/gateway"
)

// FuzzSubstitute checks that only references are replaced, once: what a
// request brings in is not substituted again.
func FuzzSubstitute(f *testing.F) {
	f.Add(`{"message":$context.error.messageString}`, "value")
	f.Add("$context.requestId$context.stage.", "$context.error.message")
	f.Add("$method.request.header.X-Any '$stageVariables.a' ${context.stage} $$context", "x")
	f.Add("$context.authorizer.claims.cognito:groups", "")
	f.Fuzz(func(t *testing.T, template, value string) {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
		r.Header.Set("X-Any", value)
		v := variables{q: &request{http: r, fields: gateway.EventHeaders(r, ""), id: "ID", stage: Stage{Name: "v1"}}, failure: failureThrottled, status: 429}
		got := v.substitute(template)
		if !strings.Contains(template, "$") && got != template {
			t.Errorf("%q without a reference became %q", template, got)
		}
		if got := v.substitute("$method.request.header.X-Any"); got != value {
			t.Errorf("header value %q became %q", value, got)
		}
		if got := v.substitute("$context.error.messageString"); !json.Valid([]byte(got)) {
			t.Errorf("messageString %q is not JSON", got)
		}
	})
}

// FuzzMapResponse checks that no result of a function breaks the gateway.
func FuzzMapResponse(f *testing.F) {
	f.Add([]byte(`{"statusCode":200,"headers":{"A":"b"},"multiValueHeaders":{"A":["c"]},"body":"x","isBase64Encoded":true}`))
	f.Add([]byte(`{"statusCode":"404"}`))
	f.Add([]byte(`null`))
	f.Fuzz(func(t *testing.T, result []byte) {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
		a, err := (&snapshot{}).mapResponse(&request{http: r}, result)
		if err == nil && (a.status < 200 || a.status > 599 || a.header.Get("Content-Type") == "" && !strings.Contains(strings.ToLower(string(result)), "content-type")) {
			t.Errorf("%s became %d %v", result, a.status, a.header)
		}
	})
}

// FuzzMatch checks that every path is either refused or matched by a resource.
func FuzzMatch(f *testing.F) {
	made := withRoot("root")
	for _, path := range []string{"/requests", "/requests/{requestId}", "/{proxy+}"} {
		if _, err := made.addResource(path); err != nil {
			f.Fatal(err)
		}
		made.methods[methodKey{path, methodAny}] = method{httpMethod: methodAny}
	}
	snap := &snapshot{definition: made}
	snap.root = snap.tree("/")
	for _, seed := range []string{"/requests", "/requests/a", "//", "/requests//b", "/x/y/z", "/%2F"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, path string) {
		found, ok := snap.match("GET", path)
		trimmed := strings.Trim(path, "/")
		if ok != (trimmed != "") {
			t.Fatalf("%q: matched %v", path, ok)
		}
		if proxy, isProxy := found.params["proxy"]; isProxy && proxy != trimmed {
			t.Errorf("%q: greedy variable is %q", path, proxy)
		}
		if id, isID := found.params["requestId"]; isID && "requests/"+id != trimmed {
			t.Errorf("%q: variable is %q", path, id)
		}
	})
}
