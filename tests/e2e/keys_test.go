package e2e_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/coder/websocket"

	"github.com/streaming-service/streaming-service/internal/localcloud/localcloudtest"
	"github.com/streaming-service/streaming-service/lambdas/operator"
	"github.com/streaming-service/streaming-service/protocol"
)

func keyCloud(t *testing.T) *localcloudtest.Harness {
	t.Helper()
	return ownCloud(t, "auth.personalKeys=true", "quota.tiers.pro.monthlyRequests=77", "throttle.userRateLimit=0")
}

// newKey makes a key of the person.
func (p *person) newKey(name string) protocol.CreateKeyResponse {
	p.t.Helper()
	answer := p.call("POST", "/keys", protocol.CreateKeyRequest{Name: name})
	if answer.Status != http.StatusCreated {
		p.t.Fatalf("creating a key: %d %s", answer.Status, answer.Body)
	}
	var created protocol.CreateKeyResponse
	answer.Decode(p.t, &created)
	return created
}

func (p *person) keyIDs() (ids []string) {
	p.t.Helper()
	var list protocol.KeyList
	p.call("GET", "/keys", nil).Decode(p.t, &list)
	for _, key := range list.Keys {
		ids = append(ids, key.KeyID)
	}
	return ids
}

// opens calls the OpenAI interface with a key or a token.
func opens(t *testing.T, h *localcloudtest.Harness, credential string) localcloudtest.Answer {
	t.Helper()
	return h.Do(t, "GET", h.Config.OpenAIURL+"/models", map[string]string{"Authorization": "Bearer " + credential}, nil)
}

func wantStatus(t *testing.T, what string, answer localcloudtest.Answer, status int) {
	t.Helper()
	if answer.Status != status {
		t.Errorf("%s: %d %s, want %d", what, answer.Status, answer.Body, status)
	}
}

func awsConfig(h *localcloudtest.Harness) aws.Config {
	return aws.Config{Region: h.Config.Region, BaseEndpoint: &h.URL, Credentials: credentials.NewStaticCredentialsProvider("local", "local", "")}
}

// A key opens the OpenAI interface, from the answer that holds it to its
// deletion, and nothing else.
func TestPersonalKey(t *testing.T) {
	t.Parallel()
	h := keyCloud(t)
	owner, other := newPerson(t, h), newPerson(t, h)
	first, second := owner.newKey("laptop"), owner.newKey("ci")
	if got := owner.keyIDs(); !slices.Equal(got, []string{first.KeyID, second.KeyID}) {
		t.Errorf("the owner's keys are %q", got)
	}
	if list := owner.call("GET", "/keys", nil); strings.Contains(string(list.Body), first.Key) {
		t.Errorf("a list tells a secret: %s", list.Body)
	}
	if got := other.keyIDs(); len(got) != 0 {
		t.Errorf("another has %q", got)
	}
	wantStatus(t, "a key", opens(t, h, first.Key), 200)
	wantStatus(t, "an ID token", opens(t, h, owner.token()), 200)
	wantStatus(t, "an access token", opens(t, h, owner.tokens.AccessToken), 401)
	wantStatus(t, "a wrong key", opens(t, h, "ssk_"+strings.Repeat("A", 43)), 401)

	answer := h.Do(t, "POST", h.Config.OpenAIURL+"/chat/completions", map[string]string{"authorization": "bearer " + first.Key},
		map[string]any{"model": "global.amazon.nova-2-lite-v1:0", "messages": []map[string]string{{"role": "user", "content": "hi"}}})
	wantStatus(t, "a completion", answer, 200)
	if s := owner.state(answer.Header.Get("x-request-id")); s.Status != "succeeded" {
		t.Errorf("the completion is %+v", s)
	}
	for _, call := range [][2]string{{"GET", "/usage"}, {"POST", "/requests"}, {"GET", "/keys"}, {"POST", "/keys"}, {"DELETE", "/keys/" + second.KeyID}} {
		wantProblem(t, h.Rest(t, "Bearer "+first.Key, call[0], call[1], nil), 401, "unauthenticated")
	}
	_, response, err := websocket.Dial(t.Context(), h.Config.WebSocketURL, &websocket.DialOptions{
		Subprotocols: []string{"streaming.v1"}, HTTPHeader: http.Header{"Authorization": {"Bearer " + first.Key}},
	})
	if err == nil || response == nil || response.StatusCode != 401 {
		t.Errorf("a socket with a key: %v", err)
	}

	wantProblem(t, other.call("DELETE", "/keys/"+first.KeyID, nil), 404, "not_found")
	wantStatus(t, "deleting", owner.call("DELETE", "/keys/"+first.KeyID, nil), 204)
	wantStatus(t, "the deleted key", opens(t, h, first.Key), 401)
	wantStatus(t, "the other key", opens(t, h, second.Key), 200)
	wantProblem(t, owner.call("DELETE", "/keys/"+first.KeyID, nil), 404, "not_found")
	wantProblem(t, owner.call("POST", "/keys", map[string]any{"name": " "}), 400, "invalid_request")
}

