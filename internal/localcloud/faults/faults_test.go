package faults_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/streaming-service/streaming-service/internal/localcloud/faults"
)

func request(injector *faults.Injector, method, body string) *httptest.ResponseRecorder {
	recorder := httptest.NewRecorder()
	injector.ServeHTTP(recorder, httptest.NewRequest(method, "/_local/faults", strings.NewReader(body)))
	return recorder
}

// with returns an injector with rules put over HTTP.
func with(t testing.TB, seed uint64, rules string) *faults.Injector {
	t.Helper()
	injector := faults.New(seed)
	if answer := request(injector, "PUT", rules); answer.Code != http.StatusOK {
		t.Fatalf("putting %s: %d %s", rules, answer.Code, answer.Body)
	}
	return injector
}

func TestDecide(t *testing.T) {
	t.Parallel()
	injector := with(t, 1, `[
		{"service":"dynamodb","operation":"UpdateItem","rate":1,"error":"ProvisionedThroughputExceededException","times":2},
		{"service":"dynamodb","operation":"PutItem","latencyMs":30},
		{"service":"dynamodb","operation":"PutItem","afterCommit":true},
		{"service":"execute-api","error":"LimitExceededException"},
		{"service":"bedrock-runtime","error":"ThrottlingException","times":1},
		{"service":"sqs","operation":"SendMessage","error":"Odd","status":418}]`)
	for range 2 {
		if got := injector.Decide("dynamodb", "UpdateItem"); got.Error == nil || got.Error.Code != "ProvisionedThroughputExceededException" || got.Error.Status != 400 {
			t.Errorf("got %+v", got)
		}
	}
	if got := injector.Decide("dynamodb", "UpdateItem"); got.Error != nil {
		t.Errorf("after two times got %+v", got)
	}
	if got := injector.Decide("dynamodb", "PutItem"); got.Error != nil || !got.LoseResponse || got.Latency != 30*time.Millisecond {
		t.Errorf("got %+v, want latency and a lost response", got)
	}
	for service, status := range map[string]int{"execute-api": 429, "bedrock-runtime": 429, "sqs": 418} {
		operation := map[string]string{"sqs": "SendMessage"}[service]
		if got := injector.Decide(service, operation); got.Error == nil || got.Error.Status != status {
			t.Errorf("%s: got %+v, want status %d", service, got, status)
		}
	}
	if got := injector.Decide("dynamodb", "GetItem"); got != (faults.Decision{}) {
		t.Errorf("no rule: got %+v", got)
	}
	want := map[string]int64{
		"dynamodb.UpdateItem.ProvisionedThroughputExceededException": 2, "dynamodb.PutItem.latency": 1, "dynamodb.PutItem.afterCommit": 1,
		"execute-api..LimitExceededException": 1, "bedrock-runtime..ThrottlingException": 1, "sqs.SendMessage.Odd": 1,
	}
	if got := injector.Injected(); !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// TestSeedDecides wants equal decisions of equal seeds, others of another seed,
// and about as many as the rate says.
func TestSeedDecides(t *testing.T) {
	t.Parallel()
	const rule = `{"service":"dynamodb","rate":0.1,"error":"InternalServerError"}`
	draw := func(seed uint64, rules string) string {
		injector := with(t, seed, rules)
		var drawn strings.Builder
		for range 1000 {
			fmt.Fprint(&drawn, map[bool]int{true: 1}[injector.Decide("dynamodb", "PutItem").Error != nil])
		}
		return drawn.String()
	}
	first := draw(7, "["+rule+"]")
	if draw(7, "["+rule+"]") != first {
		t.Error("the same seed decided otherwise")
	}
	if draw(8, "["+rule+"]") == first {
		t.Error("another seed decided the same")
	}
	if draw(8, `[{"seed":5},`+rule+`]`) != draw(9, `[{"seed":5},`+rule+`]`) {
		t.Error("a seed among the rules does not decide")
	}
	if hits := strings.Count(first, "1"); hits < 60 || hits > 140 {
		t.Errorf("got %d hits of 1000 at rate 0.1", hits)
	}
}

func TestFunctionFaults(t *testing.T) {
	t.Parallel()
	injector := with(t, 1, `[{"function":"processor","kill":1,"times":1},{"function":"processor","freeze":1}]`)
	first, second := injector.DecideFunction("streaming-processor-1a2b3c4"), injector.DecideFunction("processor")
	if first.Kind != "kill" || first.At < 0 || first.At >= 1 || second.Kind != "freeze" {
		t.Errorf("got %+v and %+v", first, second)
	}
	if got := injector.DecideFunction("streaming-quota-1"); got.Kind != "" {
		t.Errorf("another function: got %+v", got)
	}
}

func TestAspects(t *testing.T) {
	t.Parallel()
	injector := with(t, 1, `[{"service":"sqs","lose":1,"duplicate":1,"early":1,"reorder":1},
		{"service":"dynamodb","transactionConflict":1,"overlapConflict":0,"staleRead":1},
		{"service":"websocket","drop":1,"loseFrame":1,"loseDisconnect":1}]`)
	for name, happens := range map[string]func() bool{
		"lose": injector.LoseMessage, "duplicate": injector.DuplicateMessage, "early": injector.EarlyMessage, "reorder": injector.ReorderMessage,
		"transactionConflict": injector.TransactionConflict, "staleRead": injector.StaleRead,
		"drop": injector.DropSocket, "loseFrame": injector.LoseFrame, "loseDisconnect": injector.LoseDisconnect,
	} {
		if !happens() {
			t.Errorf("%s did not happen", name)
		}
	}
	if injector.OverlapConflict() {
		t.Error("overlapConflict 0 happened")
	}
	if got := len(injector.Injected()); got != 9 {
		t.Errorf("got %d kinds, want 9: %v", got, injector.Injected())
	}
	quiet := faults.New(1)
	overlaps := 0
	for range 1000 {
		if quiet.LoseMessage() || quiet.TransactionConflict() || quiet.DropSocket() {
			t.Fatal("a fault without a rule")
		}
		if quiet.OverlapConflict() {
			overlaps++
		}
	}
	if overlaps < 400 || overlaps > 600 {
		t.Errorf("got %d of 1000 overlapping writes in conflict, want about half", overlaps)
	}
}

func TestModelFaults(t *testing.T) {
	t.Parallel()
	injector := with(t, 1, `[{"service":"bedrock-runtime","error":"throttlingException","afterTokens":3,"times":1},
		{"service":"bedrock-runtime","truncate":1,"afterTokens":5,"times":1},{"service":"bedrock-runtime","hang":1}]`)
	if got := injector.Decide("bedrock-runtime", "ConverseStream"); got.Error != nil {
		t.Errorf("a fault inside the stream came before it: %+v", got)
	}
	want := []faults.ModelFault{{Error: "throttlingException", AfterTokens: 3}, {Truncate: true, AfterTokens: 5}, {Hang: true}}
	for i := range want {
		if got := injector.DecideModel(); got != want[i] {
			t.Errorf("got %+v, want %+v", got, want[i])
		}
	}
}

func TestRefusedRules(t *testing.T) {
	t.Parallel()
	tests := []struct{ rules, want string }{
		{`{}`, "reading list of fault rules"},
		{`null`, "want a list"},
		{`[] []`, "text after the list"},
		{`[{}]`, "rule 0: service or function must be given"},
		{`[{"seed":1},{"service":"kms"}]`, `rule 1: service must be one of`},
		{`[{"service":"dynamodb","function":"x"}]`, "exclude each other"},
		{`[{"service":"dynamodb","rate":1.5,"error":"X"}]`, "rate must be between 0 and 1, got 1.5"},
		{`[{"service":"dynamodb","rate":0.5}]`, "rate needs error, latencyMs or afterCommit"},
		{`[{"service":"dynamodb","kill":0.5}]`, "kill needs a function"},
		{`[{"function":"processor","kill":-1}]`, "kill must be between 0 and 1, got -1"},
		{`[{"function":"processor","error":"X"}]`, "belong to a service"},
		{`[{"service":"sqs","staleRead":0.5}]`, "staleRead needs service dynamodb"},
		{`[{"service":"sqs","afterTokens":1}]`, "afterTokens"},
		{`[{"service":"sqs","latencyMs":-1}]`, "latencyMs must be between"},
		{`[{"service":"sqs","status":200,"error":"X"}]`, "status must be between"},
		{`[{"service":"sqs","times":-1,"lose":1}]`, "times must be >= 0"},
		{`[{"service":"sqs","loose":1}]`, `unknown field "loose"`},
	}
	for _, test := range tests {
		injector := with(t, 1, `[{"service":"sqs","lose":1}]`)
		answer := request(injector, "PUT", test.rules)
		if answer.Code != http.StatusBadRequest || !strings.Contains(answer.Body.String(), strings.ReplaceAll(test.want, `"`, `\"`)) {
			t.Errorf("%s: got %d %s, want 400 %q", test.rules, answer.Code, answer.Body, test.want)
		}
		if !injector.LoseMessage() {
			t.Errorf("%s: a refused list replaced the rules", test.rules)
		}
	}
}

func TestServeHTTP(t *testing.T) {
	t.Parallel()
	injector := with(t, 3, `[{"service":"sqs","lose":1}]`)
	injector.LoseMessage()
	var shown struct {
		Seed     uint64
		Rules    []faults.Rule
		Injected map[string]int64
	}
	if err := json.Unmarshal(request(injector, "GET", "").Body.Bytes(), &shown); err != nil || shown.Seed != 3 || len(shown.Rules) != 1 || shown.Injected["sqs.lose"] != 1 {
		t.Errorf("got %+v and %v", shown, err)
	}
	if answer := request(injector, "DELETE", ""); answer.Code != http.StatusOK || injector.LoseMessage() {
		t.Errorf("after DELETE (%d) a fault happened", answer.Code)
	}
	if got := request(injector, "GET", "").Body.String(); !strings.Contains(got, `"rules":[]`) {
		t.Errorf("got %s", got)
	}
	if answer := request(injector, "POST", "[]"); answer.Code != http.StatusMethodNotAllowed {
		t.Errorf("POST: got %d", answer.Code)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`[{"service":"dynamodb","operation":"UpdateItem","rate":0.1,"error":"ProvisionedThroughputExceededException"},{"function":"processor","kill":0.05}]`))
	f.Add([]byte(`[{"seed":1},{"service":"bedrock-runtime","afterTokens":3,"error":"x"},{"service":"websocket","drop":1e-3}]`))
	f.Fuzz(func(_ *testing.T, body []byte) {
		rules, err := faults.Parse(body)
		injector := faults.New(1)
		if err == nil && injector.Set(rules) == nil {
			injector.Decide("dynamodb", "UpdateItem")
			injector.DecideFunction("processor")
			injector.DecideModel()
		}
	})
}
