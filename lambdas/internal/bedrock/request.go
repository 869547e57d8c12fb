package bedrock

import (
	"math"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/streaming-service/streaming-service/internal/modelfamily"
	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/protocol"
)

// metadataRequestID is the key under which Bedrock's invocation logs name the
// request, so that its bill can be attributed.
const metadataRequestID = "requestId"

// request says what to ask. The number of tokens is always bounded: without a
// bound Bedrock reserves the model's maximum. Newer models refuse a temperature,
// so it is sent only if somebody asked for one.
func (m *Models) request(record life.Record, in life.Input) (*bedrockruntime.ConverseStreamInput, error) {
	family := modelfamily.Of(record.Model.ModelID)
	points := cachePoints(in, family)
	turns, err := messages(in.Messages, family)
	if err != nil {
		return nil, err
	}
	request := &bedrockruntime.ConverseStreamInput{
		ModelId:         aws.String(record.Model.ModelID),
		Messages:        points.inMessages(turns),
		System:          points.inSystem(system(in.System)),
		ToolConfig:      points.inTools(tools(in)),
		RequestMetadata: map[string]string{metadataRequestID: record.RequestID},
		InferenceConfig: &types.InferenceConfiguration{
			MaxTokens:     aws.Int32(int32(min(record.Model.MaxTokens, math.MaxInt32))), //nolint:gosec // bounded
			Temperature:   float(record.Model.Temperature),
			TopP:          float(record.Model.TopP),
			StopSequences: in.StopSequences,
		},
	}
	if fields := family.ReasoningFields(in.Effort, record.Model.MaxTokens); in.Effort != "" && fields != nil {
		request.AdditionalModelRequestFields = rawDocument{raw: protocol.Encode(fields)}
	}
	if m.options.GuardrailID != "" {
		request.GuardrailConfig = &types.GuardrailStreamConfiguration{
			GuardrailIdentifier: aws.String(m.options.GuardrailID),
			GuardrailVersion:    aws.String(m.options.GuardrailVersion),
		}
	}
	return request, nil
}

func system(blocks []string) []types.SystemContentBlock {
	var list []types.SystemContentBlock
	for _, block := range blocks {
		list = append(list, &types.SystemContentBlockMemberText{Value: block})
	}
	return list
}

func float(v *float64) *float32 {
	if v == nil {
		return nil
	}
	return aws.Float32(float32(*v))
}
