package bedrock

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/streaming-service/streaming-service/internal/modelfamily"
	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/protocol"
)

// tools are those of an input; nil if it has none.
func tools(in life.Input) *types.ToolConfiguration {
	if len(in.Tools) == 0 {
		return nil
	}
	config := &types.ToolConfiguration{ToolChoice: toolChoice(in.ToolChoice)}
	for _, t := range in.Tools {
		spec := types.ToolSpecification{
			Name:        aws.String(t.Name),
			InputSchema: &types.ToolInputSchemaMemberJson{Value: rawDocument{raw: t.InputSchema}},
		}
		if t.Description != "" {
			spec.Description = aws.String(t.Description)
		}
		config.Tools = append(config.Tools, &types.ToolMemberToolSpec{Value: spec})
	}
	return config
}

// toolChoice is left out where it is the default, which some models do not take.
func toolChoice(choice *protocol.ToolChoice) types.ToolChoice {
	switch {
	case choice == nil:
		return nil
	case choice.Name != "":
		return &types.ToolChoiceMemberTool{Value: types.SpecificToolChoice{Name: aws.String(choice.Name)}}
	case choice.Mode == protocol.ToolChoiceAny:
		return &types.ToolChoiceMemberAny{}
	}
	return nil
}

// points are the places behind which the model is to keep what it has read.
type points modelfamily.CachePoint

// point is kept for as long as the model keeps things by default.
var point = types.CachePointBlock{Type: types.CachePointTypeDefault}

func cachePoints(in life.Input, family modelfamily.Family) points {
	if !in.Cache {
		return 0
	}
	return points(family.Cache)
}

func (p points) at(place modelfamily.CachePoint) bool { return modelfamily.CachePoint(p)&place != 0 }

func (p points) inTools(config *types.ToolConfiguration) *types.ToolConfiguration {
	if config != nil && p.at(modelfamily.CacheTools) {
		config.Tools = append(config.Tools, &types.ToolMemberCachePoint{Value: point})
	}
	return config
}

func (p points) inSystem(blocks []types.SystemContentBlock) []types.SystemContentBlock {
	if len(blocks) > 0 && p.at(modelfamily.CacheSystem) {
		blocks = append(blocks, &types.SystemContentBlockMemberCachePoint{Value: point})
	}
	return blocks
}

// inMessages marks the user's last turn but one: the next request of the
// conversation has everything up to there, too.
func (p points) inMessages(turns []types.Message) []types.Message {
	if at := len(turns) - 3; at >= 0 && p.at(modelfamily.CacheMessages) {
		turns[at].Content = append(turns[at].Content, &types.ContentBlockMemberCachePoint{Value: point})
	}
	return turns
}
