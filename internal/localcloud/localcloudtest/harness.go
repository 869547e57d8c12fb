// Package localcloudtest runs the whole service for end-to-end tests and speaks
// to it as any client would: HTTP, WebSocket and the Cognito API, without the
// project's own client.
package localcloudtest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/streaming-service/streaming-service/internal/localcloud"
	"github.com/streaming-service/streaming-service/internal/localservice"
)

// Harness is a running cloud.
type Harness struct {
	Cloud  *localcloud.Cloud // nil if it runs elsewhere
	URL    string
	Config Config // the outputs
	Client *http.Client
}

// Config is what /_local/outputs says: the outputs, and what is local.
type Config struct {
	RestURL              string            `json:"restUrl"`
	OpenAIURL            string            `json:"openAiUrl"`
	WebSocketURL         string            `json:"webSocketUrl"`
	Region               string            `json:"region"`
	UserPoolID           string            `json:"userPoolId"`
	UserPoolClientID     string            `json:"userPoolClientId"`
	IdentityPoolID       string            `json:"identityPoolId"`
	QueueURL             string            `json:"queueUrl"`
	DeadLetterQueueURL   string            `json:"deadLetterQueueUrl"`
	QuotaTableName       string            `json:"quotaTableName"`
	ConnectionsTableName string            `json:"connectionsTableName"`
	RequestsTableName    string            `json:"requestsTableName"`
	FunctionARNs         map[string]string `json:"functionArns"`
	CognitoEndpoint      string            `json:"cognitoEndpoint"`
	DemoUser             string            `json:"demoUser"`
	DemoPassword         string            `json:"demoPassword"`
}

// Start runs a cloud on a free port until the test ends. Options left zero have
// their defaults.
func Start(tb testing.TB, options localcloud.Options) *Harness {
	tb.Helper()
	h, err := Open(tb.Context(), options)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := h.Cloud.Close(); err != nil {
			tb.Errorf("closing the local cloud: %v", err)
		}
	})
	return h
}

// Open runs a cloud on a free port until it is closed, so that many tests can
// share it. Options left zero have their defaults.
func Open(ctx context.Context, options localcloud.Options) (*Harness, error) {
	if options.Addr == "" {
		options.Addr = "127.0.0.1:0"
	}
	if options.Logger == nil {
		options.Logger = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	}
	cloud, err := localcloud.New(localservice.Program(), options)
	if err != nil {
		return nil, err
	}
	if err := cloud.Start(ctx); err != nil {
		return nil, errors.Join(err, cloud.Close())
	}
	h := newHarness(cloud.URL())
	h.Cloud = cloud
	if err := h.readConfig(ctx); err != nil {
		return nil, errors.Join(err, cloud.Close())
	}
	return h, nil
}

// Attach speaks to a cloud that another process runs.
func Attach(tb testing.TB, cloudURL string) *Harness {
	tb.Helper()
	h := newHarness(cloudURL)
	if err := h.readConfig(tb.Context()); err != nil {
		tb.Fatal(err)
	}
	return h
}

func newHarness(cloudURL string) *Harness {
	return &Harness{URL: cloudURL, Client: &http.Client{Timeout: 35 * time.Second}}
}

func (h *Harness) readConfig(ctx context.Context) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, h.URL+"/_local/outputs", nil)
	if err != nil {
		return err
	}
	response, err := h.Client.Do(request)
	if err != nil {
		return fmt.Errorf("reading /_local/outputs: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	if err := json.NewDecoder(response.Body).Decode(&h.Config); err != nil {
		return fmt.Errorf("reading /_local/outputs: %w", err)
	}
	return nil
}

// Get reads JSON from a path of the cloud's address.
func (h *Harness) Get(tb testing.TB, path string, into any) (status int) {
	tb.Helper()
	answer := h.Do(tb, http.MethodGet, h.URL+path, nil, nil)
	if into != nil && answer.Status == http.StatusOK {
		answer.Decode(tb, into)
	}
	return answer.Status
}

// SetFaults replaces the injected faults; without rules it clears them.
func (h *Harness) SetFaults(tb testing.TB, rules ...map[string]any) {
	tb.Helper()
	method, body := http.MethodPut, any(rules)
	if len(rules) == 0 {
		method, body = http.MethodDelete, nil
	}
	if answer := h.Do(tb, method, h.URL+"/_local/faults", nil, body); answer.Status != http.StatusOK {
		tb.Fatalf("setting faults: %d %s", answer.Status, answer.Body)
	}
}

// Answer is an HTTP response.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// Decode reads the body as JSON.
func (a Answer) Decode(tb testing.TB, into any) {
	tb.Helper()
	if err := json.Unmarshal(a.Body, into); err != nil {
		tb.Fatalf("reading %q as JSON: %v", a.Body, err)
	}
}

// Code is the code of a problem.
func (a Answer) Code() string {
	var problem struct {
		Code string `json:"code"`
	}
	_ = json.Unmarshal(a.Body, &problem) // no problem, no code
	return problem.Code
}

