package components

import "github.com/pulumi/pulumi/sdk/v3/go/pulumi"

// StreamingServiceArgs are the settings of a StreamingService. Everything is
// optional: nil settings mean the documented, secure defaults. Input fields
// may be Outputs of other resources; whether an Input is set at all decides
// which resources exist and so is known at preview. Plain fields (string,
// *bool, *int) decide the shape of the resource tree and cannot be Outputs.
type StreamingServiceArgs struct {
	// Throttle limits how fast clients may call. Default: see ThrottleSettings.
	Throttle *ThrottleSettings `pulumi:"throttle,optional"`
	// Quota limits what a user may spend in a calendar month. Default: see
	// QuotaSettings.
	Quota *QuotaSettings `pulumi:"quota,optional"`
	// Model names the Bedrock model and its parameters. Default: see
	// ModelSettings.
	Model *ModelSettings `pulumi:"model,optional"`
	// Auth says who may sign in and from where. Default: a new user pool.
	Auth *AuthSettings `pulumi:"auth,optional"`
	// Queue governs the work between admission and the model. Default: see
	// QueueSettings.
	Queue *QueueSettings `pulumi:"queue,optional"`
	// Functions governs the Lambda functions. Default: see FunctionsSettings.
	Functions *FunctionsSettings `pulumi:"functions,optional"`
	// Streaming governs the relay of a model's answer. Default: see
	// StreamingSettings.
	Streaming *StreamingSettings `pulumi:"streaming,optional"`
	// Protection guards stored data. Default: deletion protection and
	// point-in-time recovery on, AWS-owned encryption keys.
	Protection *ProtectionSettings `pulumi:"protection,optional"`
	// Domain gives the APIs names of your own. Default: API Gateway's names.
	Domain *DomainSettings `pulumi:"domain,optional"`
	// Site hosts the chat page beside the service. Default: none.
	Site *SiteSettings `pulumi:"site,optional"`
	// Uploads lets users bring images and documents that do not fit into the
	// body of a request: a private bucket, emptied after a day, and POST /uploads.
	// Default: true. On false the bucket is deleted with what is in it, which
	// would expire within a day anyway.
	Uploads *bool `pulumi:"uploads,optional"`
	// Observability governs dashboard, alarms, tracing and access logs.
	// Default: a dashboard, nothing else.
	Observability *ObservabilitySettings `pulumi:"observability,optional"`
	// StageName is the stage of both APIs and the last segment of their URLs,
	// which makes it the version of the API. Letters, digits, '-' and '_', at
	// most 128. Default: v1. A change replaces both stages.
	StageName string `pulumi:"stageName,optional"`
	// Tags are put on every resource that takes tags, in addition to the
	// provider's default tags. Default: none.
	Tags pulumi.StringMapInput `pulumi:"tags,optional"`
	// FunctionArchiveDir is a directory with a prebuilt <function>.zip for
	// each of the functions, built for Functions.Architecture. Default:
	// none, the functions are built from this module's source with the Go
	// toolchain.
	FunctionArchiveDir string `pulumi:"functionArchiveDir,optional"`
	// FunctionBuilder builds the functions when FunctionArchiveDir is empty.
	// Default: the Go toolchain. For Go programs only.
	FunctionBuilder FunctionBuilder
	// Transform changes children of the service in what no setting covers.
	// Default: they are registered as they are. For Go programs only; others use
	// the resource option transforms.
	Transform Transform
}

