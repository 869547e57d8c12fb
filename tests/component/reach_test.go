package component_test

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/streaming-service/streaming-service/components"
)

// place is where a setting arrives: a property of a resource, by its path.
type place struct {
	role     string
	property []string
	want     any // with the settings of everything()
}

func variable(function, name, want string) place {
	return place{function, []string{"environment", "variables", name}, want}
}

func at(role string, want any, property ...string) place { return place{role, property, want} }

// reaches says for every setting where its value must arrive. TestEverySetting
// fails if a setting of the schema is missing here.
var reaches = map[string][]place{
	"throttle.rateLimit":           {at("rest-method-settings", 11.5, "settings", "throttlingRateLimit")},
	"throttle.burstLimit":          {at("rest-method-settings", 12.0, "settings", "throttlingBurstLimit")},
	"throttle.webSocketRateLimit":  {at("websocket-stage", 13.0, "defaultRouteSettings", "throttlingRateLimit")},
	"throttle.webSocketBurstLimit": {at("websocket-stage", 14.0, "defaultRouteSettings", "throttlingBurstLimit")},
	"throttle.userRateLimit":       {variable("quota", "USER_RATE_LIMIT", "0.25")},
	"throttle.userBurstLimit":      {variable("quota", "USER_BURST_LIMIT", "16")},
	"throttle.userConcurrency":     {variable("quota", "USER_CONCURRENCY", "17")},
	"throttle.userConnections":     {variable("connection", "USER_CONNECTIONS", "18")},

	"quota.monthlyRequests":         {variable("quota", "QUOTA_TIERS", tiersWant)},
	"quota.monthlyTokens":           {variable("quota", "QUOTA_TIERS", tiersWant)},
	"quota.tiers.*.monthlyRequests": {variable("quota", "QUOTA_TIERS", tiersWant)},
	"quota.tiers.*.monthlyTokens":   {variable("quota", "QUOTA_TIERS", tiersWant)},
	"quota.monthlyBudget":           {variable("quota", "QUOTA_TIERS", tiersWant)},
	"quota.serviceMonthlyBudget":    {variable("quota", "SERVICE_MONTHLY_BUDGET", "250.5"), variable("completions", "SERVICE_MONTHLY_BUDGET", "250.5"), at("service-budget-alarm", 80.0, "threshold")},
	"quota.tiers.*.monthlyBudget":   {variable("quota", "QUOTA_TIERS", tiersWant)},
	"quota.tiers.*.precedence":      {at("tier-pro", 2.0, "precedence"), at("tier-pro", "pro", "name"), variable("quota", "QUOTA_TIERS", tiersWant)},
	"quota.timeZone":                {variable("quota", "TIME_ZONE", "Europe/Berlin")},

	"model.modelId":             {variable("quota", "MODEL_ID", "eu.amazon.nova-pro-v1:0")},
	"model.allowedModelIds":     {variable("quota", "ALLOWED_MODEL_IDS", "eu.amazon.nova-pro-v1:0,amazon.nova-lite-v1:0")},
	"model.prices.*.input":      {variable("quota", "MODEL_PRICES", pricesWant), variable("completions", "MODEL_PRICES", pricesWant)},
	"model.prices.*.output":     {variable("quota", "MODEL_PRICES", pricesWant), variable("completions", "MODEL_PRICES", pricesWant)},
	"model.prices.*.cacheRead":  {variable("quota", "MODEL_PRICES", pricesWant), variable("completions", "MODEL_PRICES", pricesWant)},
	"model.prices.*.cacheWrite": {variable("quota", "MODEL_PRICES", pricesWant), variable("completions", "MODEL_PRICES", pricesWant)},
	"model.maxTokens":           {variable("quota", "MAX_TOKENS", "31")},
	"model.temperature":         {variable("quota", "TEMPERATURE", "0.5")},
	"model.topP":                {variable("quota", "TOP_P", "0.75")},
	"model.system":              {variable("quota", "SYSTEM_PROMPT", "Be brief.")},
	"model.allowSystem":         {variable("quota", "ALLOW_SYSTEM", "false")},
	"model.guardrailId":         {variable("processor", "GUARDRAIL_ID", "gr4rd")},
	"model.guardrailVersion":    {variable("processor", "GUARDRAIL_VERSION", "7")},

	"auth.selfSignUp":                 {at("user-pool", false, "adminCreateUserConfig", "allowAdminCreateUserOnly")},
	"auth.mfa":                        {at("user-pool", "OPTIONAL", "mfaConfiguration"), at("user-pool", true, "softwareTokenMfaConfiguration", "enabled")},
	"auth.passwordMinimumLength":      {at("user-pool", 20.0, "passwordPolicy", "minimumLength")},
	"auth.idTokenValidityMinutes":     {at("user-pool-client", 41.0, "idTokenValidity")},
	"auth.accessTokenValidityMinutes": {at("user-pool-client", 42.0, "accessTokenValidity")},
	"auth.refreshTokenValidityDays":   {at("user-pool-client", 43.0, "refreshTokenValidity")},
	"auth.userPoolTier":               {at("user-pool", "PLUS", "userPoolTier")},
	"auth.sesSourceArn":               {at("user-pool", identityARN, "emailConfiguration", "sourceArn")},
	"auth.fromEmailAddress":           {at("user-pool", "Chat <chat@example.com>", "emailConfiguration", "fromEmailAddress")},
	"auth.personalKeys":               {variable("authorizer", "PERSONAL_KEYS", "true")},
	"auth.allowedOrigins": {
		variable("authorizer", "ALLOWED_ORIGINS", "https://a.example.com,http://localhost:3000"),
		variable("quota", "ALLOWED_ORIGINS", "https://a.example.com,http://localhost:3000"),
		variable("requests", "ALLOWED_ORIGINS", "https://a.example.com,http://localhost:3000"),
	},
	"auth.allowedCidrs": {
		variable("authorizer", "ALLOWED_CIDRS", "203.0.113.0/24,2001:db8::/32"),
		variable("quota", "ALLOWED_CIDRS", "203.0.113.0/24,2001:db8::/32"),
		variable("requests", "ALLOWED_CIDRS", "203.0.113.0/24,2001:db8::/32"),
	},

	"queue.maxReceiveCount":         {at("queue", `{"deadLetterTargetArn":"arn:svc-dead-letter-queue","maxReceiveCount":51}`, "redrivePolicy")},
	"queue.batchSize":               {at("processor-mapping", 5.0, "batchSize")},
	"queue.maximumConcurrency":      {at("processor-mapping", 53.0, "scalingConfig", "maximumConcurrency")},
	"queue.messageRetentionSeconds": {at("queue", 5400.0, "messageRetentionSeconds")},
	"queue.maxAgeSeconds":           {variable("processor", "MAX_AGE_SECONDS", "600"), variable("recovery", "MAX_AGE_SECONDS", "600")},
	"queue.sweepIntervalMinutes":    {at("sweep", "rate(1 minute)", "scheduleExpression")},

	"functions.memorySize":                   {at("processor", 1024.0, "memorySize"), at("quota", 256.0, "memorySize")},
	"functions.timeout":                      {at("processor", 120.0, "timeout"), at("queue", 720.0, "visibilityTimeoutSeconds"), at("quota", 10.0, "timeout")},
	"functions.reservedConcurrentExecutions": {at("processor", 60.0, "reservedConcurrentExecutions"), at("quota", nil, "reservedConcurrentExecutions")},
	"functions.logLevel":                     {variable("authorizer", "LOG_LEVEL", "debug"), variable("recovery", "LOG_LEVEL", "debug")},
	"functions.logRetentionInDays":           {at("quota-logs", 90.0, "retentionInDays"), at("rest-access-logs", 90.0, "retentionInDays")},
	"functions.architecture":                 {at("quota", []any{"x86_64"}, "architectures"), at("quota", "quota-x86_64.zip", "code", "path")},

	"streaming.flushIntervalMs": {variable("processor", "FLUSH_INTERVAL_MS", "71")},
	"streaming.replayTtlHours":  {variable("processor", "REPLAY_TTL_HOURS", "72"), variable("quota", "REPLAY_TTL_HOURS", "72")},
	"streaming.onDisconnect":    {variable("processor", "ON_DISCONNECT", "cancel")},

	"protection.deletionProtection":  {at("quota-table", false, "deletionProtectionEnabled"), at("user-pool", "INACTIVE", "deletionProtection")},
	"protection.pointInTimeRecovery": {at("requests-table", false, "pointInTimeRecovery", "enabled")},
	"protection.kmsKeyArn": {
		at("connections-table", keyARN, "serverSideEncryption", "kmsKeyArn"),
		at("queue", keyARN, "kmsMasterKeyId"), at("dead-letter-queue", keyARN, "kmsMasterKeyId"), at("queue", nil, "sqsManagedSseEnabled"),
	},
	"protection.encryptLogs": {at("processor-logs", keyARN, "kmsKeyId"), at("websocket-access-logs", keyARN, "kmsKeyId")},
	"protection.webAclArn":   {at("web-acl-association", aclARN, "webAclArn"), at("web-acl-association", "arn:svc-rest-stage", "resourceArn")},

	"domain.rest":           {at("rest-domain", "api.example.com", "domainName"), at("rest-domain-record", "api.example.com", "name")},
	"domain.webSocket":      {at("websocket-domain", "stream.example.com", "domainName"), at("websocket-domain-record", "stream.example.com", "name")},
	"domain.certificateArn": {at("rest-domain", certificateARN, "regionalCertificateArn"), at("websocket-domain", certificateARN, "domainNameConfiguration", "certificateArn")},
	"domain.hostedZoneId":   {at("rest-domain-record", "Z123", "zoneId"), at("websocket-domain-record", "Z123", "zoneId")},

	"site.enabled":        {at("site-distribution", true, "enabled")},
	"site.domain":         {at("site-distribution", []any{"chat.example.com"}, "aliases"), at("rest-stage", map[string]any{"siteOrigin": "https://chat.example.com"}, "variables")},
	"site.certificateArn": {at("site-distribution", siteCertificateARN, "viewerCertificate", "acmCertificateArn")},

	"observability.alarmTopicArn":     {at("dead-letters-alarm", []any{topicARN}, "alarmActions"), at("refusals-alarm", []any{topicARN}, "okActions")},
	"observability.dashboard":         nil, // TestWhatExists
	"observability.tracing":           {at("rest-stage", true, "xrayTracingEnabled"), at("processor", "Active", "tracingConfig", "mode")},
	"observability.accessLogs":        {at("rest-stage", "arn:svc-rest-access-logs", "accessLogSettings", "destinationArn"), at("websocket-stage", "arn:svc-websocket-access-logs", "accessLogSettings", "destinationArn")},
	"observability.apiGatewayLogRole": {at("api-gateway-account", "arn:svc-api-gateway-log-role", "cloudwatchRoleArn")},

	"stageName": {at("rest-stage", "v2", "stageName"), at("websocket-stage", "v2", "name"), variable("processor", "WEBSOCKET_API_ENDPOINT", "https://svc-websocket-api.execute-api/v2")},
	"tags":      {at("quota-table", map[string]any{"team": "chat"}, "tags")},

	"uploads":               nil, // TestUploads
	"functionArchiveDir":    nil, // TestFunctionArchiveDir
	"auth.userPoolId":       nil, // TestAdoptedUserPool
	"auth.userPoolClientId": nil, // TestAdoptedUserPool
}

