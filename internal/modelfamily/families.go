package modelfamily

// families are all families that refuse what Converse takes in general. The
// first that matches counts.
var families = []Family{
	{
		Name:     "Claude Opus 4.7 and later",
		Models:   []string{"anthropic.claude-opus-4-7", "anthropic.claude-opus-4-8", "anthropic.claude-opus-5"},
		Sampling: SamplingNone,
		Source:   "temperature: promptfoo/promptfoo issue 10307; topP: aws-samples/bedrock-chat pull request 1102 and the model card of Claude Opus 4.7",
	},
	{
		Name:     "Claude Sonnet 5",
		Models:   []string{"anthropic.claude-sonnet-5"},
		Sampling: SamplingNone,
		Source:   "bastani-inc/atomic pull request 2809, which quotes Anthropic's sentence on sampling parameters",
	},
	{
		Name:     "Claude Fable",
		Models:   []string{"anthropic.claude-fable-"},
		Sampling: SamplingNone,
		Source:   "windmill-labs/windmill pull request 9540; Ammaar-Alam/minebench pull request 50",
	},
	{
		Name: "Claude Opus 4.1 to Claude 4.6",
		Models: []string{
			"anthropic.claude-opus-4-1", "anthropic.claude-opus-4-5", "anthropic.claude-opus-4-6",
			"anthropic.claude-sonnet-4-5", "anthropic.claude-sonnet-4-6", "anthropic.claude-haiku-4-5",
		},
		Sampling: SamplingEither,
		Source:   "aws-samples/bedrock-access-gateway issue 191 and pull request 208; Opus 4.1: aws-samples/bedrock-chat pull request 979",
	},
	{
		Name:          "DeepSeek",
		Models:        []string{"deepseek."},
		StopSequences: 10,
		Source:        "Bedrock user guide, model-parameters-deepseek",
	},
}
