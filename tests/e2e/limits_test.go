package e2e_test

import (
	"maps"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/streaming-service/streaming-service/internal/localcloud/localcloudtest"
)

// tally counts answers by status and code.
type tally struct {
	mu     sync.Mutex
	counts map[string]int
	ids    []string
	last   map[string]localcloudtest.Answer
}

// submitAtOnce submits a request n times at once.
func (p *person) submitAtOnce(n int, body any) *tally {
	p.t.Helper()
	counted := &tally{counts: map[string]int{}, last: map[string]localcloudtest.Answer{}}
	together(n, func(int) {
		answer := p.call("POST", "/requests", body)
		counted.mu.Lock()
		defer counted.mu.Unlock()
		kind := answer.Code()
		if answer.Status == http.StatusAccepted {
			kind = "accepted"
			var body struct{ RequestID string }
			answer.Decode(p.t, &body)
			counted.ids = append(counted.ids, body.RequestID)
		}
		counted.counts[kind]++
		counted.last[kind] = answer
	})
	return counted
}

// The first requests of a user whom the service has never seen, all at once:
// the limit holds exactly.
func TestTheMonthlyRequestsHoldUnderConcurrency(t *testing.T) {
	t.Parallel()
	h := ownCloud(t, "quota.monthlyRequests=10", "quota.tiers.pro.monthlyRequests=14", "quota.tiers.team.monthlyRequests=12",
		"quota.tiers.team.monthlyTokens=0")
	p := newPerson(t, h)
	got := p.submitAtOnce(200, localcloudtest.Prompt("Me first", "tokens=20 rate=0"))
	if got.counts["accepted"] != 10 || got.counts["quota_exceeded"] != 190 {
		t.Fatalf("answers %v, want 10 accepted and 190 quota_exceeded", got.counts)
	}
	p.wantQuotaExceeded(got.last["quota_exceeded"], "requests", 10, 10)
	for _, id := range got.ids {
		p.await(id, "succeeded")
	}
	if used := p.settled(); used.Requests.Used != 10 || *used.Requests.Remaining != 0 || *used.Requests.Limit != 10 || used.Tier != "default" {
		t.Errorf("usage %+v", used)
	}
	p.stopsAtTheLimit()
	p.joinsTiers()
}

func (p *person) wantQuotaExceeded(answer localcloudtest.Answer, quota string, limit, used int) {
	p.t.Helper()
	refused := wantProblem(p.t, answer, http.StatusTooManyRequests, "quota_exceeded")
	if refused.Quota != quota || refused.Limit == nil || *refused.Limit != limit || refused.Used == nil || *refused.Used != used {
		p.t.Errorf("refusal %s, want %s with limit %d and used %d", answer.Body, quota, limit, used)
	}
	reset, err := time.Parse(time.RFC3339, refused.ResetsAt)
	if err != nil || reset.Day() != 1 || reset.Hour() != 0 || !reset.After(time.Now()) {
		p.t.Errorf("resetsAt %q, want the start of the next month", refused.ResetsAt)
	}
	if wait := time.Duration(wantRetryAfter(p.t, answer)) * time.Second; time.Until(reset)-wait > time.Minute || wait-time.Until(reset) > time.Minute {
		p.t.Errorf("Retry-After %v, while the month resets in %v", wait, time.Until(reset))
	}
}

// stopsAtTheLimit expects that a user at his limit still replays, reads and
// cancels.
func (p *person) stopsAtTheLimit() {
	p.t.Helper()
	q := newPerson(p.t, p.Harness)
	body := localcloudtest.Prompt("A long one", "tokens=2000 rate=50")
	id := q.Submit(p.t, q.token(), body, "Idempotency-Key", "mine")
	q.submitAtOnce(30, localcloudtest.Prompt("Fill", "tokens=1 rate=0"))
	if refused := q.call("POST", "/requests", body); refused.Code() != "quota_exceeded" {
		p.t.Fatalf("beyond the limit: %d %s", refused.Status, refused.Body)
	}
	if replay := q.call("POST", "/requests", body, "Idempotency-Key", "mine"); accepted(p.t, replay) != id {
		p.t.Errorf("a replay at the limit: %s, want request %s", replay.Body, id)
	}
	wantCancel(p.t, q, id)
	q.await(id, "cancelled")
}

