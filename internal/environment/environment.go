// Package environment names the environment variables by which the component
// configures its functions, and says which function has which. Both sides use
// it, so a variable that one of them forgets cannot go unnoticed.
package environment

import "slices"

// Names of resources.
const (
	QuotaTable           = "QUOTA_TABLE"
	ConnectionsTable     = "CONNECTIONS_TABLE"
	RequestsTable        = "REQUESTS_TABLE"
	QueueURL             = "QUEUE_URL"
	DeadLetterQueueURL   = "DEAD_LETTER_QUEUE_URL"
	WebSocketAPIEndpoint = "WEBSOCKET_API_ENDPOINT" // https://{apiId}.execute-api.{region}.{suffix}/{stage}
	UploadsURL           = "UPLOADS_URL"            // https://{bucket}.s3.{region}.{suffix}; absent: no uploads
	UserPoolID           = "USER_POOL_ID"
	UserPoolClientID     = "USER_POOL_CLIENT_ID"
)

// Who may call.
const (
	AllowedOrigins = "ALLOWED_ORIGINS" // comma-separated; absent: any origin
	AllowedCIDRs   = "ALLOWED_CIDRS"   // comma-separated; absent: any address
	PersonalKeys   = "PERSONAL_KEYS"   // true or false
)

// Limits of a user.
const (
	QuotaTiers = "QUOTA_TIERS" // JSON of Tiers
	// ServiceMonthlyBudget is what all users together may spend in a month, in
	// dollars; 0 or absent: unlimited.
	ServiceMonthlyBudget = "SERVICE_MONTHLY_BUDGET"
	TimeZone             = "TIME_ZONE"        // IANA name
	UserRateLimit        = "USER_RATE_LIMIT"  // requests per second, a decimal; 0: unlimited
	UserBurstLimit       = "USER_BURST_LIMIT" // requests
	UserConcurrency      = "USER_CONCURRENCY" // open requests; 0: as many as the service bears
	UserConnections      = "USER_CONNECTIONS" // sockets
)

// The model.
const (
	ModelID          = "MODEL_ID"
	AllowedModelIDs  = "ALLOWED_MODEL_IDS" // comma-separated, holds ModelID
	ModelPrices      = "MODEL_PRICES"      // JSON of Prices; absent: none
	MaxTokens        = "MAX_TOKENS"
	Temperature      = "TEMPERATURE" // absent: the model's own
	TopP             = "TOP_P"       // absent: the model's own
	SystemPrompt     = "SYSTEM_PROMPT"
	AllowSystem      = "ALLOW_SYSTEM" // true or false
	GuardrailID      = "GUARDRAIL_ID"
	GuardrailVersion = "GUARDRAIL_VERSION"
)

// Life of a request.
const (
	FlushIntervalMs            = "FLUSH_INTERVAL_MS"
	ReplayTTLHours             = "REPLAY_TTL_HOURS"
	OnDisconnect               = "ON_DISCONNECT" // continue or cancel
	MaxAgeSeconds              = "MAX_AGE_SECONDS"
	DeadLetterRetentionSeconds = "DEAD_LETTER_RETENTION_SECONDS"
	// LeaseSeconds is not set by the component: the default of 30 s is part of
	// the design. Tests shorten it.
	LeaseSeconds = "LEASE_SECONDS"
)

// Operation.
const (
	LogLevel         = "LOG_LEVEL" // debug, info, warn or error
	MetricsNamespace = "METRICS_NAMESPACE"
	ServiceName      = "SERVICE_NAME" // the component's name, dimension of every metric
)

// SiteOrigin is not a variable of the functions but of the stages of both APIs,
// which every call carries: the origin of the hosted page, which is known only
// after the functions are. A page of it may call whatever AllowedOrigins are.
const SiteOrigin = "siteOrigin"

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
		return slices.Concat(requests(), guardrail(), []string{UploadsURL, FlushIntervalMs, OnDisconnect, ReplayTTLHours, DeadLetterRetentionSeconds}, operation())
	case FunctionQuota:
		return slices.Concat(requests(), restAPI(), admission(), []string{ReplayTTLHours, DeadLetterRetentionSeconds}, operation())
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
		UploadsURL,
	}
}

func guardrail() []string { return []string{GuardrailID, GuardrailVersion} }

func operation() []string { return []string{LogLevel, MetricsNamespace, ServiceName} }
