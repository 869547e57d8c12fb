// Package environment names the environment variables by which the component
// configures its functions, and says which function has which. Both sides use
// it, so a variable that one of them forgets cannot go unnoticed.
package environment

import (
	"time"

	"github.com/streaming-service/streaming-service/protocol"
)

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

// ClosingTime is how long before its deadline the processor ends or hands back
// what still runs.
const ClosingTime = 5 * time.Second

// Operation.
const (
	LogLevel         = "LOG_LEVEL" // debug, info, warn or error
	MetricsNamespace = "METRICS_NAMESPACE"
	ServiceName      = "SERVICE_NAME" // the component's name, dimension of every metric
)

// Limits are the monthly limits of a tier; 0 is unlimited.
type Limits struct {
	MonthlyRequests int64        `json:"monthlyRequests"`
	MonthlyTokens   int64        `json:"monthlyTokens"`
	MonthlyBudget   protocol.USD `json:"monthlyBudget,omitzero"`
}

// Prices is the value of ModelPrices, by the id of the model.
type Prices map[string]Price

// Price is what a model costs, in dollars per million tokens. The cache costs
// what input costs where it is not priced.
type Price struct {
	Input      protocol.USD  `json:"input"`
	Output     protocol.USD  `json:"output"`
	CacheRead  *protocol.USD `json:"cacheRead,omitempty"`
	CacheWrite *protocol.USD `json:"cacheWrite,omitempty"`
}

// Tiers is the value of QuotaTiers: the limits of a user without a group, and
// of each Cognito group that is a tier.
type Tiers struct {
	Default Limits            `json:"default"`
	Groups  map[string]Limits `json:"groups,omitempty"`
	// Order is the groups with a precedence, the lowest first.
	Order []string `json:"order,omitempty"`
}
