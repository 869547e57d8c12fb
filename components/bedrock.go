package components

import (
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/streaming-service/streaming-service/internal/modelfamily"
)

// invokeModel is the action that ConverseStream is authorized as; there is no
// bedrock:ConverseStream.
const invokeModel = "bedrock:InvokeModelWithResponseStream"

// location is a place whose parts are known.
type location struct{ partition, region, account string }

// modelAccess is what it takes to call one model: the ARN that the call names,
// and the models behind it if that is an inference profile.
type modelAccess struct {
	ARN    string
	Models []string // allowed only through ARN
}

// bedrockARNs returns the resources of an IAM policy for calling a model: by
// its id, by the id of an inference profile (us., eu., global. …) or by any
// ARN. A profile may run the model in any Region that it spans, so its models
// have '*' for the Region; the policy narrows them to calls through the
// profile.
func bedrockARNs(modelID string, at location) modelAccess {
	if strings.HasPrefix(modelID, "arn:") {
		return arnAccess(modelID, at)
	}
	prefix, model := modelfamily.SplitProfile(modelID)
	if prefix == "" {
		return modelAccess{ARN: "arn:" + at.partition + ":bedrock:" + at.region + "::foundation-model/" + modelID}
	}
	return modelAccess{
		ARN:    "arn:" + at.partition + ":bedrock:" + at.region + ":" + at.account + ":inference-profile/" + modelID,
		Models: []string{anyRegion(at, model)},
	}
}

// arnAccess is bedrockARNs of an ARN. An application inference profile does
// not tell its models, so any model may be called through it, and only through
// it.
func arnAccess(arn string, at location) modelAccess {
	parts := strings.SplitN(arn, ":", 6)
	kind, id, _ := strings.Cut(parts[len(parts)-1], "/")
	switch kind {
	case "inference-profile":
		_, model, _ := strings.Cut(id, ".")
		return modelAccess{ARN: arn, Models: []string{anyRegion(at, model)}}
	case "application-inference-profile":
		return modelAccess{ARN: arn, Models: []string{anyRegion(at, "*")}}
	default:
		return modelAccess{ARN: arn}
	}
}

// anyRegion is a foundation model in every Region, and in none: the global
// profiles also call the model by an ARN without a Region.
func anyRegion(at location, model string) string {
	return "arn:" + at.partition + ":bedrock:*::foundation-model/" + model
}

// bedrockStatements allow calling each of the models.
func bedrockStatements(modelIDs []string, at location) []statement {
	direct := statement{Effect: "Allow", Action: []string{invokeModel}}
	var through []statement
	for _, id := range sortedUnique(modelIDs) {
		access := bedrockARNs(id, at)
		direct.Resource = append(direct.Resource, access.ARN)
		if len(access.Models) > 0 {
			through = append(through, statement{
				Effect: "Allow", Action: []string{invokeModel}, Resource: access.Models,
				Condition: map[string]map[string][]string{"StringEquals": {"bedrock:InferenceProfileArn": {access.ARN}}},
			})
		}
	}
	return append([]statement{direct}, through...)
}

// bedrockGrant allows calling the allowed models and applying the guardrail.
func (b *build) bedrockGrant() grant {
	return pulumi.All(b.allowedModels(), b.place.partition, b.place.region, b.place.account, text(b.args.Model.GuardrailId)).
		ApplyT(func(v []any) []statement {
			at := location{v[1].(string), v[2].(string), v[3].(string)}
			statements := bedrockStatements(v[0].([]string), at)
			if guardrail := v[4].(string); guardrail != "" {
				statements = append(statements, statement{
					Effect: "Allow", Action: []string{"bedrock:ApplyGuardrail"}, Resource: []string{guardrailARN(guardrail, at)},
				})
			}
			return statements
		})
}

// allowedModels are the models that a request may name: the default model
// unless configured.
func (b *build) allowedModels() pulumi.StringArrayOutput {
	if list := b.args.Model.AllowedModelIds; list != nil {
		return list.ToStringArrayOutput()
	}
	return pulumi.StringArray{required(b.args.Model.ModelId)}.ToStringArrayOutput()
}

func guardrailARN(id string, at location) string {
	if strings.HasPrefix(id, "arn:") {
		return id
	}
	return "arn:" + at.partition + ":bedrock:" + at.region + ":" + at.account + ":guardrail/" + id
}

func sortedUnique(list []string) []string {
	sorted := slices.Clone(list)
	slices.Sort(sorted)
	return slices.Compact(sorted)
}
