package capacity

// ReadOn is when the sources of the quotas were read.
const ReadOn = "November 2026"

// How Lambda scales a function, https://docs.aws.amazon.com/lambda/latest/dg:
// lambda-concurrency.html and services-sqs-scaling.html.
const (
	environmentsPerRamp = 1000 // of one function, every rampSeconds
	rampSeconds         = 10
	pollersAtFirst      = 5
	pollersPerMinute    = 300
)

// Parts of the service that limits are counted with.
const (
	indexShards         = 16   // of the sweep's index
	partitionWriteUnits = 1000 // a second, of one partition of a table or index
)

// NovaLiteTokens is the default of "Cross-region model inference tokens per
// minute for Amazon Nova Lite" in us-east-1, AWS General Reference,
// docs.aws.amazon.com/general/latest/gr/bedrock.html, a copy of June 2025. That of
// Nova 2 Lite, the service's default model, was not found in any source: Service
// Quotas has it. Requests a minute have no quota since May 2026.
const NovaLiteTokens = 4e6

// Defaults are the quotas of an account in us-east-1 that has asked for nothing,
// with so many tokens of its model a minute.
func Defaults(tokensPerMinute float64) []Limit {
	return []Limit{
		{
			Name: "Bedrock tokens", Value: tokensPerMinute, Unit: "a minute", Scope: PerAccount,
			Source: "Service Quotas, Amazon Bedrock, by model; how they are reserved: aws/agent-toolkit-for-aws, quota-health.md, 2026",
			Remedy: "raise it for your model; a smaller model.maxTokens reserves less",
			need:   func(r Request, _, rate float64) float64 { return rate * 60 * r.Tokens },
		},
		{
			Name: "API Gateway calls, @connections among them", Value: 10_000, Unit: "a second", Scope: PerAccount,
			Source: "API Gateway developer guide, limits, L-8A5B8E43",
			Remedy: "openAiUrl: no frames; or a longer streaming.flushIntervalMs; raise L-8A5B8E43",
			need:   func(r Request, _, rate float64) float64 { return rate * (r.Rest + r.Frames) },
		},
		{
			Name: "new WebSocket connections", Value: 500, Unit: "a second", Scope: PerAccount,
			Source: "API Gateway developer guide, WebSocket limits, L-9ED1E49A",
			Remedy: "keep sockets open between requests; raise L-9ED1E49A",
			need:   func(r Request, _, rate float64) float64 { return rate * r.Connects },
		},
		{
			Name: "Lambda concurrency", Value: 1000, Unit: "environments", Scope: PerAccount,
			Source: "Lambda developer guide, gettingstarted-limits, L-B99A9384",
			Remedy: "raise L-B99A9384",
			need:   func(r Request, streams, _ float64) float64 { return streams * r.Processes },
		},
		{
			Name: "Lambda invocations, 10 a second for each of concurrency", Value: 10_000, Unit: "a second", Scope: PerAccount,
			Source: "Lambda developer guide, gettingstarted-limits",
			Remedy: "grows with L-B99A9384",
			need:   func(r Request, _, rate float64) float64 { return rate * r.Invocations },
		},
		{
			Name: "processors of a queue, queue.maximumConcurrency", Value: 1000, Unit: "environments", Scope: PerStack,
			Source: "Lambda API, ScalingConfig.MaximumConcurrency, 2 to 1,000",
			Remedy: "openAiUrl, which needs no queue; more stacks",
			need: func(r Request, streams, _ float64) float64 {
				if !r.Queued {
					return 0
				}
				return streams * r.Processes
			},
		},
		{
			Name: "SQS messages in flight", Value: 120_000, Unit: "messages", Scope: PerStack,
			Source: "SQS developer guide, quotas-messages",
			Remedy: "more stacks",
			need: func(r Request, streams, _ float64) float64 {
				if !r.Queued {
					return 0
				}
				return streams
			},
		},
		{
			Name: "DynamoDB write units of a table", Value: 40_000, Unit: "a second", Scope: PerStack,
			Source: "DynamoDB developer guide, ServiceQuotas; the units of all tables are counted as one table's",
			Remedy: "raise it; a new table begins with 4,000 a second, so warm it up; more stacks",
			need:   func(r Request, _, rate float64) float64 { return rate * r.WriteUnits },
		},
		{
			Name: "DynamoDB read units of a table", Value: 40_000, Unit: "a second", Scope: PerStack,
			Source: "DynamoDB developer guide, ServiceQuotas; the units of all tables are counted as one table's",
			Remedy: "raise it; more stacks",
			need:   func(r Request, _, rate float64) float64 { return rate * r.ReadUnits },
		},
		{
			Name: "write units of the sweep's index, 1,000 a partition", Value: indexShards * partitionWriteUnits, Unit: "a second", Scope: PerStack,
			Source: "DynamoDB developer guide, bp-partition-key-design; 16 partitions of this service",
			Remedy: "more stacks",
			need:   func(r Request, _, rate float64) float64 { return rate * r.IndexWrites },
		},
	}
}
