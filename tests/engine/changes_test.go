package engine_test

import "maps"

// change is a change of settings whose effect on a stack is shown.
type change struct {
	setting string // the one whose row this is
	to      any    // its new value
	with    settings
	// losesData marks the one kind of change that is meant to give up data.
	losesData bool
	// unserved marks what the local cloud cannot hold, so that only its preview
	// can be shown.
	unserved bool
}

// settings of the change, all together.
func (c change) settings() settings {
	all := settings{c.setting: c.to}
	maps.Copy(all, c.with)
	return all
}

const (
	account     = "000000000000"
	identityARN = "arn:aws:ses:us-east-1:" + account + ":identity/example.com"
)

// featured are settings that turn on what the stack dev does without, so that
// changes of them can be shown.
var featured = settings{
	"quota.tiers":                     map[string]any{"pro": map[string]any{"monthlyRequests": 5000, "monthlyTokens": 100000000, "precedence": 1}},
	"model.guardrailId":               "gr4rd",
	"model.guardrailVersion":          "7",
	"auth.sesSourceArn":               identityARN,
	"auth.fromEmailAddress":           "Chat <chat@example.com>",
	"protection.kmsKeyArn":            "arn:aws:kms:us-east-1:" + account + ":key/first",
	"protection.webAclArn":            "arn:aws:wafv2:us-east-1:" + account + ":regional/webacl/first/1",
	"domain.rest":                     "api.example.com",
	"domain.webSocket":                "stream.example.com",
	"domain.certificateArn":           "arn:aws:acm:us-east-1:" + account + ":certificate/first",
	"domain.hostedZoneId":             "ZFIRST",
	"site.enabled":                    true,
	"site.domain":                     "chat.example.com",
	"site.certificateArn":             "arn:aws:acm:us-east-1:" + account + ":certificate/third",
	"observability.alarmTopicArn":     "arn:aws:sns:us-east-1:" + account + ":first",
	"observability.accessLogs":        true,
	"observability.apiGatewayLogRole": "existing",
}

// changesOfDev are changes of the stack dev.
var changesOfDev = []change{
	{setting: "throttle.rateLimit", to: 500},
	{setting: "throttle.burstLimit", to: 3000},
	{setting: "throttle.webSocketRateLimit", to: 500},
	{setting: "throttle.webSocketBurstLimit", to: 3000},
	{setting: "throttle.userRateLimit", to: 50},
	{setting: "throttle.userBurstLimit", to: 500},
	{setting: "throttle.userConcurrency", to: 7},
	{setting: "throttle.userConnections", to: 5},
	{setting: "quota.monthlyRequests", to: 20},
	{setting: "quota.monthlyTokens", to: 1000000},
	{setting: "quota.tiers", to: map[string]any{"pro": map[string]any{"monthlyRequests": 5000}}},
	{setting: "quota.monthlyBudget", to: 5, with: settings{"model.prices": prices}},
	{setting: "quota.serviceMonthlyBudget", to: 1000, with: settings{"model.prices": prices}},
	{setting: "quota.timeZone", to: "Europe/Berlin"},
	{setting: "model.modelId", to: "us.amazon.nova-lite-v1:0"},
	{setting: "model.allowedModelIds", to: []string{"global.amazon.nova-2-lite-v1:0", "us.amazon.nova-lite-v1:0"}},
	{setting: "model.maxTokens", to: 1000},
	{setting: "model.temperature", to: 0.5},
	{setting: "model.topP", to: 0.5},
	{setting: "model.prices", to: prices},
	{setting: "model.system", to: "Be brief."},
	{setting: "model.allowSystem", to: false},
	{setting: "model.guardrailId", to: "gr4rd", with: settings{"model.guardrailVersion": "7"}},
	{
		setting: "auth.userPoolId", to: "us-east-1_others", losesData: true, unserved: true,
		with: settings{"auth.userPoolClientId": "others", "auth.selfSignUp": nil, "auth.passwordMinimumLength": nil},
	},
	{setting: "auth.selfSignUp", to: false},
	{setting: "auth.mfa", to: "ON"},
	{setting: "auth.mfa", to: "OPTIONAL"},
	{setting: "auth.passwordMinimumLength", to: 12},
	{setting: "auth.idTokenValidityMinutes", to: 30},
	{setting: "auth.accessTokenValidityMinutes", to: 30},
	{setting: "auth.refreshTokenValidityDays", to: 7},
	{setting: "auth.userPoolTier", to: "ESSENTIALS"},
	{setting: "auth.sesSourceArn", to: identityARN, with: settings{"auth.fromEmailAddress": "Chat <chat@example.com>"}},
	{setting: "auth.personalKeys", to: true},
	{setting: "auth.allowedOrigins", to: []string{"https://app.example.com"}},
	{setting: "auth.allowedCidrs", to: []string{"127.0.0.0/8"}},
	{setting: "queue.maxReceiveCount", to: 20},
	{setting: "queue.batchSize", to: 5},
	{setting: "queue.maximumConcurrency", to: 20},
	{setting: "queue.messageRetentionSeconds", to: 7200},
	{setting: "queue.maxAgeSeconds", to: 600},
	{setting: "queue.sweepIntervalMinutes", to: 10},
	{setting: "functions.memorySize", to: 1024},
	{setting: "functions.timeout", to: 600},
	{setting: "functions.reservedConcurrentExecutions", to: 60},
	{setting: "functions.logLevel", to: "debug"},
	{setting: "functions.logRetentionInDays", to: 90},
	{setting: "functions.architecture", to: "x86_64"},
	{setting: "streaming.flushIntervalMs", to: 100},
	{setting: "streaming.replayTtlHours", to: 48},
	{setting: "streaming.onDisconnect", to: "cancel"},
	{setting: "protection.deletionProtection", to: true},
	{setting: "protection.pointInTimeRecovery", to: true},
	{setting: "protection.kmsKeyArn", to: featured["protection.kmsKeyArn"]},
	{setting: "protection.webAclArn", to: featured["protection.webAclArn"]},
	{setting: "domain.rest", to: "api.example.com", with: settings{"domain.certificateArn": featured["domain.certificateArn"]}},
	{setting: "domain.webSocket", to: "stream.example.com", with: settings{"domain.certificateArn": featured["domain.certificateArn"]}},
	{setting: "site.enabled", to: true},
	{setting: "uploads", to: false},
	{setting: "observability.alarmTopicArn", to: featured["observability.alarmTopicArn"]},
	{setting: "observability.dashboard", to: false},
	{setting: "observability.tracing", to: true},
	{setting: "observability.accessLogs", to: true},
	{setting: "stageName", to: "v2"},
	{setting: "tags", to: map[string]any{"environment": "dev", "team": "chat"}},
}