// ThrottleSettings limit how fast clients may call. The first four are token
// buckets of API Gateway, shared by all clients and best effort; the user
// limits are exact and kept at admission.
type ThrottleSettings struct {
	// RateLimit is the steady rate of the REST API, in requests per second.
	// Greater than 0. Default: 100. Above it clients get 429 rate_limited.
	RateLimit pulumi.Float64PtrInput `pulumi:"rateLimit,optional"`
	// BurstLimit is the bucket of the REST API, in requests: how many may come
	// at once, whatever the rate that refills it. At least 1. Default: 200.
	BurstLimit pulumi.IntPtrInput `pulumi:"burstLimit,optional"`
	// WebSocketRateLimit is the steady rate of the WebSocket API, in connects
	// and client messages per second. Greater than 0. Default: 200.
	WebSocketRateLimit pulumi.Float64PtrInput `pulumi:"webSocketRateLimit,optional"`
	// WebSocketBurstLimit is the bucket of the WebSocket API, in connects and
	// client messages, whatever the rate that refills it. At least 1. Default:
	// 400.
	WebSocketBurstLimit pulumi.IntPtrInput `pulumi:"webSocketBurstLimit,optional"`
	// UserRateLimit is the steady rate of one user's new requests, in requests
	// per second, at most 1000. The time between two requests is kept in
	// milliseconds, rounded up. 0 is unlimited. Default: 1. Above it the user
	// gets 429 rate_limited.
	UserRateLimit pulumi.Float64PtrInput `pulumi:"userRateLimit,optional"`
	// UserBurstLimit is how many requests one user may send at once, whatever
	// the rate. At least 1. Default: 10.
	UserBurstLimit pulumi.IntPtrInput `pulumi:"userBurstLimit,optional"`
	// UserConcurrency is how many open requests one user may have, at most
	// 10000, which 0 stands for. Default: 5. Above it the user gets 429
	// too_many_in_flight.
	UserConcurrency pulumi.IntPtrInput `pulumi:"userConcurrency,optional"`
	// UserConnections is how many sockets one user may have, 1 to 100; a
	// further one closes the oldest. Default: 10.
	UserConnections pulumi.IntPtrInput `pulumi:"userConnections,optional"`
}

// QuotaSettings limit what a user may spend in a calendar month.
type QuotaSettings struct {
	// MonthlyRequests is how many requests a user may make in a month. 0 is
	// unlimited. Default: 1000.
	MonthlyRequests pulumi.IntPtrInput `pulumi:"monthlyRequests,optional"`
	// MonthlyTokens is how many tokens, input and output together, a user may
	// spend in a month. 0 is unlimited. Default: 1000000.
	MonthlyTokens pulumi.IntPtrInput `pulumi:"monthlyTokens,optional"`
	// MonthlyBudget is what the requests of a user may cost in a month at the
	// prices of Model.Prices, in US dollars with at most 6 decimals, up to
	// 9000000. Every allowed model must have a price. 0 is unlimited. Default:
	// 0.
	MonthlyBudget pulumi.Float64PtrInput `pulumi:"monthlyBudget,optional"`
	// ServiceMonthlyBudget is what the requests of all users together may cost
	// in a month, as MonthlyBudget: above it everybody gets 503
	// service_budget_exceeded until the month ends. What is open by then is
	// finished. Each settlement then writes 3 units more. 0 is unlimited.
	// Default: 0.
	ServiceMonthlyBudget pulumi.Float64PtrInput `pulumi:"serviceMonthlyBudget,optional"`
	// Tiers are the limits of users in a Cognito group, by the group's name
	// ([A-Za-z0-9_-]+). Of a user's groups, each limit is the best one.
	// Default: none, every user has the limits above.
	Tiers map[string]TierSettings `pulumi:"tiers,optional"`
	// TimeZone is the IANA time zone in which months begin. Default: UTC.
	TimeZone pulumi.StringPtrInput `pulumi:"timeZone,optional"`
}

// TierSettings are the monthly limits of the users in one Cognito group.
type TierSettings struct {
	// MonthlyRequests is as in QuotaSettings. 0 is unlimited. Default: that of
	// QuotaSettings.
	MonthlyRequests pulumi.IntPtrInput `pulumi:"monthlyRequests,optional"`
	// MonthlyTokens is as in QuotaSettings. 0 is unlimited. Default: that of
	// QuotaSettings.
	MonthlyTokens pulumi.IntPtrInput `pulumi:"monthlyTokens,optional"`
	// MonthlyBudget is as in QuotaSettings. 0 is unlimited. Default: that of
	// QuotaSettings.
	MonthlyBudget pulumi.Float64PtrInput `pulumi:"monthlyBudget,optional"`
	// Precedence orders the groups of a user: the lowest names the user's
	// tier. 0 or more. Default: none, which comes last.
	Precedence pulumi.IntPtrInput `pulumi:"precedence,optional"`
}

