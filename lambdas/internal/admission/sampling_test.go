package admission_test

import (
	"strings"
	"testing"

	"github.com/streaming-service/streaming-service/lambdas/internal/admission"
	"github.com/streaming-service/streaming-service/protocol"
)

const (
	free   = "global.amazon.nova-2-lite-v1:0"
	either = "us.anthropic.claude-haiku-4-5-20251001-v1:0"
	none   = "eu.anthropic.claude-opus-4-8"
	tenth  = "us.deepseek.r1-v1:0"
)

// models may be asked for each of four models, with the operator's defaults.
func models(temperature, topP *float64) admission.Model {
	return admission.Model{ID: free, Allowed: []string{free, either, none, tenth}, MaxTokens: 100, Temperature: temperature, TopP: topP}
}

// What Bedrock refuses once became a model_error that named nothing.
func TestWhatTheModelRefusesIsRefusedAtAdmission(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, model, fields string
		want                []string
	}{
		{"pair", either, `"temperature":0.5,"topP":0.5`, []string{"topP"}},
		{"temperature", none, `"temperature":0`, []string{"temperature"}},
		{"topP", none, `"topP":1`, []string{"topP"}},
		{"pair for a model without", none, `"temperature":0.5,"topP":0.5`, []string{"temperature", "topP"}},
		{"stop sequences", tenth, `"stopSequences":["a"` + strings.Repeat(`,"a"`, 10) + `]`, []string{"stopSequences"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := models(nil, nil).Parse([]byte(`{"prompt":"a","model":"` + test.model + `",` + test.fields + `}`))
			if err == nil || err.Problem.Code != protocol.CodeInvalidRequest || len(err.Problem.Errors) != len(test.want) {
				t.Fatalf("Parse: %+v", err)
			}
			for i, f := range err.Problem.Errors {
				if f.Field != test.want[i] || !strings.Contains(f.Message, test.model) {
					t.Errorf("%s %s; want %s and the model", f.Field, f.Message, test.want[i])
				}
			}
		})
	}
}

// The operator's defaults are sent as far as the model takes them beside what the
// request asks for, which may be to send none.
func TestDefaultsSuitTheModel(t *testing.T) {
	t.Parallel()
	hot, wide := new(0.7), new(0.9)
	for _, test := range []struct {
		name, model, fields       string
		temperature, topP         *float64 // defaults
		wantTemperature, wantTopP *float64
	}{
		{"no defaults", free, ``, nil, nil, nil, nil},
		{"both, to a model that takes both", free, ``, hot, wide, hot, wide},
		{"both, to a model that takes one", either, ``, hot, wide, hot, nil},
		{"both, to a model that takes none", none, ``, hot, wide, nil, nil},
		{"one, to a model that takes none", none, ``, nil, wide, nil, nil},
		{"the caller's temperature alone", either, `,"temperature":0.1`, nil, wide, new(0.1), nil},
		{"the caller's topP alone", either, `,"topP":0.1`, hot, nil, nil, new(0.1)},
		{"the caller's beside the default", free, `,"topP":0.1`, hot, wide, hot, new(0.1)},
		{"null unsets", free, `,"temperature":null`, hot, wide, nil, wide},
		{"null unsets what comes first", either, `,"temperature":null`, hot, wide, nil, wide},
		{"null of both", free, `,"temperature":null,"topP": null`, hot, wide, nil, nil},
		{"null for a model that takes none", none, `,"temperature":null,"topP":null`, hot, wide, nil, nil},
		{"null without a default", free, `,"topP":null`, nil, nil, nil, nil},
		{"null of one, a value of the other", either, `,"temperature":null,"topP":0.1`, hot, wide, nil, new(0.1)},
		{"ten stop sequences", tenth, `,"stopSequences":["a"` + strings.Repeat(`,"a"`, 9) + `]`, nil, nil, nil, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, err := models(test.temperature, test.topP).Parse([]byte(`{"prompt":"a","model":"` + test.model + `"` + test.fields + `}`))
			if err != nil {
				t.Fatal(err)
			}
			if !same(got.Model.Temperature, test.wantTemperature) || !same(got.Model.TopP, test.wantTopP) {
				t.Errorf("sent %v and %v, want %v and %v", got.Model.Temperature, got.Model.TopP, test.wantTemperature, test.wantTopP)
			}
		})
	}
}

func same(a, b *float64) bool { return (a == nil) == (b == nil) && (a == nil || *a == *b) }
