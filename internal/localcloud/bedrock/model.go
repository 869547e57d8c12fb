package bedrock

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
	"github.com/streaming-service/streaming-service/internal/modelfamily"
)

const invokeAction = "bedrock:InvokeModelWithResponseStream"

// profileRegions are where the models of a cross-Region profile may run. ""
// stands for the ARN without a Region that global profiles need
// (docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-support.html).
var profileRegions = map[string][]string{
	"us":     {"us-east-1", "us-east-2", "us-west-2"},
	"eu":     {"eu-central-1", "eu-north-1", "eu-west-1", "eu-west-3"},
	"jp":     {"ap-northeast-1", "ap-northeast-3"},
	"au":     {"ap-southeast-2", "ap-southeast-4"},
	"apac":   {"ap-northeast-1", "ap-south-1", "ap-southeast-1", "ap-southeast-2"},
	"global": {awsapi.Region, ""},
}

// onDemandOnlyByProfile begin the ids of models that cannot be called without an
// inference profile.
var onDemandOnlyByProfile = []string{
	"anthropic.claude-3-7", "anthropic.claude-haiku-", "anthropic.claude-sonnet-", "anthropic.claude-opus-", "anthropic.claude-fable-",
	"amazon.nova-2-", "amazon.nova-premier-", "meta.llama3-1-", "meta.llama3-2-", "meta.llama3-3-", "meta.llama4-", "deepseek.r1-",
}

var (
	baseModel = regexp.MustCompile(`^[a-z0-9-]{1,63}\.[a-z0-9][a-z0-9._-]{0,126}(:[a-z0-9.:]{1,40})?$`)
	modelARN  = regexp.MustCompile(`^arn:aws[a-z-]*:bedrock:[a-z0-9-]*:\d{0,12}:(foundation-model|inference-profile|application-inference-profile|provisioned-model|custom-model-deployment|imported-model|prompt-router|prompt)/[A-Za-z0-9._:/-]+$`)
)

// model is a model as a request names it.
type model struct {
	id      string // as given
	base    string // amazon.nova-lite-v1:0; "" behind an ARN that does not tell
	profile string // us, eu, …, "" without one
	arn     string // as given, "" for an id
}

// parseModel reads an id, the id of an inference profile, or an ARN of either.
func parseModel(id string) (model, *awsapi.Error) {
	m := model{id: id, base: id}
	if strings.HasPrefix(id, "arn:") {
		if !modelARN.MatchString(id) {
			return model{}, validation("The provided model identifier is invalid.")
		}
		m.arn = id
		_, resource, _ := strings.Cut(id[strings.LastIndex(id, ":bedrock:")+len(":bedrock:"):], ":")
		_, resource, _ = strings.Cut(resource, ":")
		kind, name, _ := strings.Cut(resource, "/")
		if kind != "foundation-model" && kind != "inference-profile" {
			m.base = ""
			return m, nil
		}
		m.base = name
	}
	if prefix, rest, found := strings.Cut(m.base, "."); found && profileRegions[prefix] != nil {
		m.profile, m.base = prefix, rest
	}
	if !baseModel.MatchString(m.base) {
		return model{}, validation("The provided model identifier is invalid.")
	}
	if m.profile == "" && hasPrefix(m.base, onDemandOnlyByProfile) {
		return model{}, validation("Invocation of model ID " + m.base + " with on-demand throughput isn’t supported. Retry your request with the ID or ARN of an inference profile that contains this model.")
	}
	return m, nil
}

// permissions are what a caller needs to stream from the model: with a profile
// the profile itself and each model behind it.
func (m model) permissions() []awsapi.Permission {
	if m.profile == "" {
		arn := m.arn
		if arn == "" {
			arn = foundationModel(awsapi.Region, m.base)
		}
		return []awsapi.Permission{{Action: invokeAction, Resource: arn}}
	}
	profile := m.arn
	if profile == "" {
		profile = awsapi.ARN("bedrock", "inference-profile/"+m.id)
	}
	needed := []awsapi.Permission{{Action: invokeAction, Resource: profile}}
	for _, region := range profileRegions[m.profile] {
		needed = append(needed, awsapi.Permission{
			Action: invokeAction, Resource: foundationModel(region, m.base),
			Context: map[string]string{"bedrock:InferenceProfileArn": profile},
		})
	}
	return needed
}

func foundationModel(region, base string) string {
	return "arn:" + awsapi.Partition + ":bedrock:" + region + "::foundation-model/" + base
}

// refuses says what the model itself refuses of the inference parameters.
func (m model) refuses(c inference) *awsapi.Error {
	family := modelfamily.Of(m.id)
	if most := family.StopSequences; most > 0 && len(c.StopSequences) > most {
		return validation(fmt.Sprintf("The model returned the following errors: Malformed input request: #/stop: expected maximum item count: %d, found: %d, please reformat your input and try again.", most, len(c.StopSequences)))
	}
	switch refused := family.RefuseSampling(c.Temperature != nil, c.TopP != nil); {
	case len(refused) == 0:
		return nil
	case family.Sampling == modelfamily.SamplingEither:
		return validation("The model returned the following errors: `temperature` and `top_p` cannot both be specified for this model. Please use only one.")
	case refused[0].Parameter == "topP":
		return validation("The model returned the following errors: `top_p` is deprecated for this model.")
	default:
		return validation("The model returned the following errors: `temperature` is deprecated for this model.")
	}
}

func hasPrefix(s string, prefixes []string) bool {
	return slices.ContainsFunc(prefixes, func(prefix string) bool { return strings.HasPrefix(s, prefix) })
}
