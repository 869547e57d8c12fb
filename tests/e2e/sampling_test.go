package e2e_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/streaming-service/streaming-service/protocol"
)

// What the model refuses is refused with its field before anything is spent; what
// is admitted, with the operator's defaults in it, the model takes.
func TestSamplingSuitsTheModel(t *testing.T) {
	t.Parallel()
	const free, either, none = "global.amazon.nova-2-lite-v1:0", "us.anthropic.claude-haiku-4-5-20251001-v1:0", "global.anthropic.claude-opus-4-8"
	h := ownCloud(t,
		"model.temperature=0.7", "model.topP=0.9",
		"model.allowedModelIds[0]="+free, "model.allowedModelIds[1]="+either, "model.allowedModelIds[2]="+none)
	p := newPerson(t, h)
	socket := p.dial()
	body := func(model, fields string) json.RawMessage {
		return json.RawMessage(`{"prompt":"Hi","system":"script: rate=0 tokens=3","model":"` + model + `"` + fields + `}`)
	}
	for _, taken := range []json.RawMessage{
		body(free, ``), body(either, ``), body(none, ``), body(free, `,"temperature":0.1,"topP":0.1`),
		body(either, `,"temperature":0.1`), body(either, `,"topP":0.1`), body(either, `,"temperature":null`), body(none, `,"topP":null`),
		body(either, `,"stopSequences":["END"]`),
	} {
		if end := socket.Stream(t, p.Submit(t, p.token(), taken), patience).End; end.Type != "done" {
			t.Errorf("%s ended with %s", taken, end.Raw)
		}
	}
	used := p.settled().Requests.Used
	for _, refused := range []struct {
		body  json.RawMessage
		field string
	}{
		{body(either, `,"temperature":0.1,"topP":0.1`), "topP"},
		{body(none, `,"temperature":0.1`), "temperature"},
		{body(none, `,"topP":0.1`), "topP"},
		{body(free, `,"stopSequences":[" \n"]`), "stopSequences[0]"},
	} {
		answer := p.call("POST", "/requests", refused.body)
		var problem protocol.Problem
		if err := json.Unmarshal(answer.Body, &problem); err != nil || answer.Status != 400 || problem.Code != protocol.CodeInvalidRequest {
			t.Errorf("%s: %d %s", refused.body, answer.Status, answer.Body)
			continue
		}
		if e := problem.Errors[0]; e.Field != refused.field || refused.field != "stopSequences[0]" && !strings.Contains(e.Message, "claude") {
			t.Errorf("%s: %s %s", refused.body, e.Field, e.Message)
		}
	}
	if now := p.settled().Requests.Used; now != used {
		t.Errorf("%d requests, %d after refusals", used, now)
	}
}
