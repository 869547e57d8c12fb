package cognito_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
	"github.com/streaming-service/streaming-service/internal/localcloud/cognito"
)

const (
	email    = "ann@example.com"
	password = "Correct-horse-9"
)

// guard allows everything and remembers what it was asked.
type guard struct {
	mu     sync.Mutex
	refuse *awsapi.Error
	calls  []awsapi.Call
}

func (g *guard) Admit(_ context.Context, c awsapi.Call) (bool, *awsapi.Error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.calls = append(g.calls, c)
	return false, g.refuse
}

// clock is the time of a service, which tests move.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// pools numbers the pools of all tests.
var pools atomic.Int64

// keys makes the state of a pool with keys and nothing else, once: RSA keys are
// the slow part of a new pool. A pool with an id of its own gets new ones.
var keys = sync.OnceValue(func() string {
	s := cognito.New(cognito.Deps{})
	p, err := s.PutUserPool(cognito.UserPool{})
	if err != nil {
		return err.Error()
	}
	data, err := s.Snapshot()
	if err != nil {
		return err.Error()
	}
	_, state, _ := strings.Cut(string(data), `"`+p.ID+`":`)
	return strings.TrimSuffix(state, "}}")
})

// cloud is a service with one pool and one client, as the component declares
// them.
type cloud struct {
	t       *testing.T
	service *cognito.Service
	guard   *guard
	clock   *clock
	pool    cognito.UserPool
	client  cognito.Client
	server  *httptest.Server
}

func newCloud(t *testing.T, change ...func(*cognito.UserPool, *cognito.Client)) *cloud {
	t.Helper()
	c := &cloud{t: t, guard: &guard{}, clock: &clock{now: time.Now().Truncate(time.Second)}}
	c.service = cognito.New(cognito.Deps{Guard: c.guard, Now: c.clock.Now, Credentials: func(role string) (string, string, string) {
		return "AKID-" + role, "secret", "token"
	}})
	c.pool = cognito.UserPool{Name: "users", UsernameAttributes: []string{"email"}, AutoVerifiedAttributes: []string{"email"}}
	c.client = cognito.Client{
		Name: "app", ExplicitAuthFlows: []string{"ALLOW_USER_SRP_AUTH", "ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"},
		PreventUserExistenceErrors: "ENABLED",
	}
	for _, f := range change {
		f(&c.pool, &c.client)
	}
	var err error
	if c.pool.ID == "" {
		c.pool.ID = fmt.Sprintf("us-east-1_test%05d", pools.Add(1))
		c.must(c.service.Restore([]byte(`{"pools":{"` + c.pool.ID + `":` + keys() + `}}`)))
	}
	c.pool, err = c.service.PutUserPool(c.pool)
	c.must(err)
	c.client.UserPoolID = c.pool.ID
	c.client, err = c.service.PutClient(c.client)
	c.must(err)
	c.server = httptest.NewServer(c.service)
	t.Cleanup(c.server.Close)
	return c
}

func (c *cloud) must(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
}

type object = map[string]any

// ask sends a raw request and returns status and body.
func (c *cloud) ask(target string, body []byte, signed bool) (*http.Response, object) {
	c.t.Helper()
	r, err := http.NewRequestWithContext(c.t.Context(), http.MethodPost, c.server.URL+"/", bytes.NewReader(body))
	c.must(err)
	r.Header.Set("X-Amz-Target", target)
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	if signed {
		r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=AKID/20260101/us-east-1/cognito-idp/aws4_request, SignedHeaders=host, Signature=x")
	}
	response, err := c.server.Client().Do(r)
	c.must(err)
	defer func() { _ = response.Body.Close() }()
	var out object
	if err := json.NewDecoder(response.Body).Decode(&out); err != nil {
		c.t.Fatalf("%s: answer is no JSON: %v", target, err)
	}
	return response, out
}

// call calls an operation; Admin and List ones are signed. ClientId and
// UserPoolId are filled in.
func (c *cloud) call(operation string, in object) (object, string) {
	c.t.Helper()
	admin := strings.HasPrefix(operation, "Admin") || strings.HasPrefix(operation, "List")
	if _, given := in["UserPoolId"]; admin && !given {
		in["UserPoolId"] = c.pool.ID
	}
	if _, given := in["ClientId"]; !given && in["AccessToken"] == nil {
		in["ClientId"] = c.client.ID
	}
	body, err := json.Marshal(in)
	c.must(err)
	response, out := c.ask("AWSCognitoIdentityProviderService."+operation, body, admin)
	code, _ := out["__type"].(string)
	if (response.StatusCode == http.StatusOK) != (code == "") {
		c.t.Errorf("%s: %d %v", operation, response.StatusCode, out)
	}
	return out, code
}

// ok calls an operation that must succeed.
func (c *cloud) ok(operation string, in object) object {
	c.t.Helper()
	out, code := c.call(operation, in)
	if code != "" {
		c.t.Fatalf("%s: %s %v", operation, code, out["message"])
	}
	return out
}

// fails calls an operation that must fail with a code.
func (c *cloud) fails(operation string, in object, want string) object {
	c.t.Helper()
	out, code := c.call(operation, in)
	if code != want {
		c.t.Errorf("%s %v: error %q (%v), want %q", operation, in, code, out["message"], want)
	}
	return out
}

// code returns the newest code mailed to the test's user.
func (c *cloud) code() string {
	c.t.Helper()
	mails := c.outbox(email)
	if len(mails) == 0 {
		c.t.Fatalf("no mail to %s", email)
	}
	return mails[len(mails)-1].Code
}

func (c *cloud) outbox(to string) []cognito.Mail {
	c.t.Helper()
	w := httptest.NewRecorder()
	c.service.ServeOutbox(w, httptest.NewRequestWithContext(c.t.Context(), http.MethodGet, "/_local/outbox?to="+to, nil))
	var mails []cognito.Mail
	c.must(json.Unmarshal(w.Body.Bytes(), &mails))
	return mails
}

func (c *cloud) signUp() {
	c.t.Helper()
	c.ok("SignUp", object{"Username": email, "Password": password})
	c.ok("ConfirmSignUp", object{"Username": email, "ConfirmationCode": c.code()})
}

func passwordAuth(username, text string) object {
	return object{"AuthFlow": "USER_PASSWORD_AUTH", "AuthParameters": object{"USERNAME": username, "PASSWORD": text}}
}

// signIn returns the AuthenticationResult of a password sign-in.
func (c *cloud) signIn() object {
	c.t.Helper()
	result, _ := c.ok("InitiateAuth", passwordAuth(email, password))["AuthenticationResult"].(object)
	if result == nil {
		c.t.Fatal("no AuthenticationResult")
	}
	return result
}

func text(o object, name string) string {
	value, _ := o[name].(string)
	return value
}

func (c *cloud) get(path string) (int, []byte) {
	c.t.Helper()
	r, err := http.NewRequestWithContext(c.t.Context(), http.MethodGet, c.server.URL+path, nil)
	c.must(err)
	response, err := c.server.Client().Do(r)
	c.must(err)
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	c.must(err)
	return response.StatusCode, body
}
