package usage_test

import (
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/streaming-service/streaming-service/internal/localcloud/usage"
)

const (
	first  = "abcdefghijklmnopqrstuvwx23"
	second = "zyxwvutsrqponmlkjihgfedc76"
)

func TestTotals(t *testing.T) {
	t.Parallel()
	meter := usage.New()
	meter.Call("dynamodb", "GetItem", nil)
	meter.Call("dynamodb", "GetItem", nil)
	meter.Error("dynamodb", "GetItem", "ThrottlingException", nil)
	meter.Add(usage.WriteUnits, 4, nil)
	meter.Invocation("processor", 512, 3, true, true, nil)
	total := meter.Total()
	if total.Calls["dynamodb"]["GetItem"] != 2 || total.Calls["lambda"]["processor"] != 1 || total.Errors["dynamodb"]["GetItem:ThrottlingException"] != 1 {
		t.Errorf("got %+v", total)
	}
	for name, want := range map[string]float64{usage.WriteUnits: 4, usage.Invocations: 1, usage.ColdStarts: 1, usage.FunctionErrors: 1, usage.GBSeconds: 1.5} {
		if total.Counters[name] != want {
			t.Errorf("%s: got %v, want %v", name, total.Counters[name], want)
		}
	}
}

func TestAttribution(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		body string
		want map[string]float64
	}{
		{"key", `{"Key":{"sk":{"S":"r#` + first + `"}}}`, map[string]float64{first: 1}},
		{"message within JSON", `{"MessageBody":"{\"v\":1,\"requestId\":\"` + first + `\"}"}`, map[string]float64{first: 1}},
		{"with a space", `{"requestId": "` + first + `"}`, map[string]float64{first: 1}},
		{"named twice", `{"requestId":"` + first + `","sk":"r#` + first + `"}`, map[string]float64{first: 1}},
		{"two requests share", `["r#` + first + `","r#` + second + `"]`, map[string]float64{first: 0.5, second: 0.5}},
		{"a word that only looks like an id", `{"owner":"` + first + `"}`, nil},
		{"longer word", `{"sk":"r#` + first + `x"}`, nil},
		{"digit outside base32", `{"sk":"r#` + strings.Replace(first, "2", "1", 1) + `"}`, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			meter := usage.New()
			meter.Call("sqs", "SendMessage", []byte(test.body))
			got := meter.Requests()
			if len(got) != len(test.want) {
				t.Errorf("got %v, want %v", got, test.want)
			}
			for id, want := range test.want {
				if got[id].Calls["sqs"]["SendMessage"] != want {
					t.Errorf("%s: got %+v, want %v calls", id, got[id], want)
				}
			}
		})
	}
}

func TestKnownIDCountsAnywhere(t *testing.T) {
	t.Parallel()
	meter := usage.New()
	meter.Call("sqs", "SendMessage", []byte(`{"requestId":"`+first+`"}`))
	meter.Call("bedrock-runtime", "ConverseStream", []byte(`{"requestMetadata":{"id":"`+first+`"}}`))
	if got := meter.Requests()[first].Calls["bedrock-runtime"]["ConverseStream"]; got != 1 {
		t.Errorf("got %v calls, want 1", got)
	}
}

func TestServeHTTP(t *testing.T) {
	t.Parallel()
	meter := usage.New()
	meter.Call("sqs", "SendMessage", []byte(`r#`+first))
	get := func(target string) (answer map[string]any) {
		recorder := httptest.NewRecorder()
		meter.ServeHTTP(recorder, httptest.NewRequest("GET", target, nil))
		if err := json.Unmarshal(recorder.Body.Bytes(), &answer); err != nil {
			t.Fatal(err)
		}
		return answer
	}
	if answer := get("/_local/usage"); answer["calls"] == nil || answer["requests"] != nil {
		t.Errorf("got %v", answer)
	}
	if requests, _ := get("/_local/usage?requests")["requests"].(map[string]any); requests[first] == nil {
		t.Errorf("got %v, want request %s", requests, first)
	}
	recorder := httptest.NewRecorder()
	meter.ServeHTTP(recorder, httptest.NewRequest("DELETE", "/_local/usage", nil))
	if recorder.Code != 405 {
		t.Errorf("DELETE: got %d", recorder.Code)
	}
}
