package e2e_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"github.com/streaming-service/streaming-service/internal/localcloud/localcloudtest"
)

// One user can neither read, resume, cancel nor receive what another asked for,
// though he knows its id and its key.
func TestUsersAreApart(t *testing.T) {
	t.Parallel()
	h := cloud(t)
	owner, thief := newPerson(t, h), newPerson(t, h)
	ownersSocket, thiefsSocket := owner.dial(), thief.dial()
	body := localcloudtest.Prompt("My secret", "tokens=150 rate=60")
	id := owner.Submit(t, owner.token(), body, "Idempotency-Key", "shared")
	waitForText(t, ownersSocket, id)

	for _, method := range []string{"GET", "DELETE"} {
		wantProblem(t, thief.call(method, "/requests/"+id, nil), http.StatusNotFound, "not_found")
	}
	for _, frame := range []map[string]any{
		{"action": "resume", "requestId": id},
		{"action": "resume", "requestId": id, "attempt": 1, "afterSeq": 0},
		{"action": "cancel", "requestId": id},
		{"action": "cancel", "requestId": id, "userId": owner.sub()},
	} {
		thiefsSocket.Send(t, frame)
		if got := thiefsSocket.Next(t, patience); got.Type != "error" || got.Code != "not_found" || got.RequestID != "" {
			t.Errorf("%v gets the thief %s", frame, got.Raw)
		}
	}
	unknown := thief.call("GET", "/requests/"+strings.Repeat("a", 26), nil)
	foreign := thief.call("GET", "/requests/"+id, nil)
	if string(unknown.Body) != string(foreign.Body) {
		t.Errorf("a foreign id is told apart from an unknown one:\n%s\n%s", foreign.Body, unknown.Body)
	}

	thiefs := accepted(t, thief.call("POST", "/requests", localcloudtest.Prompt("My own", "tokens=3 rate=0"), "Idempotency-Key", "shared"))
	if thiefs == id {
		t.Error("a key of one user is another's request")
	}
	own := framesUntilEnds(t, thiefsSocket, 1)
	if end := endOf(t, ownersSocket, id); end.Type != "done" {
		t.Errorf("the owner's request ended with %s", end.Raw)
	}
	thiefsSocket.Send(t, map[string]any{"action": "ping"})
	for frame := (localcloudtest.Frame{}); frame.Type != "pong"; own = append(own, frame) {
		frame = thiefsSocket.Next(t, patience)
	}
	for _, frame := range own {
		if frame.RequestID != thiefs && frame.Type != "pong" {
			t.Errorf("the thief received %s", frame.Raw)
		}
	}
	if s := owner.state(id); s.Status != "succeeded" || s.Text == "" {
		t.Errorf("the owner's request is %+v", s)
	}
	if used := thief.usage(); used.Requests.Used != 1 {
		t.Errorf("the thief used %d requests", used.Requests.Used)
	}
}

// The identity pool's credentials open no AWS API of the service.
func TestCredentialsOfUsersOpenNothing(t *testing.T) {
	t.Parallel()
	h := cloud(t)
	p := newPerson(t, h)
	logins := map[string]string{"cognito-idp.us-east-1.amazonaws.com/" + h.Config.UserPoolID: p.token()}
	identity := func(operation string, input map[string]any, into any) localcloudtest.Answer {
		answer := h.Do(t, http.MethodPost, h.Config.CognitoEndpoint, map[string]string{
			"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": "AWSCognitoIdentityService." + operation,
		}, input)
		if into != nil {
			answer.Decode(t, into)
		}
		return answer
	}
	var found struct {
		IdentityID string `json:"IdentityId"`
	}
	identity("GetId", map[string]any{"IdentityPoolId": h.Config.IdentityPoolID, "Logins": logins}, &found)
	var granted struct{ Credentials struct{ AccessKeyID string } }
	if answer := identity("GetCredentialsForIdentity", map[string]any{"IdentityId": found.IdentityID, "Logins": logins}, &granted); granted.Credentials.AccessKeyID == "" {
		t.Fatalf("no credentials: %d %s", answer.Status, answer.Body)
	}
	if answer := identity("GetId", map[string]any{"IdentityPoolId": h.Config.IdentityPoolID}, nil); answer.Status == http.StatusOK {
		t.Error("somebody who is not signed in gets an identity")
	}
	key := granted.Credentials.AccessKeyID
	for _, call := range []struct {
		target string
		input  map[string]any
	}{
		{"DynamoDB_20120810.Scan", map[string]any{"TableName": h.Config.RequestsTableName}},
		{"DynamoDB_20120810.GetItem", map[string]any{"TableName": h.Config.QuotaTableName, "Key": map[string]any{"pk": map[string]string{"S": "u#" + p.sub()}, "sk": map[string]string{"S": "account"}}}},
		{"AmazonSQS.ReceiveMessage", map[string]any{"QueueUrl": h.Config.QueueURL}},
		{"AmazonSQS.SendMessage", map[string]any{"QueueUrl": h.Config.QueueURL, "MessageBody": "{}"}},
		{"AWSCognitoIdentityProviderService.AdminGetUser", map[string]any{"UserPoolId": h.Config.UserPoolID, "Username": p.email}},
	} {
		answer := p.awsAs(key, h.Cloud.URL()+"/", map[string]string{"X-Amz-Target": call.target}, call.input)
		wantDenied(t, call.target, answer)
	}
	managed := "http" + strings.TrimPrefix(h.Config.WebSocketURL, "ws") + "/@connections/abc="
	wantDenied(t, "PostToConnection", p.awsAs(key, managed, nil, "hello"))
	model := h.Cloud.URL() + "/model/amazon.nova-lite-v1:0/converse-stream"
	wantDenied(t, "ConverseStream", p.awsAs(key, model, map[string]string{"Content-Type": "application/json"}, map[string]any{}))
}

