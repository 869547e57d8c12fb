package e2e_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/streaming-service/streaming-service/internal/localcloud/localcloudtest"
)

func TestBadBodies(t *testing.T) {
	t.Parallel()
	p := newPerson(t, cloud(t))
	user := func(content string) map[string]any {
		return map[string]any{"messages": []map[string]string{{"role": "user", "content": content}}}
	}
	with := func(name string, value any) map[string]any {
		body := user("Hi")
		body[name] = value
		return body
	}
	messages := func(roles ...string) map[string]any {
		var list []map[string]string
		for _, role := range roles {
			list = append(list, map[string]string{"role": role, "content": "Hi"})
		}
		return map[string]any{"messages": list}
	}
	for _, test := range []struct {
		name   string
		body   any
		status int
		code   string
		field  string // of the first error; "" for none
	}{
		{"not JSON", []byte("hello"), 400, "invalid_request", "body"},
		{"nothing", []byte(""), 400, "invalid_request", "body"},
		{"half an object", []byte(`{"prompt":"Hi"`), 400, "invalid_request", "body"},
		{"two objects", []byte(`{"prompt":"Hi"}{}`), 400, "invalid_request", "body"},
		{"an array", []byte(`[]`), 400, "invalid_request", "body"},
		{"invalid UTF-8 in a text", []byte("{\"prompt\":\"H\xffi\"}"), 400, "invalid_request", "body"},
		{"half a character at the end", []byte("{\"prompt\":\"Hi\"}\xc3"), 400, "invalid_request", "body"},
		{"not UTF-8", []byte("{\"prompt\":\"\xff\xfe\"}"), 400, "invalid_request", "body"},
		{"unknown field", with("colour", "red"), 400, "invalid_request", "colour"},
		{"unknown field of a message", map[string]any{"messages": []map[string]string{{"role": "user", "content": "Hi", "name": "x"}}}, 400, "invalid_request", "messages[0].name"},
		{"no messages at all", map[string]any{}, 400, "invalid_request", "messages"},
		{"empty messages", map[string]any{"messages": []any{}}, 400, "invalid_request", "messages"},
		{"first message of the assistant", messages("assistant"), 400, "invalid_request", "messages[0].role"},
		{"last message of the assistant", messages("user", "assistant"), 400, "invalid_request", "messages"},
		{"roles that do not alternate", messages("user", "user", "user"), 400, "invalid_request", "messages[1].role"},
		{"unknown role", messages("robot"), 400, "invalid_request", "messages[0].role"},
		{"blank content", user(" \n"), 400, "invalid_request", "messages[0].content"},
		{"blank prompt", map[string]any{"prompt": ""}, 400, "invalid_request", "prompt"},
		{"prompt and messages", with("prompt", "Hi"), 400, "invalid_request", "prompt"},
		{"maxTokens 0", with("maxTokens", 0), 400, "invalid_request", "maxTokens"},
		{"maxTokens below 0", with("maxTokens", -1), 400, "invalid_request", "maxTokens"},
		{"maxTokens over the limit", with("maxTokens", 4097), 400, "invalid_request", "maxTokens"},
		{"maxTokens as a text", with("maxTokens", "10"), 400, "invalid_request", "maxTokens"},
		{"maxTokens with a fraction", with("maxTokens", 1.5), 400, "invalid_request", "maxTokens"},
		{"temperature over 1", with("temperature", 1.1), 400, "invalid_request", "temperature"},
		{"topP below 0", with("topP", -0.1), 400, "invalid_request", "topP"},
		{"stopSequences as a text", with("stopSequences", "x"), 400, "invalid_request", "stopSequences"},
		{"model outside of the list", with("model", "anthropic.claude-opus"), 400, "model_not_allowed", ""},
		{"300 KB", user(strings.Repeat("x", 300_000)), 413, "payload_too_large", ""},
		{"a byte too many", bodyOf(262_145), 413, "payload_too_large", ""},
	} {
		answer := p.call("POST", "/requests", test.body)
		got := wantProblem(t, answer, test.status, test.code)
		switch {
		case test.field == "" && len(got.Errors) > 0:
			t.Errorf("%s: errors %+v, want none", test.name, got.Errors)
		case test.field != "" && (len(got.Errors) == 0 || got.Errors[0].Field != test.field || got.Errors[0].Message == ""):
			t.Errorf("%s: errors %+v, want one of %s", test.name, got.Errors, test.field)
		}
		if t.Failed() {
			t.Fatalf("%s: %d %s", test.name, answer.Status, answer.Body)
		}
	}
	p.wantSettled(0, 0)
	if answer := p.call("POST", "/requests", with("temperature", 1e-300)); answer.Status != http.StatusAccepted {
		t.Errorf("a temperature next to nothing: %d %s", answer.Status, answer.Body)
	}
	if answer := p.call("POST", "/requests", bodyOf(262_144)); answer.Status != http.StatusAccepted {
		t.Errorf("the largest body: %d %s", answer.Status, answer.Body)
	}
}

