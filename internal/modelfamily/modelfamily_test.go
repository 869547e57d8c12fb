package modelfamily_test

import (
	"testing"

	"github.com/streaming-service/streaming-service/internal/modelfamily"
)

func TestOf(t *testing.T) {
	t.Parallel()
	const account = "arn:aws:bedrock:eu-west-1:123456789012:"
	for id, want := range map[string]string{
		"anthropic.claude-opus-4-8":                                       "Claude Opus 4.7 and later",
		"us.anthropic.claude-opus-5":                                      "Claude Opus 4.7 and later",
		"us-gov.anthropic.claude-sonnet-4-5-20250929-v1:0":                "Claude Opus 4.1 to Claude 4.5",
		"global.anthropic.claude-sonnet-4-6":                              "Claude 4.6",
		"eu.anthropic.claude-opus-4-1-20250805-v1:0":                      "Claude Opus 4.1 to Claude 4.5",
		"jp.anthropic.claude-sonnet-5":                                    "Claude Sonnet 5",
		"us.anthropic.claude-fable-5":                                     "Claude Fable",
		"us.deepseek.r1-v1:0":                                             "DeepSeek-R1",
		"deepseek.v3.2":                                                   "DeepSeek",
		"arn:aws:bedrock:eu-west-1::foundation-model/deepseek.v3.2":       "DeepSeek",
		account + "inference-profile/eu.anthropic.claude-sonnet-4-6":      "Claude 4.6",
		account + "application-inference-profile/anthropic.claude-opus-5": "",
		"global.amazon.nova-2-lite-v1:0":                                  "Amazon Nova 2",
		"us.amazon.nova-micro-v1:0":                                       "Amazon Nova Micro",
		"amazon.nova-pro-v1:0":                                            "Amazon Nova",
		"anthropic.claude-3-5-sonnet-20240620-v1:0":                       "Claude 3 and 3.5",
		"us.anthropic.claude-3-5-haiku-20241022-v1:0":                     "Claude 3.5 Haiku",
		"anthropic.claude-opus-4-20250514-v1:0":                           "Claude 3.7 and Claude 4",
		"us.meta.llama3-2-1b-instruct-v1:0":                               "Llama 2 and 3, Llama 3.2 1B and 3B",
		"us.meta.llama3-2-90b-instruct-v1:0":                              "Llama 3.2 11B and 90B",
		"us.meta.llama3-3-70b-instruct-v1:0":                              "Llama 3.1 and 3.3",
		"us.meta.llama4-scout-17b-instruct-v1:0":                          "Llama 4",
		"mistral.mixtral-8x7b-instruct-v0:1":                              "Mistral 7B and Mixtral",
		"mistral.mistral-large-2407-v1:0":                                 "Mistral Large and Small of 2024",
		"us.mistral.pixtral-large-2502-v1:0":                              "Mistral",
		"openai.gpt-oss-120b-1:0":                                         "OpenAI gpt-oss",
		"qwen.qwen3-32b-v1:0":                                             "",
		"xx.anthropic.claude-opus-5":                                      "",
		"arn:":                                                            "",
		"":                                                                "",
	} {
		if got := modelfamily.Of(id); got.Name != want {
			t.Errorf("Of(%q) = %q, want %q", id, got.Name, want)
		}
		if got := modelfamily.Of(id); (got.Name == "") != (got.Source == "") {
			t.Errorf("the rules of %q have no source", got.Name)
		}
	}
}

func TestRefuseSampling(t *testing.T) {
	t.Parallel()
	none, both := []string(nil), []string{"temperature", "topP"}
	for _, test := range []struct {
		sampling          modelfamily.Sampling
		temperature, topP bool
		want              []string
	}{
		{modelfamily.SamplingFree, true, true, none},
		{modelfamily.SamplingEither, true, false, none},
		{modelfamily.SamplingEither, false, true, none},
		{modelfamily.SamplingEither, true, true, both[1:]},
		{modelfamily.SamplingNone, false, false, none},
		{modelfamily.SamplingNone, true, false, both[:1]},
		{modelfamily.SamplingNone, false, true, both[1:]},
		{modelfamily.SamplingNone, true, true, both},
	} {
		refused := modelfamily.Family{Sampling: test.sampling}.RefuseSampling(test.temperature, test.topP)
		if len(refused) != len(test.want) {
			t.Errorf("%+v: refused %+v", test, refused)
			continue
		}
		for i, r := range refused {
			if r.Parameter != test.want[i] || r.Why == "" {
				t.Errorf("%+v: refused %+v", test, r)
			}
		}
	}
}