func wantDenied(t *testing.T, what string, answer localcloudtest.Answer) {
	t.Helper()
	if kind := answer.Header.Get("x-amzn-ErrorType"); answer.Status < 400 || !strings.Contains(kind, "AccessDenied") && !strings.Contains(kind, "Forbidden") {
		t.Errorf("%s: %d %s %s, want it denied", what, answer.Status, kind, answer.Body)
	}
}

// No function writes a token, a prompt or an answer to its log, whatever
// happens, and even at its most talkative.
func TestNoTokenOrPromptIsLogged(t *testing.T) {
	t.Parallel()
	h := ownCloud(t, "functions.logLevel=debug")
	p := newPerson(t, h)
	const prompt, answer, instruction = "xyzzyprompt", "plughanswer", "fnordsystem"
	socket := p.dial()
	for _, script := range []string{
		`rate=0 text="` + answer + `"`,
		`rate=0 text="` + answer + `" error=validationException@0`,
		`rate=0 text="` + answer + `" error=throttlingException@0 times=1`,
		`rate=0 text="` + answer + `" error=modelStreamErrorException@1 times=1`,
	} {
		socket.Stream(t, p.submit(prompt, script), patience)
	}
	socket.Stream(t, p.Submit(t, p.token(), map[string]any{"prompt": prompt, "system": instruction, "maxTokens": 20}), patience)
	p.call("POST", "/requests", map[string]any{"prompt": prompt, prompt: prompt})
	p.call("POST", "/requests", []byte(`{"prompt":"`+prompt))
	p.call("POST", "/requests", map[string]any{"prompt": prompt, "model": prompt})
	p.call("GET", "/requests/"+prompt, nil)
	for _, token := range []string{p.tokens.AccessToken, p.token() + "x", p.tokens.RefreshToken} {
		p.Rest(t, token, "POST", "/requests", map[string]any{"prompt": prompt})
		handshake(t, h, "streaming.v1, "+token)
	}
	handshake(t, h, p.token())
	handshake(t, h, "streaming.v1", "Authorization", "Bearer "+p.token())
	for _, frame := range []string{prompt, `{"action":"` + prompt + `"}`, `{"action":"resume","requestId":"` + p.token() + `"}`} {
		socket.SendRaw(t, websocket.MessageText, []byte(frame))
		socket.Next(t, patience)
	}
	h.SetFaults(t, map[string]any{"service": "dynamodb", "error": "InternalServerError", "times": 40})
	p.call("POST", "/requests", map[string]any{"prompt": prompt})
	h.SetFaults(t)

	secrets := []string{prompt, answer, instruction, localcloudtest.Password, p.email}
	for _, token := range []string{p.tokens.IDToken, p.tokens.AccessToken, p.tokens.RefreshToken} {
		secrets = append(secrets, strings.Split(token, ".")...)
	}
	logs := h.Logs(t, "")
	if !strings.Contains(logs, `"level":"DEBUG","message":"event"`) || !strings.Contains(logs, `"message":"answer"`) {
		t.Errorf("the functions logged nothing at debug:\n%s", logs)
	}
	if !strings.Contains(logs, "request failed") {
		t.Errorf("the functions logged nothing of what went wrong:\n%s", logs)
	}
	for _, secret := range secrets {
		if at := strings.Index(logs, secret); at >= 0 {
			t.Errorf("logged: …%s…", logs[max(0, at-200):min(len(logs), at+100)])
		}
	}
}