// ModelSettings name the Bedrock model and its parameters.
type ModelSettings struct {
	// ModelId is the model of requests that name none: a model id, an
	// inference profile id (us., eu., apac., global. …) or an ARN of either.
	// Default: global.amazon.nova-2-lite-v1:0, which needs no access form and
	// may run in any Region; pin a geography where that matters.
	ModelId pulumi.StringPtrInput `pulumi:"modelId,optional"`
	// AllowedModelIds are the models that a request may name. Must hold
	// ModelId. Default: ModelId alone.
	AllowedModelIds pulumi.StringArrayInput `pulumi:"allowedModelIds,optional"`
	// Prices are what models cost, by their id as in AllowedModelIds. With
	// prices the service counts what each request costs; a budget needs one for
	// every allowed model. A request costs what its model cost when it was
	// admitted. Default: none, money is not counted.
	Prices map[string]PriceSettings `pulumi:"prices,optional"`
	// MaxTokens is the longest answer in tokens, 1 to 128000: the value of
	// requests that give none, and the most a request may ask for. More than
	// 80 a second of functions.timeout, less 5 seconds, is warned of at preview.
	// Default: 4096.
	MaxTokens pulumi.IntPtrInput `pulumi:"maxTokens,optional"`
	// Temperature is sent with requests that give none, 0 to 1, if their model
	// takes it. A ModelId that refuses it is refused at preview. Default: not
	// sent, because newer models refuse it.
	Temperature pulumi.Float64PtrInput `pulumi:"temperature,optional"`
	// TopP is sent with requests that give none, 0 to 1, if their model takes
	// it. A ModelId that refuses it, alone or beside a temperature, is refused at
	// preview. Default: not sent, because newer models refuse it.
	TopP pulumi.Float64PtrInput `pulumi:"topP,optional"`
	// System is the operator's system prompt, the first block of every
	// request, at most 2048 bytes. Default: none.
	System pulumi.StringPtrInput `pulumi:"system,optional"`
	// AllowSystem lets a request append its own system prompt as a second
	// block; false refuses it with 400. Default: true.
	AllowSystem pulumi.BoolPtrInput `pulumi:"allowSystem,optional"`
	// GuardrailId is the id or ARN of a Bedrock guardrail applied to every
	// request. The processor may apply it in this Region only, so it must not
	// have a guardrail profile that spans Regions. Set together with
	// GuardrailVersion. Default: none.
	GuardrailId pulumi.StringPtrInput `pulumi:"guardrailId,optional"`
	// GuardrailVersion is the guardrail's version, a number or DRAFT. Set
	// together with GuardrailId. Default: none.
	GuardrailVersion pulumi.StringPtrInput `pulumi:"guardrailVersion,optional"`
}

// PriceSettings are what a model costs, in US dollars per million tokens with at
// most 6 decimals, up to 10000.
type PriceSettings struct {
	// Input is the price of input. Must be given. Default: none.
	Input pulumi.Float64PtrInput `pulumi:"input,optional"`
	// Output is the price of output, reasoning included. Must be given. Default:
	// none.
	Output pulumi.Float64PtrInput `pulumi:"output,optional"`
	// CacheRead is the price of input that the model reads from its cache.
	// Default: that of Input.
	CacheRead pulumi.Float64PtrInput `pulumi:"cacheRead,optional"`
	// CacheWrite is the price of input that the model writes to its cache.
	// Default: that of Input.
	CacheWrite pulumi.Float64PtrInput `pulumi:"cacheWrite,optional"`
}

