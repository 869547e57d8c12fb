package bedrock_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/streaming-service/streaming-service/internal/localcloud/bedrock"
)

func TestPermissions(t *testing.T) {
	t.Parallel()
	const local, account = "arn:aws:bedrock:us-east-1::foundation-model/", "arn:aws:bedrock:us-east-1:000000000000:"
	tests := []struct {
		id   string
		want []string // resource, then the profile of its condition
	}{
		{"amazon.nova-lite-v1:0", []string{local + "amazon.nova-lite-v1:0"}},
		{"openai.gpt-oss-20b-1:0", []string{local + "openai.gpt-oss-20b-1:0"}},
		{local + "amazon.nova-lite-v1:0", []string{local + "amazon.nova-lite-v1:0"}},
		{"us.amazon.nova-lite-v1:0", []string{
			account + "inference-profile/us.amazon.nova-lite-v1:0",
			local + "amazon.nova-lite-v1:0 " + account + "inference-profile/us.amazon.nova-lite-v1:0",
			"arn:aws:bedrock:us-east-2::foundation-model/amazon.nova-lite-v1:0 " + account + "inference-profile/us.amazon.nova-lite-v1:0",
			"arn:aws:bedrock:us-west-2::foundation-model/amazon.nova-lite-v1:0 " + account + "inference-profile/us.amazon.nova-lite-v1:0",
		}},
		{"global.anthropic.claude-sonnet-4-6", []string{
			account + "inference-profile/global.anthropic.claude-sonnet-4-6",
			local + "anthropic.claude-sonnet-4-6 " + account + "inference-profile/global.anthropic.claude-sonnet-4-6",
			"arn:aws:bedrock:::foundation-model/anthropic.claude-sonnet-4-6 " + account + "inference-profile/global.anthropic.claude-sonnet-4-6",
		}},
		{account + "inference-profile/global.amazon.nova-2-lite-v1:0", []string{
			account + "inference-profile/global.amazon.nova-2-lite-v1:0",
			local + "amazon.nova-2-lite-v1:0 " + account + "inference-profile/global.amazon.nova-2-lite-v1:0",
			"arn:aws:bedrock:::foundation-model/amazon.nova-2-lite-v1:0 " + account + "inference-profile/global.amazon.nova-2-lite-v1:0",
		}},
		{account + "application-inference-profile/abc123", []string{account + "application-inference-profile/abc123"}},
	}
	for _, test := range tests {
		t.Run(test.id, func(t *testing.T) {
			t.Parallel()
			guard := &recorder{}
			if status, body := post(t, bedrock.NewScripted(guard), test.id, `{"messages":[{"role":"user","content":[{"text":"x"}]}],"system":[{"text":"script: tokens=1"}]}`); status != http.StatusOK {
				t.Fatalf("%d %s", status, body)
			}
			var got []string
			for _, p := range guard.calls[0].Permissions {
				if p.Action != "bedrock:InvokeModelWithResponseStream" {
					t.Errorf("action %s", p.Action)
				}
				got = append(got, strings.TrimSpace(p.Resource+" "+p.Context["bedrock:InferenceProfileArn"]))
			}
			if fmt.Sprint(got) != fmt.Sprint(test.want) {
				t.Errorf("permissions:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(test.want, "\n"))
			}
		})
	}
}

// post sends a body to a model, its id encoded as the SDKs do.
func post(t *testing.T, handler http.Handler, model, body string) (int, string) {
	t.Helper()
	server := httptest.NewServer(handler)
	defer server.Close()
	request, err := http.NewRequestWithContext(context.Background(), http.MethodPost, server.URL+"/model/"+url.QueryEscape(model)+"/converse-stream", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, response.Header.Get("X-Amzn-Errortype") + " " + string(answer)
}

func TestValidation(t *testing.T) {
	t.Parallel()
	const ok = `{"role":"user","content":[{"text":"x"}]}`
	tests := []struct {
		name, model, body string
		want              string // "" is accepted
	}{
		{"fine", modelID, `{"messages":[` + ok + `]}`, ""},
		{"longer conversation", modelID, `{"messages":[` + ok + `,{"role":"assistant","content":[{"text":"y"}]},` + ok + `]}`, ""},
		{"guard content", modelID, `{"messages":[{"role":"user","content":[{"guardContent":{"text":{"text":"x"}}},{"cachePoint":{"type":"default"}}]}]}`, ""},
		{"not JSON", modelID, `{`, "SerializationException"},
		{"no messages", modelID, `{"messages":[]}`, "must start with a user message"},
		{"assistant first", modelID, `{"messages":[{"role":"assistant","content":[{"text":"x"}]}]}`, "must start with a user message"},
		{"user twice", modelID, `{"messages":[` + ok + `,` + ok + `]}`, "must alternate"},
		{"unknown role", modelID, `{"messages":[` + ok + `,{"role":"tool","content":[{"text":"x"}]}]}`, "enum value set"},
		{"assistant last", modelID, `{"messages":[` + ok + `,{"role":"assistant","content":[{"text":"x"}]}]}`, "must end with a user message"},
		{"blank text", modelID, `{"messages":[{"role":"user","content":[{"text":" \n"}]}]}`, "messages.0.content.0 is blank"},
		{"no content", modelID, `{"messages":[{"role":"user","content":[]}]}`, "is empty"},
		{"image", modelID, `{"messages":[{"role":"user","content":[{"image":{}}]}]}`, "enum value set"},
		{"blank system", modelID, `{"messages":[` + ok + `],"system":[{"text":""}]}`, "system.0 is blank"},
		{"maxTokens 0", modelID, `{"messages":[` + ok + `],"inferenceConfig":{"maxTokens":0}}`, "greater than or equal to 1"},
		{"temperature", modelID, `{"messages":[` + ok + `],"inferenceConfig":{"temperature":1.5}}`, "less than or equal to 1"},
		{"topP", modelID, `{"messages":[` + ok + `],"inferenceConfig":{"topP":-1}}`, "greater than or equal to 0"},
		{"empty stop sequence", modelID, `{"messages":[` + ok + `],"inferenceConfig":{"stopSequences":[""]}}`, "stopSequences"},
		{"metadata", modelID, `{"messages":[` + ok + `],"requestMetadata":{"a":"é"}}`, "requestMetadata"},
		{"guardrail without version", modelID, `{"messages":[` + ok + `],"guardrailConfig":{"guardrailIdentifier":"g"}}`, "guardrail"},
		{"script", modelID, `{"messages":[` + ok + `],"system":[{"text":"script: speed=3"}]}`, "unknown key"},
		{"temperature and topP for Claude 4.5", "us.anthropic.claude-haiku-4-5-20251001-v1:0", `{"messages":[` + ok + `],"inferenceConfig":{"temperature":0.5,"topP":0.5}}`, "cannot both be specified"},
		{"blank stop sequence", modelID, `{"messages":[` + ok + `],"inferenceConfig":{"stopSequences":["END"," \n"]}}`, "non-whitespace"},
		{"too many stop sequences", modelID, `{"messages":[` + ok + `],"inferenceConfig":{"stopSequences":["a"` + strings.Repeat(`,"a"`, 2500) + `]}}`, "less than or equal to 2500"},
		{"eleven stop sequences for DeepSeek", "us.deepseek.r1-v1:0", `{"messages":[` + ok + `],"inferenceConfig":{"stopSequences":["a"` + strings.Repeat(`,"a"`, 10) + `]}}`, "maximum item count: 10"},
		{"temperature and topP for Opus 4.1", "us.anthropic.claude-opus-4-1-20250805-v1:0", `{"messages":[` + ok + `],"inferenceConfig":{"temperature":0.5,"topP":0.5}}`, "cannot both be specified"},
		{"topP for Opus 4.7", "us.anthropic.claude-opus-4-7", `{"messages":[` + ok + `],"inferenceConfig":{"topP":0.5}}`, "`top_p` is deprecated"},
		{"temperature for Opus 5", "us.anthropic.claude-opus-5", `{"messages":[` + ok + `],"inferenceConfig":{"temperature":0.5}}`, "deprecated"},
		{"no profile", "anthropic.claude-sonnet-4-6", `{"messages":[` + ok + `]}`, "on-demand throughput"},
		{"not an id", "gpt", `{"messages":[` + ok + `]}`, "model identifier is invalid"},
		{"id with a space", "amazon.nova lite", `{"messages":[` + ok + `]}`, "model identifier is invalid"},
		{"ARN of another service", "arn:aws:s3:::bucket/x", `{"messages":[` + ok + `]}`, "model identifier is invalid"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			status, body := post(t, newModel(bedrock.WithScript("script: tokens=1")), test.model, test.body)
			if test.want == "" {
				if status != http.StatusOK {
					t.Errorf("%d %s", status, body)
				}
				return
			}
			if status != http.StatusBadRequest || !strings.Contains(body, test.want) || !strings.HasPrefix(body, "ValidationException ") && test.want != "SerializationException" {
				t.Errorf("%d %s, want %q", status, body, test.want)
			}
		})
	}
}