// joinsTiers expects the best of the user's groups for each limit, once the
// token names them.
func (p *person) joinsTiers() {
	p.t.Helper()
	for _, group := range []string{"team", "pro"} {
		input := map[string]any{"UserPoolId": p.Config.UserPoolID, "Username": p.email, "GroupName": group}
		if answer := p.aws("AWSCognitoIdentityProviderService.AdminAddUserToGroup", input); answer.Status != http.StatusOK {
			p.t.Fatalf("joining %s: %d %s", group, answer.Status, answer.Body)
		}
	}
	if before := p.usage(); *before.Requests.Limit != 10 {
		p.t.Errorf("the token from before has limit %d", *before.Requests.Limit)
	}
	p.tokens = p.SignIn(p.t, p.email, localcloudtest.Password)
	if after := p.usage(); *after.Requests.Limit != 14 || after.Tokens.Limit != nil || after.Tier != "pro" {
		p.t.Errorf("with two tiers: limit %d, tier %s, want the best of both", *after.Requests.Limit, after.Tier)
	}
	got := p.submitAtOnce(20, localcloudtest.Prompt("Now more", "tokens=1 rate=0"))
	if got.counts["accepted"] != 4 || got.counts["quota_exceeded"] != 16 {
		p.t.Errorf("in the tier: %v, want 4 more accepted", got.counts)
	}
}

// aws calls an AWS API of the cloud as an administrator.
func (p *person) aws(target string, input any) localcloudtest.Answer {
	p.t.Helper()
	return p.awsAs("local", p.Cloud.URL()+"/", map[string]string{"X-Amz-Target": target}, input)
}

// awsAs calls an AWS API of the cloud with an access key.
func (p *person) awsAs(accessKey, url string, header map[string]string, input any) localcloudtest.Answer {
	p.t.Helper()
	headers := map[string]string{
		"Content-Type":  "application/x-amz-json-1.0",
		"Authorization": "AWS4-HMAC-SHA256 Credential=" + accessKey + "/20260101/us-east-1/any/aws4_request, SignedHeaders=host, Signature=0",
	}
	maps.Copy(headers, header)
	return p.Do(p.t, http.MethodPost, url, headers, input)
}

// sub is the user's id.
func (p *person) sub() string {
	p.t.Helper()
	sub, _ := claimsOf(p.t, p.token())["sub"].(string)
	if sub == "" {
		p.t.Fatal("the ID token has no sub")
	}
	return sub
}

// setAccount writes an attribute of the user's quota item, as an operator does.
func (p *person) setAccount(name string, value map[string]any) {
	p.t.Helper()
	answer := p.aws("DynamoDB_20120810.UpdateItem", map[string]any{
		"TableName":                 p.Config.QuotaTableName,
		"Key":                       map[string]any{"pk": map[string]string{"S": "u#" + p.sub()}, "sk": map[string]string{"S": "account"}},
		"UpdateExpression":          "SET #n = :v",
		"ExpressionAttributeNames":  map[string]string{"#n": name},
		"ExpressionAttributeValues": map[string]any{":v": value},
	})
	if answer.Status != http.StatusOK {
		p.t.Fatalf("setting %s: %d %s", name, answer.Status, answer.Body)
	}
}

func TestABlockedUserIsRefused(t *testing.T) {
	t.Parallel()
	p := newPerson(t, cloud(t))
	id := p.submit("Before", "tokens=2000 rate=50")
	p.setAccount("blockedUntil", map[string]any{"N": "99999999999999"})
	refused := p.call("POST", "/requests", localcloudtest.Prompt("Hello", ""))
	wantProblem(t, refused, http.StatusForbidden, "blocked")
	if used := p.usage(); used.Requests.Used != 1 {
		t.Errorf("%d requests used", used.Requests.Used)
	}
	wantCancel(t, p, id)
	p.setAccount("blockedUntil", map[string]any{"N": "1"})
	p.await(p.submit("After", "tokens=1 rate=0"), "succeeded")
}

