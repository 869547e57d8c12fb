package authorizer_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/streaming-service/streaming-service/lambdas/internal/authorizer"
	"github.com/streaming-service/streaming-service/lambdas/internal/metrics"
	"github.com/streaming-service/streaming-service/lambdas/internal/token"
)

const (
	methodARN = "arn:aws:execute-api:eu-west-1:123456789012:api/v1/$connect"
	goodToken = "header.claims.signature"
)

// verifier knows one good token; any other is invalid unless down.
type verifier struct{ down bool }

func (v verifier) Verify(_ context.Context, raw string) (token.Identity, error) {
	switch {
	case v.down:
		return token.Identity{}, errors.New("fetching the key set: connection refused")
	case raw != goodToken:
		return token.Identity{}, fmt.Errorf("%w: it is malformed", token.ErrInvalid)
	}
	return token.Identity{UserID: "user-1", Groups: []string{"gold", "staff"}, Expires: time.Unix(1_800_000_000, 0)}, nil
}

func TestHandle(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name       string
		headers    map[string]string
		ip         string
		down       bool
		wantEffect string // "" with an error
		wantErr    string // Unauthorized is a 401, anything else a 500
	}{
		{name: "token offered", headers: offer("streaming.v1, " + goodToken), wantEffect: "Allow"},
		{name: "token in Authorization", headers: map[string]string{"authorization": "Bearer " + goodToken}, wantEffect: "Allow"},
		{name: "missing subprotocol is left to $connect", headers: offer(goodToken), wantEffect: "Allow"},
		{name: "allowed origin", headers: offer("streaming.v1, "+goodToken, "origin", "https://APP.example"), wantEffect: "Allow"},
		{name: "allowed origin with its default port", headers: offer("streaming.v1, "+goodToken, "origin", "https://app.example:443"), wantEffect: "Allow"},
		{name: "no token", headers: offer("streaming.v1"), wantErr: "Unauthorized"},
		{name: "no headers", wantErr: "Unauthorized"},
		{name: "bad token", headers: offer("streaming.v1, a.b.c"), wantErr: "Unauthorized"},
		{name: "bad token from a wrong origin", headers: offer("streaming.v1, a.b.c", "Origin", "https://evil.example"), wantErr: "Unauthorized"},
		{name: "wrong origin", headers: offer("streaming.v1, "+goodToken, "Origin", "https://evil.example"), wantEffect: "Deny"},
		{name: "opaque origin", headers: offer("streaming.v1, "+goodToken, "Origin", "null"), wantEffect: "Deny"},
		{name: "origin that only begins right", headers: offer("streaming.v1, "+goodToken, "Origin", "https://app.example.evil.example"), wantEffect: "Deny"},
		{name: "wrong network", headers: offer("streaming.v1, " + goodToken), ip: "192.0.2.1", wantEffect: "Deny"},
		{name: "unreadable address", headers: offer("streaming.v1, " + goodToken), ip: "nowhere", wantEffect: "Deny"},
		{name: "address mapped into IPv6", headers: offer("streaming.v1, " + goodToken), ip: "::ffff:10.1.2.3", wantEffect: "Allow"},
		{name: "keys unreachable", headers: offer("streaming.v1, " + goodToken), down: true, wantErr: "verifying the credential failed"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var counted bytes.Buffer
			a := authorizer.Authorizer{
				Verifier: verifier{down: tt.down},
				Origins:  []string{"https://app.example"},
				Networks: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")},
				Log:      slog.New(slog.DiscardHandler),
				Metrics:  metrics.New(&counted, "N", "s"),
			}
			got, err := a.Handle(t.Context(), event(tt.headers, tt.ip))
			// Anybody can be refused; only what is the service's fault counts.
			if strings.Contains(counted.String(), "InternalErrors") != tt.down {
				t.Errorf("metrics %q", counted.String())
			}
			if tt.wantErr != "" {
				if err == nil || err.Error() != tt.wantErr {
					t.Fatalf("got error %v, want %q", err, tt.wantErr)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			assertPolicy(t, got, tt.wantEffect)
		})
	}
}