const tiersWant = `{"default":{"monthlyRequests":21,"monthlyTokens":22,"monthlyBudget":2.000001},"groups":{"free":{"monthlyRequests":21,"monthlyTokens":5,"monthlyBudget":2.000001},"pro":{"monthlyRequests":23,"monthlyTokens":24}},"order":["pro"]}`

const pricesWant = `{"amazon.nova-lite-v1:0":{"input":0.06,"output":0.24,"cacheRead":0.015,"cacheWrite":0},"eu.amazon.nova-pro-v1:0":{"input":0.8,"output":3.2,"cacheRead":0.2}}`

func TestReach(t *testing.T) {
	t.Parallel()
	with, without := declare(t, everything()), declare(t, nil)
	for setting, places := range reaches {
		for _, p := range places {
			if got := with.find(t, p.role).property(p.property...); !reflect.DeepEqual(got, p.want) {
				t.Errorf("%s: %s of %s is %v, want %v", setting, strings.Join(p.property, "."), p.role, got, p.want)
			}
		}
		if len(places) == 0 {
			continue
		}
		p := places[0]
		if d, ok := without.resources[service+"-"+p.role]; ok && reflect.DeepEqual(d.property(p.property...), p.want) {
			t.Errorf("%s: %s of %s is %v whatever the setting", setting, strings.Join(p.property, "."), p.role, p.want)
		}
	}
}