// Do sends a request. A body that is neither nil nor []byte is sent as JSON.
func (h *Harness) Do(tb testing.TB, method, address string, header map[string]string, body any) Answer {
	tb.Helper()
	encoded, ok := body.([]byte)
	if !ok && body != nil {
		var err error
		if encoded, err = json.Marshal(body); err != nil {
			tb.Fatal(err)
		}
	}
	request, err := http.NewRequestWithContext(tb.Context(), method, address, bytes.NewReader(encoded))
	if err != nil {
		tb.Fatal(err)
	}
	for name, value := range header {
		request.Header.Set(name, value)
	}
	response, err := h.Client.Do(request)
	if err != nil {
		tb.Fatalf("%s %s: %v", method, address, err)
	}
	defer func() { _ = response.Body.Close() }()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		tb.Fatalf("%s %s: %v", method, address, err)
	}
	return Answer{Status: response.StatusCode, Header: response.Header, Body: content}
}

// Rest calls the REST API with a token; "" sends none.
func (h *Harness) Rest(tb testing.TB, token, method, path string, body any, header ...string) Answer {
	tb.Helper()
	headers := map[string]string{"Content-Type": "application/json"}
	if token != "" {
		headers["Authorization"] = token
	}
	for i := 0; i+1 < len(header); i += 2 {
		headers[header[i]] = header[i+1]
	}
	return h.Do(tb, method, h.Config.RestURL+path, headers, body)
}

// Cognito calls an operation of the user pools' API.
func (h *Harness) Cognito(tb testing.TB, operation string, input map[string]any) Answer {
	tb.Helper()
	input["ClientId"] = h.Config.UserPoolClientID
	return h.Do(tb, http.MethodPost, h.Config.CognitoEndpoint, map[string]string{
		"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": "AWSCognitoIdentityProviderService." + operation,
	}, input)
}

// Tokens are what a sign-in gives.
type Tokens struct {
	IDToken      string `json:"IdToken"`
	AccessToken  string `json:"AccessToken"`
	RefreshToken string `json:"RefreshToken"`
}

// SignIn signs a user in by password.
func (h *Harness) SignIn(tb testing.TB, email, password string) Tokens {
	tb.Helper()
	answer := h.Cognito(tb, "InitiateAuth", map[string]any{
		"AuthFlow": "USER_PASSWORD_AUTH", "AuthParameters": map[string]string{"USERNAME": email, "PASSWORD": password},
	})
	var result struct {
		AuthenticationResult Tokens
	}
	if answer.Status != http.StatusOK {
		tb.Fatalf("signing in %s: %d %s", email, answer.Status, answer.Body)
	}
	answer.Decode(tb, &result)
	return result.AuthenticationResult
}

// Demo signs the demo user in.
func (h *Harness) Demo(tb testing.TB) Tokens {
	tb.Helper()
	return h.SignIn(tb, h.Config.DemoUser, h.Config.DemoPassword)
}

// Password is that of the users of SignUp.
const Password = "Correct-horse-1"

// SignUp makes a user with the code from the outbox and signs him in.
func (h *Harness) SignUp(tb testing.TB, email string) Tokens {
	tb.Helper()
	if answer := h.Cognito(tb, "SignUp", map[string]any{"Username": email, "Password": Password}); answer.Status != http.StatusOK {
		tb.Fatalf("signing up %s: %d %s", email, answer.Status, answer.Body)
	}
	var mails []struct{ Code string }
	h.Get(tb, "/_local/outbox?to="+url.QueryEscape(email), &mails)
	if len(mails) == 0 {
		tb.Fatalf("no mail to %s in the outbox", email)
	}
	confirm := map[string]any{"Username": email, "ConfirmationCode": mails[len(mails)-1].Code}
	if answer := h.Cognito(tb, "ConfirmSignUp", confirm); answer.Status != http.StatusOK {
		tb.Fatalf("confirming %s: %d %s", email, answer.Status, answer.Body)
	}
	return h.SignIn(tb, email, Password)
}

// Submit posts a request and returns its id; anything but 202 ends the test.
func (h *Harness) Submit(tb testing.TB, token string, body any, header ...string) (requestID string) {
	tb.Helper()
	answer := h.Rest(tb, token, http.MethodPost, "/requests", body, header...)
	if answer.Status != http.StatusAccepted {
		tb.Fatalf("submitting: %d %s", answer.Status, answer.Body)
	}
	var accepted struct{ RequestID string }
	answer.Decode(tb, &accepted)
	return accepted.RequestID
}

// Prompt is the body of a request whose answer a script steers.
func Prompt(text, script string) map[string]any {
	body := map[string]any{"messages": []map[string]string{{"role": "user", "content": text}}}
	if script != "" {
		body["system"] = "script: " + script
	}
	return body
}

// Eventually polls until done or the time is up.
func Eventually(tb testing.TB, within time.Duration, what string, done func() bool) {
	tb.Helper()
	for deadline := time.Now().Add(within); ; time.Sleep(20 * time.Millisecond) {
		if done() {
			return
		}
		if time.Now().After(deadline) {
			tb.Fatalf("%s: not within %v", what, within)
		}
	}
}

// Logs returns what a function logged, for the message of a failing test.
func (h *Harness) Logs(tb testing.TB, function string) string {
	tb.Helper()
	var logs map[string][]string
	h.Get(tb, "/_local/logs?function="+url.QueryEscape(function), &logs)
	var text strings.Builder
	for name, lines := range logs {
		fmt.Fprintf(&text, "%s:\n%s\n", name, strings.Join(lines, "\n"))
	}
	return text.String()
}