// Of forty that are made at once, twenty are.
func TestPersonalKeysAreBounded(t *testing.T) {
	t.Parallel()
	h := keyCloud(t)
	p := newPerson(t, h)
	statuses := make([]int, 2*protocol.MaxKeys)
	var all sync.WaitGroup
	for i := range statuses {
		all.Go(func() { statuses[i] = p.call("POST", "/keys", protocol.CreateKeyRequest{Name: fmt.Sprint(i)}).Status })
	}
	all.Wait()
	count := map[int]int{}
	for _, status := range statuses {
		count[status]++
	}
	if count[201] != protocol.MaxKeys || count[400] != protocol.MaxKeys || len(p.keyIDs()) != protocol.MaxKeys {
		t.Errorf("answers %v, and %d keys", count, len(p.keyIDs()))
	}
}

// A key has the tier of its owner as of the last token.
func TestPersonalKeyHasTheTierOfItsOwner(t *testing.T) {
	t.Parallel()
	h := keyCloud(t)
	p := newPerson(t, h)
	limit := func(key string) string {
		t.Helper()
		answer := h.Do(t, "POST", h.Config.OpenAIURL+"/chat/completions", map[string]string{"Authorization": "Bearer " + key},
			map[string]any{"model": "global.amazon.nova-2-lite-v1:0", "max_tokens": 1, "messages": []map[string]string{{"role": "user", "content": "hi"}}})
		return answer.Header.Get("x-ratelimit-limit-requests")
	}
	key := p.newKey("laptop").Key
	if got := limit(key); got != "10000" {
		t.Errorf("without a group the limit is %q", got)
	}
	pool := cognitoidentityprovider.NewFromConfig(awsConfig(h))
	if _, err := pool.AdminAddUserToGroup(t.Context(), &cognitoidentityprovider.AdminAddUserToGroupInput{
		UserPoolId: &h.Config.UserPoolID, Username: &p.email, GroupName: aws.String("pro"),
	}); err != nil {
		t.Fatal(err)
	}
	if got := limit(key); got != "10000" {
		t.Errorf("before a token tells of the group the limit is %q", got)
	}
	p.tokens = h.SignIn(t, p.email, localcloudtest.Password)
	p.submit("hi", "tokens=1 rate=0")
	if got := limit(key); got != "77" {
		t.Errorf("after a submission with a token of the group the limit is %q", got)
	}
}

