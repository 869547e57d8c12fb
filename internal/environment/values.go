package environment

import (
	"time"

	"github.com/streaming-service/streaming-service/protocol"
)

// DefaultMetricsNamespace is the CloudWatch namespace of the functions' metrics.
const DefaultMetricsNamespace = "StreamingService"

// ClosingTime is how long before its deadline the processor ends or hands back
// what still runs.
const ClosingTime = 5 * time.Second

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