// bodyOf is a valid body of so many bytes.
func bodyOf(size int) []byte {
	head, tail := `{"system":"script: tokens=1 rate=0","maxTokens":10,"prompt":"`, `"}`
	return []byte(head + strings.Repeat("x", size-len(head)-len(tail)) + tail)
}

func TestBadKeys(t *testing.T) {
	t.Parallel()
	p := newPerson(t, cloud(t))
	for name, key := range map[string]string{"too long": strings.Repeat("k", 129), "with a space": "a b", "not ASCII": "schlüssel", "empty": ""} {
		answer := p.call("POST", "/requests", localcloudtest.Prompt("Hi", ""), "Idempotency-Key", key)
		if got := wantProblem(t, answer, 400, "invalid_request"); len(got.Errors) != 1 || got.Errors[0].Field != "Idempotency-Key" {
			t.Errorf("a key %s: %s", name, answer.Body)
		}
	}
	p.wantSettled(0, 0)
	if answer := p.call("POST", "/requests", localcloudtest.Prompt("Hi", "tokens=1 rate=0"), "Idempotency-Key", strings.Repeat("~", 128)); answer.Status != http.StatusAccepted {
		t.Errorf("the longest key: %d %s", answer.Status, answer.Body)
	}
}

func TestUnknownPathsAndMethods(t *testing.T) {
	t.Parallel()
	p := newPerson(t, cloud(t))
	unknown := "/requests/" + strings.Repeat("a", 26)
	for _, test := range []struct {
		method, path string
		status       int
		code, allow  string
	}{
		{"GET", "/", 404, "not_found", ""},
		{"GET", "/nothing", 404, "not_found", ""},
		{"POST", "/requests/a/b", 404, "not_found", ""},
		{"GET", unknown, 404, "not_found", ""},
		{"DELETE", unknown, 404, "not_found", ""},
		{"GET", "/requests/not-an-id", 404, "not_found", ""},
		{"GET", "/requests/" + strings.Repeat("A", 26), 404, "not_found", ""},
		{"GET", "/requests", 405, "method_not_allowed", "POST, OPTIONS"},
		{"PUT", "/requests", 405, "method_not_allowed", "POST, OPTIONS"},
		{"POST", unknown, 405, "method_not_allowed", "DELETE, GET, OPTIONS"},
		{"DELETE", "/usage", 405, "method_not_allowed", "GET, OPTIONS"},
	} {
		answer := p.call(test.method, test.path, nil)
		wantProblem(t, answer, test.status, test.code)
		if got := answer.Header.Get("Allow"); got != test.allow {
			t.Errorf("%s %s: Allow %q, want %q", test.method, test.path, got, test.allow)
		}
	}
}