// An expired key is refused whether or not DynamoDB has deleted it.
func TestPersonalKeyExpires(t *testing.T) {
	t.Parallel()
	h := keyCloud(t)
	p := newPerson(t, h)
	var created protocol.CreateKeyResponse
	p.call("POST", "/keys", map[string]any{"name": "a", "expiresInDays": 1}).Decode(t, &created)
	expires, err := time.Parse(time.RFC3339, created.ExpiresAt)
	if left := time.Until(expires); err != nil || left < 23*time.Hour || left > 24*time.Hour {
		t.Errorf("a key of one day expires at %q", created.ExpiresAt)
	}
	wantStatus(t, "before", opens(t, h, created.Key), 200)
	rewriteExpiry(t, h)
	wantStatus(t, "after", opens(t, h, created.Key), 401)
}

// rewriteExpiry lets every key of the cloud expire now.
func rewriteExpiry(t *testing.T, h *localcloudtest.Harness) {
	t.Helper()
	db := dynamodb.NewFromConfig(awsConfig(h))
	all, err := db.Scan(t.Context(), &dynamodb.ScanInput{TableName: &h.Config.QuotaTableName})
	if err != nil {
		t.Fatal(err)
	}
	changed := 0
	for _, item := range all.Items {
		if _, ok := item["expiresAt"]; !ok {
			continue
		}
		item["expiresAt"] = &types.AttributeValueMemberN{Value: fmt.Sprint(time.Now().Unix())}
		if _, err := db.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &h.Config.QuotaTableName, Item: item}); err != nil {
			t.Fatal(err)
		}
		changed++
	}
	if changed != 2 {
		t.Fatalf("%d items of one key expire", changed)
	}
}

// A key is void while its owner is blocked or disabled, and when he is gone.
func TestPersonalKeyEndsWithItsOwner(t *testing.T) {
	t.Parallel()
	h := keyCloud(t)
	p := newPerson(t, h)
	key := p.newKey("laptop").Key
	pool := cognitoidentityprovider.NewFromConfig(awsConfig(h))
	tool, err := operator.Connect(t.Context(), operator.Target{
		Function: h.Config.FunctionARNs["quota"], UserPoolID: h.Config.UserPoolID, Endpoint: h.URL, Region: h.Config.Region,
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		name   string
		change func() error
		want   int
	}{
		{"made", func() error { return nil }, 200},
		{"blocked", func() error { return tool.Block(t.Context(), p.email, operator.Forever) }, 401},
		{"unblocked", func() error { return tool.Unblock(t.Context(), p.email) }, 200},
		{"disabled", func() error {
			_, err := pool.AdminDisableUser(t.Context(), &cognitoidentityprovider.AdminDisableUserInput{UserPoolId: &h.Config.UserPoolID, Username: &p.email})
			return err
		}, 401},
		{"enabled", func() error {
			_, err := pool.AdminEnableUser(t.Context(), &cognitoidentityprovider.AdminEnableUserInput{UserPoolId: &h.Config.UserPoolID, Username: &p.email})
			return err
		}, 200},
		{"deleted", func() error {
			_, err := pool.AdminDeleteUser(t.Context(), &cognitoidentityprovider.AdminDeleteUserInput{UserPoolId: &h.Config.UserPoolID, Username: &p.email})
			return err
		}, 401},
	} {
		if err := step.change(); err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		wantStatus(t, step.name, opens(t, h, key), step.want)
	}
}

// Without the setting there are neither keys nor paths for them.
func TestPersonalKeysAreOff(t *testing.T) {
	t.Parallel()
	p := newPerson(t, cloud(t))
	wantProblem(t, p.call("POST", "/keys", protocol.CreateKeyRequest{Name: "a"}), 404, "not_found")
	wantProblem(t, p.call("GET", "/keys", nil), 404, "not_found")
	wantProblem(t, p.call("DELETE", "/keys/"+strings.Repeat("a", 26), nil), 404, "not_found")
	wantStatus(t, "a key", opens(t, p.Harness, "ssk_"+strings.Repeat("A", 43)), 401)
	wantStatus(t, "a token", opens(t, p.Harness, p.token()), 200)
}
