package localcloud

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// named answers with its own name.
func named(name string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(name)) })
}

// bucket is a handler for what lies under its path.
type bucket struct{ http.Handler }

func (bucket) Names(r *http.Request) bool { return strings.HasPrefix(r.URL.Path, "/svc-uploads/") }

func newFront() *front {
	return &front{
		page:     named("page"),
		local:    map[string]http.Handler{"/config.json": named("config"), "/_local/faults": named("faults")},
		prefixes: map[string]http.Handler{"/_aws/rest/": named("rest"), "/model/": named("model")},
		targets:  map[string]http.Handler{"DynamoDB_20120810": named("tables"), "AWSCognitoIdentityProviderService": named("users")},
		public:   map[string]bool{"AWSCognitoIdentityProviderService": true},
		jwks:     named("jwks"),
		bucket:   bucket{named("bucket")},
		machine:  "build.example",
	}
}

func TestFront(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, method, path, host string
		header                   map[string]string
		status                   int
		body                     string
	}{
		{name: "page", path: "/", status: 200, body: "page"},
		{name: "file of the page", path: "/chat/app.js", status: 200, body: "page"},
		{name: "config", path: "/config.json", status: 200, body: "config"},
		{name: "control", method: "PUT", path: "/_local/faults", status: 200, body: "faults"},
		{name: "unknown control path", path: "/_local/nothing", status: 404},
		{name: "REST API with an unclean path", path: "/_aws/rest/a/v1//x/../y", status: 200, body: "rest"},
		{name: "model", method: "POST", path: "/model/amazon.nova/converse-stream", status: 200, body: "model"},
		{name: "JWKS", path: "/us-east-1_abc/.well-known/jwks.json", status: 200, body: "jwks"},
		{name: "DynamoDB", method: "POST", path: "/", header: map[string]string{"X-Amz-Target": "DynamoDB_20120810.GetItem"}, status: 200, body: "tables"},
		{name: "call on a queue's URL", method: "POST", path: "/0/q", header: map[string]string{"X-Amz-Target": "AWSCognitoIdentityProviderService.SignUp"}, status: 200, body: "users"},
		{name: "unknown service", method: "POST", path: "/", header: map[string]string{"X-Amz-Target": `Nothing"_1.Do`}, status: 400, body: `no service Nothing\"_1`},
		{name: "address as host", path: "/config.json", host: "192.0.2.7:80", status: 200},
		{name: "IPv6 as host", path: "/config.json", host: "[::1]:80", status: 200},
		{name: "localhost", path: "/config.json", host: "localhost:80", status: 200},
		{name: "own name", path: "/config.json", host: "Build.example:80", status: 200},
		{name: "rebound name reads the configuration", path: "/config.json", host: "evil.example:80", status: 403},
		{name: "rebound name sets faults", method: "PUT", path: "/_local/faults", host: "evil.example", status: 403},
		{name: "rebound name reads a table", method: "POST", path: "/", host: "evil.example", header: map[string]string{"X-Amz-Target": "DynamoDB_20120810.Scan"}, status: 403},
		{name: "name that ends like localhost", path: "/config.json", host: "notlocalhost", status: 403},
		{name: "foreign page sets faults", method: "PUT", path: "/_local/faults", header: map[string]string{"Origin": "https://evil.example"}, status: 403},
		{name: "foreign page reads a table", method: "POST", path: "/", header: map[string]string{"X-Amz-Target": "DynamoDB_20120810.Scan", "Origin": "https://evil.example"}, status: 403},
		{name: "foreign page signs in", method: "POST", path: "/", header: map[string]string{"X-Amz-Target": "AWSCognitoIdentityProviderService.InitiateAuth", "Origin": "https://app.example"}, status: 200, body: "users"},
		{name: "own page", path: "/config.json", host: "127.0.0.1:80", header: map[string]string{"Origin": "http://127.0.0.1:80"}, status: 200},
		{name: "object", method: "PUT", path: "/svc-uploads/uploads/a", status: 200, body: "bucket"},
		{name: "foreign page puts an object by its URL", method: "PUT", path: "/svc-uploads/uploads/a", header: map[string]string{"Origin": "https://app.example"}, status: 200, body: "bucket"},
		{name: "foreign page signs as the operator", method: "PUT", path: "/svc-uploads/a", header: map[string]string{"Origin": "https://evil.example", "Authorization": "AWS4-HMAC-SHA256 Credential=me"}, status: 403},
		{name: "rebound name reads an object", path: "/svc-uploads/a", host: "evil.example", status: 403},
		{name: "preflight of a sign-in", method: "OPTIONS", path: "/", header: map[string]string{"Origin": "https://app.example"}, status: 204},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequest(test.method, "http://127.0.0.1:80"+test.path, nil)
			if test.host != "" {
				r.Host = test.host
			}
			for name, value := range test.header {
				r.Header.Set(name, value)
			}
			w := httptest.NewRecorder()
			newFront().ServeHTTP(w, r)
			if w.Code != test.status || !strings.Contains(w.Body.String(), test.body) {
				t.Errorf("got %d %q, want %d with %q", w.Code, w.Body, test.status, test.body)
			}
		})
	}
}

func TestFrontLetsForeignPagesSignIn(t *testing.T) {
	t.Parallel()
	for _, method := range []string{http.MethodOptions, http.MethodPost} {
		r := httptest.NewRequest(method, "http://127.0.0.1/", nil)
		r.Header.Set("Origin", "https://app.example")
		if method == http.MethodPost {
			r.Header.Set("X-Amz-Target", "AWSCognitoIdentityProviderService.InitiateAuth")
		}
		w := httptest.NewRecorder()
		newFront().ServeHTTP(w, r)
		if got := w.Header().Get("Access-Control-Allow-Origin"); got != "*" {
			t.Errorf("%s: Access-Control-Allow-Origin is %q, want *", method, got)
		}
	}
}