// AuthSettings say who may sign in and from where.
type AuthSettings struct {
	// UserPoolId adopts an existing Cognito user pool of the same Region
	// instead of creating one; no groups are made in it. Set together with
	// UserPoolClientId, and with none of the settings of a new pool. Default:
	// none.
	UserPoolId pulumi.StringPtrInput `pulumi:"userPoolId,optional"`
	// UserPoolClientId is the app client of the adopted pool whose tokens are
	// accepted. Default: none.
	UserPoolClientId pulumi.StringPtrInput `pulumi:"userPoolClientId,optional"`
	// SelfSignUp lets anybody with an e-mail address create an account.
	// Default: false, an administrator creates the users.
	SelfSignUp pulumi.BoolPtrInput `pulumi:"selfSignUp,optional"`
	// Mfa asks for one-time codes of an authenticator app (TOTP) at sign-in:
	// OFF, OPTIONAL (whoever has set one up is asked) or ON (everybody sets one
	// up at the next sign-in; sessions that run go on). Default: OFF.
	Mfa pulumi.StringPtrInput `pulumi:"mfa,optional"`
	// PasswordMinimumLength is the shortest password, in characters, 6 to 99.
	// Passwords hold an upper-case and a lower-case letter and a digit.
	// Default: 12.
	PasswordMinimumLength pulumi.IntPtrInput `pulumi:"passwordMinimumLength,optional"`
	// IdTokenValidityMinutes is the life of an ID token, in minutes, 5 to
	// 1440. Default: 60.
	IdTokenValidityMinutes pulumi.IntPtrInput `pulumi:"idTokenValidityMinutes,optional"`
	// AccessTokenValidityMinutes is the life of an access token, in minutes, 5
	// to 1440. Default: 60.
	AccessTokenValidityMinutes pulumi.IntPtrInput `pulumi:"accessTokenValidityMinutes,optional"`
	// RefreshTokenValidityDays is the life of a refresh token, in days, 1 to
	// 3650, and longer than the other tokens. Default: 30.
	RefreshTokenValidityDays pulumi.IntPtrInput `pulumi:"refreshTokenValidityDays,optional"`
	// UserPoolTier is the feature plan of the pool: LITE, ESSENTIALS or PLUS.
	// Default: LITE, which has all that the service uses.
	UserPoolTier pulumi.StringPtrInput `pulumi:"userPoolTier,optional"`
	// SesSourceArn is the verified Amazon SES identity that sends the pool's
	// mail. A domain also needs FromEmailAddress. Default: none, Cognito's own
	// sender, which is capped per day and not meant for production.
	SesSourceArn pulumi.StringPtrInput `pulumi:"sesSourceArn,optional"`
	// FromEmailAddress is the sender of the pool's mail; it needs
	// SesSourceArn. Default: none, the address that SesSourceArn is.
	FromEmailAddress pulumi.StringPtrInput `pulumi:"fromEmailAddress,optional"`
	// PersonalKeys lets users make keys for clients that cannot sign in. A key
	// opens the OpenAI interface and nothing else, with the limits of its owner.
	// Default: false, keys cannot be made and are refused.
	PersonalKeys *bool `pulumi:"personalKeys,optional"`
	// AllowedOrigins are the web origins (https://app.example.com) that may
	// call the APIs from a browser. The case of letters and a default port do
	// not count; names with other letters are written in punycode. Callers
	// without an Origin are not browsers and pass. Default: none given, any
	// origin.
	AllowedOrigins pulumi.StringArrayInput `pulumi:"allowedOrigins,optional"`
	// AllowedCidrs are the networks whose addresses may call the APIs, such as
	// 203.0.113.0/24. Networks of IPv4-mapped IPv6 addresses are those of the
	// IPv4 addresses. Default: none given, any address.
	AllowedCidrs pulumi.StringArrayInput `pulumi:"allowedCidrs,optional"`
}