// The other limits of a user, in one cloud where all are tight.
func TestTheLimitsOfAUser(t *testing.T) {
	t.Parallel()
	h := ownCloud(t, "quota.monthlyTokens=9000", "throttle.userConcurrency=3", "throttle.userRateLimit=0.1", "throttle.userBurstLimit=6")
	slow := func(text string, maxTokens int) map[string]any {
		body := localcloudtest.Prompt(text, "tokens=3000 rate=20")
		if maxTokens > 0 {
			body["maxTokens"] = maxTokens
		}
		return body
	}
	t.Run("tokens", func(t *testing.T) {
		t.Parallel()
		newPerson(t, h).spendsTokens(slow("Hold", 0))
	})
	t.Run("open requests", func(t *testing.T) {
		t.Parallel()
		p := newPerson(t, h)
		got := p.submitAtOnce(30, slow("Open", 500))
		if got.counts["accepted"] != 3 || got.counts["too_many_in_flight"] != 27 {
			t.Fatalf("answers %v, want 3 accepted and 27 too_many_in_flight", got.counts)
		}
		wantProblem(t, got.last["too_many_in_flight"], http.StatusTooManyRequests, "too_many_in_flight")
		wantCancel(t, p, got.ids[0])
		p.await(got.ids[0], "cancelled")
		localcloudtest.Eventually(t, patience, "room for another", func() bool { return p.usage().InFlight == 2 })
		p.cancelAll(append(got.ids[1:], p.Submit(t, p.token(), slow("Again", 500)))...)
	})
	t.Run("rate", func(t *testing.T) {
		t.Parallel()
		p := newPerson(t, h)
		quick := localcloudtest.Prompt("Quick", "tokens=1 rate=0")
		quick["maxTokens"] = 10
		for range 6 { // the burst
			p.await(p.Submit(t, p.token(), quick), "succeeded")
			p.settled()
		}
		refused := p.call("POST", "/requests", quick)
		wantProblem(t, refused, http.StatusTooManyRequests, "rate_limited")
		if wait := wantRetryAfter(t, refused); wait > 10 {
			t.Errorf("Retry-After %d at a request each 10 s", wait)
		}
		if used := p.usage(); used.Requests.Used != 6 {
			t.Errorf("%d requests used, want 6", used.Requests.Used)
		}
	})
}

// spendsTokens expects two requests to fit into the tokens of a month while they
// are open, and more once they end for less than they reserved.
func (p *person) spendsTokens(body map[string]any) {
	p.t.Helper()
	got := p.submitAtOnce(30, body)
	if got.counts["accepted"] != 2 || got.counts["quota_exceeded"] != 28 {
		p.t.Fatalf("answers %v, want 2 accepted and 28 quota_exceeded", got.counts)
	}
	p.wantQuotaExceeded(got.last["quota_exceeded"], "tokens", 9000, 0)
	if open := p.usage(); open.Tokens.Reserved <= 8192 || open.Tokens.Reserved > 9000 || *open.Tokens.Remaining != 9000-open.Tokens.Reserved || open.InFlight != 2 {
		p.t.Errorf("usage with two open: %+v", open)
	}
	if tooMuch := p.call("POST", "/requests", map[string]any{"prompt": strings.Repeat("x", 30_000), "maxTokens": 1}); tooMuch.Code() != "quota_exceeded" {
		p.t.Errorf("a prompt beyond the month's tokens: %d %s", tooMuch.Status, tooMuch.Body)
	}
	p.cancelAll(got.ids...)
	after := p.usage()
	if after.Tokens.Reserved != 0 || after.Tokens.Used == 0 || after.Tokens.Used > 4000 {
		p.t.Errorf("usage after: %+v, want only what was produced", after)
	}
	p.cancelAll(p.Submit(p.t, p.token(), body))
}

// cancelAll cancels requests and waits until nothing is open.
func (p *person) cancelAll(ids ...string) {
	p.t.Helper()
	for _, id := range ids {
		wantCancel(p.t, p, id)
	}
	p.settled()
}

// The gateways' own limits look like all other refusals.
func TestTheGatewaysThrottle(t *testing.T) {
	t.Parallel()
	h := ownCloud(t, "throttle.rateLimit=1", "throttle.burstLimit=5", "throttle.webSocketRateLimit=1", "throttle.webSocketBurstLimit=5")
	p := newPerson(t, h)
	var refused localcloudtest.Answer
	counts := map[int]int{}
	for range 20 {
		answer := p.call("GET", "/usage", nil, "Origin", "https://app.example")
		if counts[answer.Status]++; answer.Status == http.StatusTooManyRequests {
			refused = answer
		}
	}
	if counts[200] < 5 || counts[429] < 5 || counts[200]+counts[429] != 20 {
		t.Fatalf("answers %v, want about 5 of 20 to pass", counts)
	}
	wantProblem(t, refused, http.StatusTooManyRequests, "rate_limited")
	if got := refused.Header.Get("Access-Control-Allow-Origin"); got != "*" {
		t.Errorf("Access-Control-Allow-Origin %q: a page cannot read the refusal", got)
	}
	counts = map[int]int{}
	for range 20 {
		counts[handshake(t, h, "streaming.v1, "+p.token())]++
	}
	if counts[101] < 1 || counts[429] < 5 || counts[101]+counts[429] != 20 {
		t.Errorf("handshakes %v, want the rate to hold", counts)
	}
}
