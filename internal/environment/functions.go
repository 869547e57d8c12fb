package environment

import "slices"

// The functions of the service, by the name of their directory in lambdas/.
const (
	FunctionAuthorizer  = "authorizer"
	FunctionCompletions = "completions"
	FunctionConnection  = "connection"
	FunctionProcessor   = "processor"
	FunctionQuota       = "quota"
	FunctionRecovery    = "recovery"
	FunctionRequests    = "requests"
)

// Functions returns the names of all functions, sorted.
func Functions() []string {
	return []string{
		FunctionAuthorizer, FunctionCompletions, FunctionConnection, FunctionProcessor,
		FunctionQuota, FunctionRecovery, FunctionRequests,
	}
}

// Of returns the variables of a function: those that the component gives it,
// and those that it loads when it starts. They are said here and nowhere else.
func Of(function string) []string {
	switch function {
	case FunctionAuthorizer:
		return slices.Concat([]string{QuotaTable, UserPoolID, UserPoolClientID, AllowedOrigins, AllowedCIDRs, PersonalKeys}, operation())
	case FunctionCompletions:
		return slices.Concat(requests(), restAPI(), admission(), guardrail(), []string{FlushIntervalMs, ReplayTTLHours, DeadLetterRetentionSeconds}, operation())
	case FunctionConnection:
		return slices.Concat(requests(), []string{UserConnections}, operation())
	case FunctionProcessor:
		return slices.Concat(requests(), guardrail(), []string{FlushIntervalMs, OnDisconnect, ReplayTTLHours, DeadLetterRetentionSeconds}, operation())
	case FunctionQuota:
		return slices.Concat(requests(), restAPI(), admission(), []string{UploadsURL, ReplayTTLHours, DeadLetterRetentionSeconds}, operation())
	case FunctionRecovery:
		return slices.Concat(requests(), []string{DeadLetterQueueURL}, operation())
	case FunctionRequests:
		return slices.Concat(requests(), restAPI(), operation())
	default:
		return nil
	}
}

// requests are the variables of whoever moves requests along their life.
func requests() []string {
	return []string{QuotaTable, RequestsTable, ConnectionsTable, QueueURL, WebSocketAPIEndpoint, MaxAgeSeconds}
}

// restAPI are the variables of a function behind the REST API.
func restAPI() []string { return []string{UserPoolClientID, AllowedOrigins, AllowedCIDRs} }

// admission are the variables of whoever admits requests.
func admission() []string {
	return []string{
		QuotaTiers, ServiceMonthlyBudget, TimeZone, UserRateLimit, UserBurstLimit, UserConcurrency,
		ModelID, AllowedModelIDs, ModelPrices, MaxTokens, Temperature, TopP, SystemPrompt, AllowSystem,
	}
}

func guardrail() []string { return []string{GuardrailID, GuardrailVersion} }

func operation() []string { return []string{LogLevel, MetricsNamespace, ServiceName} }
