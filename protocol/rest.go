package protocol

// Roles of a message.
const (
	RoleUser      = "user"
	RoleAssistant = "assistant"
)

// SubmitRequest is the body of POST /requests. Exactly one of Messages and
// Prompt is given. Without Temperature or TopP the service's default is sent to
// the model; NaN, which is null on the wire, leaves it to the model's own. Cache
// has the model keep what many requests have in common: tools, system and the
// conversation so far.
type SubmitRequest struct {
	Messages      []Message   `json:"messages,omitempty"`
	Prompt        string      `json:"prompt,omitempty"`
	System        string      `json:"system,omitempty"`
	Model         string      `json:"model,omitempty"`
	MaxTokens     *int        `json:"maxTokens,omitempty"`
	Tools         []Tool      `json:"tools,omitempty"`
	ToolChoice    *ToolChoice `json:"toolChoice,omitempty"`
	Reasoning     *Reasoning  `json:"reasoning,omitempty"`
	Cache         bool        `json:"cache,omitempty"`
	Temperature   *float64    `json:"temperature,omitempty"`
	TopP          *float64    `json:"topP,omitempty"`
	StopSequences []string    `json:"stopSequences,omitempty"`
}

// SubmitResponse is the body of the 202 that answers POST /requests. Quota is
// as of the admission.
type SubmitResponse struct {
	RequestID string `json:"requestId"`
	Status    Status `json:"status"`
	Quota     Usage  `json:"quota"`
}

// Usage is the body of GET /usage.
type Usage struct {
	Period   string        `json:"period"`
	ResetsAt string        `json:"resetsAt"`
	Tier     string        `json:"tier"`
	Requests RequestsUsage `json:"requests"`
	Tokens   TokensUsage   `json:"tokens"`
	Budget   *BudgetUsage  `json:"budget"` // nil: the service has no prices
	InFlight int64         `json:"inFlight"`
}

// RequestsUsage counts the requests of a month. A nil Limit is unlimited, and
// so is then Remaining.
type RequestsUsage struct {
	Limit     *int64 `json:"limit"`
	Used      int64  `json:"used"`
	Remaining *int64 `json:"remaining"`
}

// TokensUsage counts the tokens of a month. Reserved is what open requests may
// still spend. A nil Limit is unlimited, and so is then Remaining.
type TokensUsage struct {
	Limit     *int64 `json:"limit"`
	Used      int64  `json:"used"`
	Reserved  int64  `json:"reserved"`
	Remaining *int64 `json:"remaining"`
}

// BudgetUsage counts the money of a month. Reserved is what open requests may
// still spend. A nil Limit is unlimited, and so is then Remaining.
type BudgetUsage struct {
	Currency  string `json:"currency"` // always Currency
	Limit     *USD   `json:"limit"`
	Used      USD    `json:"used"`
	Reserved  USD    `json:"reserved"`
	Remaining *USD   `json:"remaining"`
}

// RequestState is the body of GET /requests/{requestId}. Text is the joined text
// of Content.
type RequestState struct {
	RequestID  string        `json:"requestId"`
	Status     Status        `json:"status"`
	Attempt    int           `json:"attempt"`
	Text       string        `json:"text"`
	Content    []Block       `json:"content,omitempty"`
	LastSeq    int           `json:"lastSeq"`
	StopReason string        `json:"stopReason,omitempty"`
	Usage      *TokenUsage   `json:"usage,omitempty"`
	Error      *RequestError `json:"error,omitempty"`
	Model      string        `json:"model"`
	CreatedAt  string        `json:"createdAt"`
	UpdatedAt  string        `json:"updatedAt"`
}

// TokenUsage is what one request spent. InputTokens are all of the input: those
// that the model read from its cache and those that it wrote there are among
// them, and counted by themselves, too. Estimated says that the model did not
// report its usage. Cost is what the request is charged, nil where the service
// has no price for its model.
type TokenUsage struct {
	InputTokens      int64 `json:"inputTokens"`
	OutputTokens     int64 `json:"outputTokens"`
	CacheReadTokens  int64 `json:"cacheReadTokens,omitempty"`
	CacheWriteTokens int64 `json:"cacheWriteTokens,omitempty"`
	Estimated        bool  `json:"estimated,omitempty"`
	Cost             *USD  `json:"cost,omitempty"`
}

// RequestError is why a request ended without success.
type RequestError struct {
	Code      Code   `json:"code"`
	Message   string `json:"message"`
	Retryable bool   `json:"retryable"`
}

// CancelResponse is the body of the 202 that answers DELETE
// /requests/{requestId}.
type CancelResponse struct {
	RequestID string `json:"requestId"`
	Status    Status `json:"status"`
}

// FieldError names one field of a body that is not valid.
type FieldError struct {
	Field   string `json:"field"`
	Message string `json:"message"`
}

// The quotas that a problem may name.
const (
	QuotaRequests = "requests"
	QuotaTokens   = "tokens"
	QuotaBudget   = "budget"
)

// ProblemType is the media type of every error of the REST API (RFC 9457).
const ProblemType = "application/problem+json"

// Problem is the body of every error of the REST API.
type Problem struct {
	Type   string       `json:"type"`
	Title  string       `json:"title"`
	Status int          `json:"status,omitempty"`
	Detail string       `json:"detail,omitempty"`
	Code   Code         `json:"code"`
	Errors []FieldError `json:"errors,omitempty"`
	// Quota, Limit, Used and ResetsAt come with CodeQuotaExceeded. Limit and Used
	// are whole numbers, as clients from before budgets read them: of requests with
	// QuotaRequests, of tokens with QuotaTokens, and of nano-dollars with
	// QuotaBudget, which comes with Budget in dollars, too.
	Quota    string       `json:"quota,omitempty"`
	Limit    *int64       `json:"limit,omitempty"`
	Used     *int64       `json:"used,omitempty"`
	Budget   *BudgetUsage `json:"budget,omitempty"`
	ResetsAt string       `json:"resetsAt,omitempty"`
}

// ProblemURN is the value of Problem.Type for a code.
func ProblemURN(code Code) string { return "urn:streaming-service:" + string(code) }