func TestHandleWithoutRulesAllowsAnyOriginAndAddress(t *testing.T) {
	t.Parallel()
	a := authorizer.Authorizer{Verifier: verifier{}, Log: slog.New(slog.DiscardHandler)}
	got, err := a.Handle(t.Context(), event(offer("streaming.v1, "+goodToken, "Origin", "https://any.example"), "203.0.113.9"))
	if err != nil {
		t.Fatal(err)
	}
	assertPolicy(t, got, "Allow")
}

// TestSocketsFromTheSite: the stage names the origin of the hosted page, which is
// allowed beside the list.
func TestSocketsFromTheSite(t *testing.T) {
	t.Parallel()
	const site = "https://d111111abcdef8.cloudfront.net"
	a := authorizer.Authorizer{Verifier: verifier{}, Origins: []string{"https://app.example"}, Log: slog.New(slog.DiscardHandler)}
	for _, test := range []struct{ variable, origin, want string }{
		{site, site, "Allow"},
		{site, "https://app.example", "Allow"},
		{site, "https://evil.example", "Deny"},
		{site, "https://d222222abcdef8.cloudfront.net", "Deny"},
		{"", site, "Deny"},
	} {
		e := event(offer("streaming.v1, "+goodToken, "Origin", test.origin), "")
		e.StageVariables = map[string]string{"siteOrigin": test.variable}
		got, err := a.Handle(t.Context(), e)
		if err != nil {
			t.Fatal(err)
		}
		assertPolicy(t, got, test.want)
	}
}

// Rival defect (g): tokens written to logs.
func TestDefectGTokensAreNeverLogged(t *testing.T) {
	t.Parallel()
	var logs bytes.Buffer
	a := authorizer.Authorizer{
		Verifier: verifier{}, Origins: []string{"https://app.example"},
		Log: slog.New(slog.NewJSONHandler(&logs, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	for _, raw := range []string{goodToken, "bad.secret.token"} {
		for _, origin := range []string{"https://app.example", "https://evil.example"} {
			_, _ = a.Handle(t.Context(), event(offer("streaming.v1, "+raw, "Origin", origin), ""))
			_, _ = a.Handle(t.Context(), event(map[string]string{"Authorization": "Bearer " + raw, "Origin": origin}, ""))
		}
	}
	if logs.Len() == 0 {
		t.Error("refusals are not logged")
	}
	for _, secret := range []string{goodToken, "claims", "signature", "secret"} {
		if strings.Contains(logs.String(), secret) {
			t.Errorf("the log holds %q: %s", secret, &logs)
		}
	}
}

// assertPolicy checks the whole answer as API Gateway reads it.
func assertPolicy(t *testing.T, got events.APIGatewayCustomAuthorizerResponse, effect string) {
	t.Helper()
	body, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"principalId":"user-1","policyDocument":{"Version":"2012-10-17","Statement":[{"Action":["execute-api:Invoke"],"Effect":"` + effect +
		`","Resource":["` + methodARN + `"]}]},"context":{"groups":"gold,staff","tokenExp":"1800000000","userId":"user-1"}}`
	if string(body) != want {
		t.Errorf("got  %s\nwant %s", body, want)
	}
}

func event(headers map[string]string, ip string) events.APIGatewayCustomAuthorizerRequestTypeRequest {
	if ip == "" {
		ip = "10.1.2.3"
	}
	e := events.APIGatewayCustomAuthorizerRequestTypeRequest{Type: "REQUEST", MethodArn: methodARN, Headers: headers}
	e.RequestContext.Identity.SourceIP = ip
	return e
}

func offer(protocols string, more ...string) map[string]string {
	headers := map[string]string{"Sec-Websocket-Protocol": protocols}
	for i := 0; i+1 < len(more); i += 2 {
		headers[more[i]] = more[i+1]
	}
	return headers
}