// TestEverySetting keeps the table complete.
func TestEverySetting(t *testing.T) {
	t.Parallel()
	paths := map[string]bool{}
	settingPaths("", reflect.TypeFor[components.StreamingServiceArgs](), paths)
	for path := range paths {
		if _, ok := reaches[path]; !ok {
			t.Errorf("setting %s is not tested to reach anything", path)
		}
	}
	for path := range reaches {
		if !paths[path] {
			t.Errorf("there is no setting %s", path)
		}
	}
}

func settingPaths(prefix string, t reflect.Type, into map[string]bool) {
	for field := range t.Fields() {
		tag, ok := field.Tag.Lookup("pulumi")
		if !ok {
			continue
		}
		name, _, _ := strings.Cut(tag, ",")
		switch field := field.Type; {
		case field.Kind() == reflect.Pointer && field.Elem().Kind() == reflect.Struct:
			settingPaths(prefix+name+".", field.Elem(), into)
		case field.Kind() == reflect.Map && field.Elem().Kind() == reflect.Struct:
			settingPaths(prefix+name+".*.", field.Elem(), into)
		default:
			into[prefix+name] = true
		}
	}
}

func TestFunctionArchiveDir(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, function := range components.Functions() {
		if err := os.WriteFile(filepath.Join(dir, function+".zip"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	r := declare(t, &args{FunctionArchiveDir: dir})
	for _, function := range components.Functions() {
		if got, want := r.find(t, function).property("code", "path"), filepath.Join(dir, function+".zip"); got != want {
			t.Errorf("code of %s is %v, want %s", function, fmt.Sprint(got), want)
		}
	}
}