// prices are those of all models that the changes name.
var prices = map[string]any{
	"global.amazon.nova-2-lite-v1:0": map[string]any{"input": 0.33, "output": 2.75},
	"us.amazon.nova-lite-v1:0":       map[string]any{"input": 0.06, "output": 0.24},
}

// changesOfFeatured are changes of the stack dev with more features.
var changesOfFeatured = []change{
	{setting: "quota.tiers.pro.monthlyRequests", to: 6000},
	{setting: "quota.tiers.pro.monthlyTokens", to: 1000},
	{setting: "quota.tiers.pro.monthlyBudget", to: 20, with: settings{"model.prices": prices}},
	{setting: "quota.tiers.pro.precedence", to: 2},
	{setting: "quota.tiers.free", to: map[string]any{"monthlyRequests": 5}},
	{setting: "model.guardrailVersion", to: "8"},
	{setting: "auth.fromEmailAddress", to: "Others <others@example.com>"},
	{setting: "queue.sweepIntervalMinutes", to: 0},
	{setting: "protection.kmsKeyArn", to: "arn:aws:kms:us-east-1:" + account + ":key/second"},
	{setting: "protection.encryptLogs", to: true},
	{setting: "protection.webAclArn", to: "arn:aws:wafv2:us-east-1:" + account + ":regional/webacl/second/1"},
	{setting: "domain.rest", to: "api2.example.com"},
	{setting: "domain.webSocket", to: "stream2.example.com"},
	{setting: "domain.certificateArn", to: "arn:aws:acm:us-east-1:" + account + ":certificate/second"},
	{setting: "domain.hostedZoneId", to: "ZSECOND"},
	{setting: "site.domain", to: "chat2.example.com"},
	{setting: "site.certificateArn", to: "arn:aws:acm:us-east-1:" + account + ":certificate/fourth"},
	{setting: "observability.alarmTopicArn", to: "arn:aws:sns:us-east-1:" + account + ":second"},
	{setting: "observability.apiGatewayLogRole", to: "manage"},
	{setting: "stageName", to: "v2"},
}
