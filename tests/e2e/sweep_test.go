package e2e_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/streaming-service/streaming-service/internal/localcloud/localcloudtest"
)

// TestTheSweepFindsALostMessage loses the message of a request, as if the
// function had been killed between the commit and the send. The sweep finds the
// request with the permissions of its role, and the answer streams. Instead of
// waiting until it stands still for a minute, its times are put back by two.
func TestTheSweepFindsALostMessage(t *testing.T) {
	t.Parallel()
	h := localcloudtest.Start(t, options("queue.sweepIntervalMinutes=0"))
	p := newPerson(t, h)
	h.SetFaults(t, map[string]any{"service": "sqs", "lose": 1})
	id := p.submit("Lost", "tokens=20 rate=0")
	h.SetFaults(t)
	if got := p.sweep(); !strings.Contains(got, `"accounts":0`) {
		t.Errorf("a sweep just after the admission: %s", got)
	}

	user := p.sub()
	p.age(h.Config.QuotaTableName, user, "account", "openSince")
	p.age(h.Config.RequestsTableName, user, "r#"+id, "createdAt", "updatedAt")
	if got := p.sweep(); !strings.Contains(got, `"accounts":1,"requests":1,"released":0,"failed":0`) {
		t.Errorf("a sweep two minutes later: %s", got)
	}
	s := p.await(id, "succeeded")
	p.wantSettled(1, s.Usage.InputTokens+s.Usage.OutputTokens)
	if got := p.sweep(); !strings.Contains(got, `"accounts":0`) {
		t.Errorf("a sweep after the end: %s", got)
	}
}

// sweep invokes the recovery function as its schedule does and returns its
// report.
func (p *person) sweep() string {
	p.t.Helper()
	name := p.Config.FunctionARNs["recovery"]
	name = name[strings.LastIndex(name, ":")+1:]
	answer := p.awsAs("local", p.URL+"/2015-03-31/functions/"+name+"/invocations", nil, map[string]any{"sweep": true})
	if answer.Status != http.StatusOK || answer.Header.Get("X-Amz-Function-Error") != "" {
		p.t.Fatalf("sweeping: %d %s; it logged:\n%s", answer.Status, answer.Body, p.Logs(p.t, "recovery"))
	}
	return string(answer.Body)
}

// age sets times of an item back by two minutes.
func (p *person) age(table, user, sort string, times ...string) {
	p.t.Helper()
	sets := make([]string, len(times))
	for i, name := range times {
		sets[i] = name + " = :then"
	}
	answer := p.aws("DynamoDB_20120810.UpdateItem", map[string]any{
		"TableName": table, "UpdateExpression": "SET " + strings.Join(sets, ", "),
		"Key":                       map[string]any{"pk": map[string]string{"S": "u#" + user}, "sk": map[string]string{"S": sort}},
		"ConditionExpression":       "attribute_exists(" + times[0] + ")",
		"ExpressionAttributeValues": map[string]any{":then": map[string]string{"N": fmt.Sprint(time.Now().Add(-2 * time.Minute).UnixMilli())}},
	})
	if answer.Status != http.StatusOK {
		p.t.Fatalf("ageing %s: %d %s", sort, answer.Status, answer.Body)
	}
}
