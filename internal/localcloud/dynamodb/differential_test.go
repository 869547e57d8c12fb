package dynamodb_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/truora/minidyn/server"
)

// TestAgainstMinidyn runs random calls on this service and on minidyn, which its
// authors compare with DynamoDB Local, in the forms in which minidyn is right,
// and wants equal results. It is wrong, and AWS's documents decide, about REMOVE
// and DELETE (answers removed attributes, keeps empty sets), begins_with on an
// absent attribute, and what PutItem returns.
func TestAgainstMinidyn(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			ours, theirs := newService(t), server.NewServer()
			ask := func(operation, body string) string {
				request := httptest.NewRequest("POST", "/", strings.NewReader(body))
				request.Header.Set("X-Amz-Target", "DynamoDB_20120810."+operation)
				recorder := httptest.NewRecorder()
				theirs.ServeHTTP(recorder, request)
				return normal(t, recorder.Code, recorder.Body.String())
			}
			ask("CreateTable", `{"TableName":"requests","BillingMode":"PAY_PER_REQUEST",
				"AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"S"},{"AttributeName":"sk","AttributeType":"S"}],
				"KeySchema":[{"AttributeName":"pk","KeyType":"HASH"},{"AttributeName":"sk","KeyType":"RANGE"}]}`)
			random := rand.New(rand.NewPCG(seed, 1))
			for n := range 200 {
				operation, body := randomCall(random)
				status, answer := call(ours, operation, body)
				got, want := normal(t, status, answer), ask(operation, body)
				if operation == "PutItem" && status == 200 { // minidyn answers the new item
					want = "{}"
				}
				if got != want {
					t.Fatalf("call %d: %s %s\n  ours: %s\nminidyn: %s", n, operation, body, got, want)
				}
			}
		})
	}
}

func randomCall(random *rand.Rand) (operation, body string) {
	key := fmt.Sprintf(`{"pk":{"S":"p%d"},"sk":{"S":"s%d"}}`, random.IntN(2), random.IntN(5))
	pick := func(choices ...string) string { return choices[random.IntN(len(choices))] }
	conditions := []string{
		"attribute_not_exists(n) OR n < :a", "attribute_exists(pk) AND n >= :a", "n BETWEEN :a AND :b OR attribute_not_exists(pk)",
		"n IN (:a, :b) OR attribute_exists(pk)", "NOT n = :a", "n <> :a", "(n = :a OR n = :b) AND attribute_exists(sk)",
	}
	condition := pick(conditions...)
	values := map[string]string{":a": fmt.Sprintf(`{"N":"%d"}`, random.IntN(4)), ":b": fmt.Sprintf(`{"N":"%d"}`, 4+random.IntN(4)), ":s": `{"S":"s"}`, ":g": `{"SS":["a","b"]}`}
	switch random.IntN(6) {
	case 0:
		return "PutItem", fmt.Sprintf(`{"TableName":"requests","Item":{%s,"n":{"N":"%d"}},"ConditionExpression":%q,%s}`,
			key[1:len(key)-1], random.IntN(8), condition, used(values, condition))
	case 1, 2:
		update := pick("SET n = if_not_exists(n, :a) + :b", "SET n = :a, k = :b", "ADD n :a", "ADD g :g", "ADD n :b, g :g")
		return "UpdateItem", fmt.Sprintf(`{"TableName":"requests","Key":%s,"UpdateExpression":%q,"ConditionExpression":%q,"ReturnValues":"ALL_NEW",%s}`,
			key, update, condition, used(values, update+" "+condition))
	case 3:
		return "DeleteItem", fmt.Sprintf(`{"TableName":"requests","Key":%s,"ConditionExpression":%q,"ReturnValues":"ALL_OLD",%s}`, key, condition, used(values, condition))
	case 4:
		return "GetItem", fmt.Sprintf(`{"TableName":"requests","ConsistentRead":true,"Key":%s}`, key)
	}
	return "Query", fmt.Sprintf(`{"TableName":"requests","ConsistentRead":true,"ScanIndexForward":%t,"KeyConditionExpression":"pk = :p AND begins_with(sk, :s)",
		"ExpressionAttributeValues":{":p":{"S":"p%d"},":s":{"S":"s"}}}`, random.IntN(2) == 0, random.IntN(2))
}

// used writes ExpressionAttributeValues with those that an expression names.
func used(values map[string]string, expression string) string {
	var members []string
	for name, value := range values {
		if strings.Contains(expression, name) {
			members = append(members, fmt.Sprintf("%q:%s", name, value))
		}
	}
	if len(members) == 0 {
		return `"ReturnConsumedCapacity":"NONE"`
	}
	return `"ExpressionAttributeValues":{` + strings.Join(members, ",") + `}`
}

// normal keeps of an answer what both must agree on: the kind of error, or the
// items.
func normal(t *testing.T, status int, answer string) string {
	t.Helper()
	var fields map[string]any
	if err := json.Unmarshal([]byte(answer), &fields); err != nil {
		t.Fatalf("%d %s: %v", status, answer, err)
	}
	if status != 200 {
		kind := fmt.Sprint(fields["__type"])
		return kind[strings.LastIndex(kind, "#")+1:]
	}
	kept := map[string]any{}
	for _, name := range []string{"Attributes", "Item", "Items", "Count"} {
		if value := fields[name]; value != nil && fmt.Sprint(value) != "map[]" && fmt.Sprint(value) != "[]" && fmt.Sprint(value) != "0" {
			kept[name] = sortSets(value)
		}
	}
	text, err := json.Marshal(kept)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func sortSets(value any) any {
	switch v := value.(type) {
	case map[string]any:
		for name, member := range v {
			v[name] = sortSets(member)
			if set, isList := member.([]any); isList && name == "SS" {
				slices.SortFunc(set, func(a, b any) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
			}
		}
	case []any:
		for i := range v {
			v[i] = sortSets(v[i])
		}
	}
	return value
}
