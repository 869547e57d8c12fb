package components_test

import (
	"reflect"
	"testing"

	"github.com/streaming-service/streaming-service/components"
)

func TestBedrockARNs(t *testing.T) {
	t.Parallel()
	here := components.NewLocation("aws", "eu-west-1", "123456789012")
	for _, test := range []struct {
		model string
		at    components.Location
		want  components.ModelAccess
	}{
		{"amazon.nova-lite-v1:0", here, components.ModelAccess{ARN: "arn:aws:bedrock:eu-west-1::foundation-model/amazon.nova-lite-v1:0"}},
		{"anthropic.claude-sonnet-5", here, components.ModelAccess{ARN: "arn:aws:bedrock:eu-west-1::foundation-model/anthropic.claude-sonnet-5"}},
		{"eu.anthropic.claude-haiku-4-5-20251001-v1:0", here, components.ModelAccess{
			ARN:    "arn:aws:bedrock:eu-west-1:123456789012:inference-profile/eu.anthropic.claude-haiku-4-5-20251001-v1:0",
			Models: []string{"arn:aws:bedrock:*::foundation-model/anthropic.claude-haiku-4-5-20251001-v1:0"},
		}},
		{"global.amazon.nova-2-lite-v1:0", here, components.ModelAccess{
			ARN:    "arn:aws:bedrock:eu-west-1:123456789012:inference-profile/global.amazon.nova-2-lite-v1:0",
			Models: []string{"arn:aws:bedrock:*::foundation-model/amazon.nova-2-lite-v1:0"},
		}},
		{"us-gov.amazon.nova-lite-v1:0", components.NewLocation("aws-us-gov", "us-gov-west-1", "1"), components.ModelAccess{
			ARN:    "arn:aws-us-gov:bedrock:us-gov-west-1:1:inference-profile/us-gov.amazon.nova-lite-v1:0",
			Models: []string{"arn:aws-us-gov:bedrock:*::foundation-model/amazon.nova-lite-v1:0"},
		}},
		{"arn:aws:bedrock:us-east-1::foundation-model/meta.llama4", here, components.ModelAccess{ARN: "arn:aws:bedrock:us-east-1::foundation-model/meta.llama4"}},
		{"arn:aws:bedrock:us-east-1:1:inference-profile/us.meta.llama4-v1:0", here, components.ModelAccess{
			ARN:    "arn:aws:bedrock:us-east-1:1:inference-profile/us.meta.llama4-v1:0",
			Models: []string{"arn:aws:bedrock:*::foundation-model/meta.llama4-v1:0"},
		}},
		{"arn:aws:bedrock:us-east-1:1:application-inference-profile/abc", here, components.ModelAccess{
			ARN:    "arn:aws:bedrock:us-east-1:1:application-inference-profile/abc",
			Models: []string{"arn:aws:bedrock:*::foundation-model/*"},
		}},
		{"arn:aws:bedrock:us-east-1:1:provisioned-model/abc", here, components.ModelAccess{ARN: "arn:aws:bedrock:us-east-1:1:provisioned-model/abc"}},
	} {
		if got := components.BedrockARNs(test.model, test.at); !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s: got %+v, want %+v", test.model, got, test.want)
		}
	}
}

// TestBedrockPolicy: models of a profile can be called through that profile
// only, and a model named twice is allowed once.
func TestBedrockPolicy(t *testing.T) {
	t.Parallel()
	got, err := components.BedrockPolicy([]string{"eu.x.y", "a.b", "a.b"}, components.NewLocation("aws", "eu-west-1", "1"))
	if err != nil {
		t.Fatal(err)
	}
	want := `{"Version":"2012-10-17","Statement":[` +
		`{"Effect":"Allow","Action":["bedrock:InvokeModelWithResponseStream"],"Resource":["arn:aws:bedrock:eu-west-1::foundation-model/a.b","arn:aws:bedrock:eu-west-1:1:inference-profile/eu.x.y"]},` +
		`{"Effect":"Allow","Action":["bedrock:InvokeModelWithResponseStream"],"Resource":["arn:aws:bedrock:*::foundation-model/x.y"],"Condition":{"StringEquals":{"bedrock:InferenceProfileArn":["arn:aws:bedrock:eu-west-1:1:inference-profile/eu.x.y"]}}}]}`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