func TestPagesOfAnyOriginMayCall(t *testing.T) {
	t.Parallel()
	h := cloud(t)
	const origin = "https://app.example"
	for path, methods := range map[string]string{"/requests": "POST, OPTIONS", "/usage": "GET, OPTIONS", "/requests/" + strings.Repeat("a", 26): "DELETE, GET, OPTIONS"} {
		answer := h.Rest(t, "", "OPTIONS", path, nil, "Origin", origin, "Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "authorization,content-type,idempotency-key")
		allowed := answer.Header.Get("Access-Control-Allow-Headers")
		if answer.Status != http.StatusNoContent || answer.Header.Get("Access-Control-Allow-Origin") != origin || answer.Header.Get("Access-Control-Allow-Methods") != methods ||
			!strings.Contains(allowed, "Authorization") || !strings.Contains(allowed, "Idempotency-Key") || !strings.Contains(allowed, "Content-Type") {
			t.Errorf("preflight of %s: %d %v", path, answer.Status, answer.Header)
		}
	}
	p := newPerson(t, h)
	for _, answer := range []localcloudtest.Answer{
		p.call("GET", "/usage", nil, "Origin", origin),
		p.call("POST", "/requests", []byte("x"), "Origin", origin),
		h.Rest(t, "", "GET", "/usage", nil, "Origin", origin), // the gateway's own
	} {
		allow, expose := answer.Header.Get("Access-Control-Allow-Origin"), answer.Header.Get("Access-Control-Expose-Headers")
		if allow != origin && allow != "*" || !strings.Contains(expose, "Retry-After") || !strings.Contains(expose, "RateLimit-Remaining") {
			t.Errorf("%d: headers %v, want CORS", answer.Status, answer.Header)
		}
	}
}

func TestOnlyAllowedOriginsMayCall(t *testing.T) {
	t.Parallel()
	h := ownCloud(t, "auth.allowedOrigins[0]=https://App.example:443", "auth.allowedCidrs[0]=::ffff:127.0.0.0/104")
	p := newPerson(t, h)
	for origin, want := range map[string]string{"https://app.example": "https://app.example", "https://evil.example": "", "https://app.example.evil.example": ""} {
		if got := p.call("GET", "/usage", nil, "Origin", origin).Header.Get("Access-Control-Allow-Origin"); got != want {
			t.Errorf("a page of %s gets Access-Control-Allow-Origin %q, want %q", origin, got, want)
		}
		preflight := h.Rest(t, "", "OPTIONS", "/requests", nil, "Origin", origin, "Access-Control-Request-Method", "POST")
		if got := preflight.Header.Get("Access-Control-Allow-Origin"); got != want {
			t.Errorf("a preflight of %s gets Access-Control-Allow-Origin %q, want %q", origin, got, want)
		}
		refused := h.Rest(t, "", "GET", "/usage", nil, "Origin", origin) // by the gateway itself
		if got := refused.Header.Get("Access-Control-Allow-Origin"); refused.Status != http.StatusUnauthorized || got != "https://app.example" {
			t.Errorf("the gateway answers %d to %s with Access-Control-Allow-Origin %q, want the only origin", refused.Status, origin, got)
		}
		status := 101
		if want == "" {
			status = 403
		}
		if got := handshake(t, h, "streaming.v1, "+p.token(), "Origin", origin); got != status {
			t.Errorf("a socket of a page of %s: %d, want %d", origin, got, status)
		}
	}
	if got := handshake(t, h, "streaming.v1, "+p.token()); got != 101 {
		t.Errorf("a socket without an Origin: %d", got)
	}
}

func TestOnlyAllowedAddressesMayCall(t *testing.T) {
	t.Parallel()
	h := ownCloud(t, "auth.allowedCidrs[0]=192.0.2.0/24")
	token := h.Demo(t).IDToken
	wantProblem(t, h.Rest(t, token, "GET", "/usage", nil), http.StatusForbidden, "forbidden")
	wantProblem(t, h.Rest(t, token, "POST", "/requests", map[string]string{"prompt": "Hi"}), http.StatusForbidden, "forbidden")
	if got := handshake(t, h, "streaming.v1, "+token); got != http.StatusForbidden {
		t.Errorf("handshake %d, want 403", got)
	}
}

// Header names have no case, for API Gateway as for everybody else.
func TestHeadersInAnyCase(t *testing.T) {
	t.Parallel()
	p := newPerson(t, cloud(t))
	var ids []string
	for _, names := range [][2]string{{"authorization", "idempotency-key"}, {"AUTHORIZATION", "IDEMPOTENCY-KEY"}, {"Authorization", "Idempotency-Key"}} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.Config.RestURL+"/requests", strings.NewReader(`{"prompt":"Hi","system":"script: tokens=1 rate=0"}`))
		if err != nil {
			t.Fatal(err)
		}
		request.Header[names[0]] = []string{p.token()}
		request.Header[names[1]] = []string{"one"}
		response, err := p.Client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		var body struct{ RequestID string }
		if err := json.NewDecoder(response.Body).Decode(&body); err != nil || response.StatusCode != http.StatusAccepted {
			t.Errorf("%s: %d %v", names[0], response.StatusCode, err)
		}
		_ = response.Body.Close()
		ids = append(ids, body.RequestID)
	}
	if ids[0] != ids[1] || ids[0] != ids[2] {
		t.Errorf("one key in three cases gave %v", ids)
	}
	for _, name := range []string{"authorization", "AUTHORIZATION"} {
		header := http.Header{name: {p.token()}, "sec-websocket-protocol": {"streaming.v1"}}
		if got := upgrade(t, p.Config.WebSocketURL, header); got != http.StatusSwitchingProtocols {
			t.Errorf("%s of a handshake: %d", name, got)
		}
	}
}

// upgrade sends a handshake whose headers are written as they are.
func upgrade(t *testing.T, url string, header http.Header) int {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http"+strings.TrimPrefix(url, "ws"), nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header = header
	for name, value := range map[string]string{"connection": "Upgrade", "upgrade": "websocket", "sec-websocket-version": "13", "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ=="} {
		request.Header[name] = []string{value}
	}
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	return response.StatusCode
}
