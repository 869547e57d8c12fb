package modelfamily

// Where the rules of more than one family are from.
const (
	converseTable = "Bedrock user guide, conversation-inference-supported-models-features"
	toolChoices   = "Bedrock API reference, API_runtime_ToolChoice"
	cachingTable  = "Bedrock user guide, prompt-caching"
)

// forced are the choices of a tool that Converse takes from some families only.
const forced = ToolChoiceAny | ToolChoiceTool

// wholeCache is what Claude keeps.
const wholeCache = CacheTools | CacheSystem | CacheMessages

// Claude's images: width times height by 750, of which recent models take more
// (Anthropic, build-with-claude/vision).
const (
	claudeImage      = 1_600
	claudeLargeImage = 4_800
)

// families are all families that refuse what Converse takes in general, or that
// take what others do not. The first that matches counts.
var families = []Family{
	{
		Name:      "Claude Opus 4.7 and later",
		Models:    []string{"anthropic.claude-opus-4-7", "anthropic.claude-opus-4-8", "anthropic.claude-opus-5"},
		Sampling:  SamplingNone,
		Reasoning: ReasoningAdaptiveShown, Cache: wholeCache, ImageTokens: claudeLargeImage,
		Source: "temperature: promptfoo/promptfoo issue 10307; topP: aws-samples/bedrock-chat pull request 1102 and the model card of Claude Opus 4.7; " +
			"reasoning: cloudwego/eino-ext pull request 781, coder/coder pull request 26691 and AAswordman/Operit pull request 568",
	},
	{
		Name:      "Claude Sonnet 5",
		Models:    []string{"anthropic.claude-sonnet-5"},
		Sampling:  SamplingNone,
		Reasoning: ReasoningAdaptiveShown, Cache: wholeCache, ImageTokens: claudeLargeImage,
		Source: "bastani-inc/atomic pull request 2809, which quotes Anthropic's sentence on sampling parameters; reasoning: as Claude Opus 4.7",
	},
	{
		Name:      "Claude Fable",
		Models:    []string{"anthropic.claude-fable-"},
		Sampling:  SamplingNone,
		Reasoning: ReasoningAdaptiveShown, Cache: wholeCache, ImageTokens: claudeLargeImage,
		Source: "windmill-labs/windmill pull request 9540; Ammaar-Alam/minebench pull request 50; reasoning: as Claude Opus 4.7",
	},
	{
		Name:      "Claude 4.6",
		Models:    []string{"anthropic.claude-opus-4-6", "anthropic.claude-sonnet-4-6"},
		Sampling:  SamplingEither,
		Reasoning: ReasoningAdaptive, Cache: wholeCache, ImageTokens: claudeImage,
		Source: "aws-samples/bedrock-access-gateway issue 191 and pull request 208; reasoning: Bedrock user guide, claude-messages-adaptive-thinking",
	},
	{
		Name: "Claude Opus 4.1 to Claude 4.5",
		Models: []string{
			"anthropic.claude-opus-4-1", "anthropic.claude-opus-4-5", "anthropic.claude-sonnet-4-5", "anthropic.claude-haiku-4-5",
		},
		Sampling:  SamplingEither,
		Reasoning: ReasoningBudget, Cache: wholeCache, ImageTokens: claudeImage,
		Source: "aws-samples/bedrock-access-gateway issue 191 and pull request 208; Opus 4.1: aws-samples/bedrock-chat pull request 979; reasoning: Bedrock user guide, claude-messages-extended-thinking",
	},
	{
		Name:      "Claude 3.7 and Claude 4",
		Models:    []string{"anthropic.claude-3-7", "anthropic.claude-opus-4-", "anthropic.claude-sonnet-4-"},
		Reasoning: ReasoningBudget, Cache: wholeCache, ImageTokens: claudeImage,
		Source: "Bedrock user guide, claude-messages-extended-thinking; " + cachingTable,
	},
	{
		Name:      "Claude 3.5 Haiku",
		Models:    []string{"anthropic.claude-3-5-haiku"},
		Lacks:     Images,
		Reasoning: ReasoningNone, Cache: wholeCache,
		Source: converseTable + "; " + cachingTable,
	},
	{
		Name:      "Claude 3 and 3.5",
		Models:    []string{"anthropic.claude-3-"},
		Reasoning: ReasoningNone, ImageTokens: claudeImage,
		Source: converseTable + "; " + cachingTable,
	},
	{
		Name:      "Claude 2",
		Models:    []string{"anthropic.claude-v2", "anthropic.claude-instant"},
		Lacks:     Images | Tools,
		Reasoning: ReasoningNone,
		Source:    converseTable,
	},
	{
		Name:      "Amazon Nova 2",
		Models:    []string{"amazon.nova-2-"},
		Reasoning: ReasoningNova, Cache: CacheSystem | CacheMessages, ImageTokens: novaImage,
		Source: "Nova 2 user guide, extended-thinking and using-converse-api; no bound beside high effort: UKGovernmentBEIS/inspect_ai issue 3767; no cache point behind tools: strands-agents/sdk-python issue 449",
	},
	{
		Name:      "Amazon Nova Micro",
		Models:    []string{"amazon.nova-micro-"},
		Lacks:     Images | Documents,
		Reasoning: ReasoningNone, Cache: CacheSystem | CacheMessages,
		Source: "Nova user guide, what-is-nova: text only; " + cachingTable + "; no cache point behind tools: strands-agents/sdk-python issue 449",
	},
	{
		Name:      "Amazon Nova",
		Models:    []string{"amazon.nova-"},
		Reasoning: ReasoningNone, Cache: CacheSystem | CacheMessages, ImageTokens: novaImage,
		Source: converseTable + "; " + cachingTable + "; no cache point behind tools: strands-agents/sdk-python issue 449",
	},
	{
		Name:      "Amazon Titan Text",
		Models:    []string{"amazon.titan-"},
		Lacks:     System | Images | Tools,
		Reasoning: ReasoningNone,
		Source:    converseTable,
	},
	{
		Name:      "Llama 2 and 3, Llama 3.2 1B and 3B",
		Models:    []string{"meta.llama2-", "meta.llama3-8b", "meta.llama3-70b", "meta.llama3-2-1b", "meta.llama3-2-3b"},
		Lacks:     Images | Tools,
		Reasoning: ReasoningNone,
		Source:    converseTable,
	},
	{
		Name:      "Llama 3.2 11B and 90B",
		Models:    []string{"meta.llama3-2-"},
		Lacks:     Tools,
		Reasoning: ReasoningNone,
		Source:    converseTable + ": no tools while it streams",
	},
	{
		Name:      "Llama 3.1 and 3.3",
		Models:    []string{"meta.llama3-"},
		Lacks:     Images | Tools,
		Reasoning: ReasoningNone,
		Source:    converseTable + ": no tools while it streams",
	},
	{
		Name:      "Llama 4",
		Models:    []string{"meta.llama4-"},
		Lacks:     forced,
		Reasoning: ReasoningNone,
		Source:    toolChoices + "; pydantic/pydantic-ai issue 2091",
	},
	{
		Name:      "Mistral 7B and Mixtral",
		Models:    []string{"mistral.mistral-7b", "mistral.mixtral-"},
		Lacks:     System | Images | Tools,
		Reasoning: ReasoningNone,
		Source:    converseTable,
	},
	{
		Name:      "Mistral Large and Small of 2024",
		Models:    []string{"mistral.mistral-large-24", "mistral.mistral-small-24"},
		Lacks:     Images | Tools,
		Reasoning: ReasoningNone,
		Source:    converseTable + ": no tools while it streams",
	},
	{
		Name:      "Mistral",
		Models:    []string{"mistral."},
		Lacks:     ToolChoiceTool,
		Reasoning: ReasoningNone,
		Source:    toolChoices,
	},
	{
		Name:      "Cohere Command R",
		Models:    []string{"cohere.command-r"},
		Lacks:     Images | forced,
		Reasoning: ReasoningNone,
		Source:    converseTable + "; " + toolChoices,
	},
	{
		Name:      "AI21 Jamba 1.5",
		Models:    []string{"ai21.jamba-1-5-"},
		Lacks:     Images | forced,
		Reasoning: ReasoningNone,
		Source:    converseTable + "; " + toolChoices,
	},
	{
		Name:          "DeepSeek-R1",
		Models:        []string{"deepseek.r1-"},
		StopSequences: 10,
		Lacks:         Images | Tools,
		Reasoning:     ReasoningAlways,
		Source:        "Bedrock user guide, model-parameters-deepseek; " + converseTable,
	},
	{
		Name:          "DeepSeek",
		Models:        []string{"deepseek."},
		StopSequences: 10,
		Lacks:         Images,
		Reasoning:     ReasoningAlways,
		Source:        "Bedrock user guide, model-parameters-deepseek",
	},
	{
		Name:      "OpenAI gpt-oss",
		Models:    []string{"openai.gpt-oss-"},
		Lacks:     Images,
		Reasoning: ReasoningEffort,
		Source:    "Bedrock user guide, model-parameters-openai",
	},
}
