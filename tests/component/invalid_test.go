package component_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/streaming-service/streaming-service/components"
)

type args = components.StreamingServiceArgs

// invalid are settings that must be refused at preview, with the whole text of
// the refusal.
var invalid = []struct {
	name string
	args args
	want string
}{
	{"negative quota", args{Quota: &components.QuotaSettings{MonthlyRequests: pulumi.Int(-5)}},
		"quota.monthlyRequests must be >= 0, got -5"},
	{"quota beyond exact numbers", args{Quota: &components.QuotaSettings{MonthlyTokens: pulumi.Int(1 << 53)}},
		"quota.monthlyTokens must be <= 9007199254740991, got 9007199254740992"},
	{"burst that no function can read", args{Throttle: &components.ThrottleSettings{UserBurstLimit: pulumi.Int(1 << 31), UserConcurrency: pulumi.Int(1 << 40)}},
		"throttle.userBurstLimit must be <= 2147483647, got 2147483648\nthrottle.userConcurrency must be <= 10000, got 1099511627776"},
	{"rate that no function can read", args{Throttle: &components.ThrottleSettings{UserRateLimit: pulumi.Float64(1e-9)}},
		"throttle.userRateLimit must be 0 or >= 0.000001, got 1e-09"},
	{"no rate", args{Throttle: &components.ThrottleSettings{RateLimit: pulumi.Float64(0)}},
		"throttle.rateLimit must be > 0, got 0"},
	{"no burst", args{Throttle: &components.ThrottleSettings{BurstLimit: pulumi.Int(0), WebSocketBurstLimit: pulumi.Int(0), UserBurstLimit: pulumi.Int(0)}},
		"throttle.burstLimit must be >= 1, got 0\nthrottle.userBurstLimit must be >= 1, got 0\nthrottle.webSocketBurstLimit must be >= 1, got 0"},
	{"rate of a user beyond the clock", args{Throttle: &components.ThrottleSettings{UserRateLimit: pulumi.Float64(1000.5)}},
		"throttle.userRateLimit must be <= 1000, got 1000.5"},
	{"tier name", args{Quota: &components.QuotaSettings{Tiers: map[string]components.TierSettings{"gold users": {}}}},
		`quota.tiers.gold users must be named by 1 to 128 letters, digits, '-' and '_', got "gold users"`},
	{"dot in a tier name", args{Quota: &components.QuotaSettings{Tiers: map[string]components.TierSettings{"a.monthlyTokens": {}}}},
		`quota.tiers.a.monthlyTokens must be named by 1 to 128 letters, digits, '-' and '_', got "a.monthlyTokens"`},
	{"tier limit", args{Quota: &components.QuotaSettings{Tiers: map[string]components.TierSettings{"gold": {MonthlyTokens: pulumi.Int(-1)}}}},
		"quota.tiers.gold.monthlyTokens must be >= 0, got -1"},
	{"negative budget", args{Quota: &components.QuotaSettings{MonthlyBudget: pulumi.Float64(-0.5)}},
		"quota.monthlyBudget must be >= 0, got -0.5"},
	{"budget of seven decimals", args{Quota: &components.QuotaSettings{ServiceMonthlyBudget: pulumi.Float64(1.0000001)}, Model: priced(1)},
		"quota.serviceMonthlyBudget must have at most 6 decimals, got 1.0000001"},
	{"budget of less than a millionth", args{Quota: &components.QuotaSettings{MonthlyBudget: pulumi.Float64(1e-7)}, Model: priced(1)},
		"quota.monthlyBudget must have at most 6 decimals, got 1e-07"},
	{"budget that is no number", args{Quota: &components.QuotaSettings{MonthlyBudget: pulumi.Float64(math.NaN())}},
		"quota.monthlyBudget must be <= 9000000, got NaN\nquota.monthlyBudget must be >= 0, got NaN"},
	{"budget beyond exact numbers", args{Quota: &components.QuotaSettings{Tiers: map[string]components.TierSettings{"gold": {MonthlyBudget: pulumi.Float64(9_000_001)}}}, Model: priced(1)},
		"quota.tiers.gold.monthlyBudget must be <= 9000000, got 9.000001e+06"},
	{"budget without prices", args{Quota: &components.QuotaSettings{MonthlyBudget: pulumi.Float64(12.5)}},
		"quota.monthlyBudget must not be set without a price in model.prices of every allowed model; there is none of global.amazon.nova-2-lite-v1:0, got 12.5"},
	{"budgets without all prices", args{
		Quota: &components.QuotaSettings{
			MonthlyBudget: pulumi.Float64(0), ServiceMonthlyBudget: pulumi.Float64(3),
			Tiers: map[string]components.TierSettings{"gold": {MonthlyBudget: pulumi.Float64(7)}, "free": {MonthlyBudget: pulumi.Float64(0)}},
		},
		Model: &components.ModelSettings{
			AllowedModelIds: pulumi.ToStringArray([]string{components.DefaultModelID, "a.b", "a.c"}), Prices: priced(1).Prices,
		},
	}, "quota.serviceMonthlyBudget must not be set without a price in model.prices of every allowed model; there is none of a.b, a.c, got 3\n" +
		"quota.tiers.gold.monthlyBudget must not be set without a price in model.prices of every allowed model; there is none of a.b, a.c, got 7"},
	{"negative price", args{Model: priced(-1)},
		"model.prices.global.amazon.nova-2-lite-v1:0.input must be >= 0, got -1"},
	{"price that no model has", args{Model: priced(10_001)},
		"model.prices.global.amazon.nova-2-lite-v1:0.input must be <= 10000, got 10001"},
	{"price of seven decimals", args{Model: priced(0.0000035)},
		"model.prices.global.amazon.nova-2-lite-v1:0.input must have at most 6 decimals, got 3.5e-06"},
	{"price of nothing", args{Model: &components.ModelSettings{Prices: map[string]components.PriceSettings{"a.b": {CacheRead: pulumi.Float64(1)}}}},
		"model.prices.a.b.input must be set\nmodel.prices.a.b.output must be set"},
	{"price of no model", args{Model: &components.ModelSettings{Prices: map[string]components.PriceSettings{"a b": {Input: pulumi.Float64(1), Output: pulumi.Float64(1)}}}},
		`model.prices.a b must be a model id, an inference profile id or an ARN, got "a b"`},
	{"time zone", args{Quota: &components.QuotaSettings{TimeZone: pulumi.String("Europe/Atlantis")}},
		`quota.timeZone must be an IANA time zone such as Europe/Berlin, got "Europe/Atlantis"`},
	{"time zone that only some machines know", args{Quota: &components.QuotaSettings{TimeZone: pulumi.String("posix/Europe/Berlin")}},
		`quota.timeZone must be an IANA time zone such as Europe/Berlin, got "posix/Europe/Berlin"`},
	{"model not in the allow-list", args{Model: &components.ModelSettings{ModelId: pulumi.String("a.b"), AllowedModelIds: pulumi.ToStringArray([]string{"a.c"})}},
		"model.allowedModelIds must contain model.modelId (a.b), got [a.c]"},
	{"empty allow-list", args{Model: &components.ModelSettings{AllowedModelIds: pulumi.StringArray{}}},
		"model.allowedModelIds must contain model.modelId (global.amazon.nova-2-lite-v1:0), got []\nmodel.allowedModelIds must not be an empty list, got []"},
	{"temperature", args{Model: &components.ModelSettings{Temperature: pulumi.Float64(1.5)}},
		"model.temperature must be between 0 and 1, got 1.5"},
	{"temperature and topP for a model that takes one", args{Model: &components.ModelSettings{ModelId: pulumi.String("us.anthropic.claude-haiku-4-5-20251001-v1:0"), Temperature: pulumi.Float64(0.5), TopP: pulumi.Float64(0.9)}},
		"model.topP must not be set together with model.temperature (0.5) for model.modelId (us.anthropic.claude-haiku-4-5-20251001-v1:0), which takes one of them, got 0.9"},
	{"temperature and topP for a model that takes neither", args{Model: &components.ModelSettings{ModelId: pulumi.String("arn:aws:bedrock:eu-west-1:123456789012:inference-profile/eu.anthropic.claude-opus-4-8"), Temperature: pulumi.Float64(0.5), TopP: pulumi.Float64(0.9)}},
		"model.temperature must not be set for model.modelId (arn:aws:bedrock:eu-west-1:123456789012:inference-profile/eu.anthropic.claude-opus-4-8): it takes no temperature, got 0.5\n" +
			"model.topP must not be set for model.modelId (arn:aws:bedrock:eu-west-1:123456789012:inference-profile/eu.anthropic.claude-opus-4-8): it takes no topP, got 0.9"},
	{"guardrail without version", args{Model: &components.ModelSettings{GuardrailId: pulumi.String("abc")}},
		"model.guardrailVersion must be set together with model.guardrailId (abc)"},
	{"pool without client", args{Auth: &components.AuthSettings{UserPoolId: pulumi.String("eu-west-1_Abc")}},
		"auth.userPoolClientId must be set together with auth.userPoolId (eu-west-1_Abc)"},
	{"settings of a new pool for an adopted one", args{Auth: &components.AuthSettings{UserPoolId: pulumi.String("eu-west-1_Abc"), UserPoolClientId: pulumi.String("c1"), Mfa: pulumi.String("ON")}},
		"auth.mfa must not be set with auth.userPoolId: it has no effect on an adopted user pool"},
	{"password length", args{Auth: &components.AuthSettings{PasswordMinimumLength: pulumi.Int(4)}},
		"auth.passwordMinimumLength must be between 6 and 99, got 4"},
	{"refresh token", args{Auth: &components.AuthSettings{IdTokenValidityMinutes: pulumi.Int(1440), RefreshTokenValidityDays: pulumi.Int(1)}},
		"auth.idTokenValidityMinutes must be less than auth.refreshTokenValidityDays (1 days), got 1440"},
	{"sender without SES", args{Auth: &components.AuthSettings{FromEmailAddress: pulumi.String("chat@example.com")}},
		"auth.sesSourceArn must be set with auth.fromEmailAddress"},
	{"domain as sender", args{Auth: &components.AuthSettings{SesSourceArn: pulumi.String(identityARN)}},
		"auth.fromEmailAddress must be set with an auth.sesSourceArn that is a domain"},
	{"origin with a path", args{Auth: &components.AuthSettings{AllowedOrigins: pulumi.ToStringArray([]string{"https://a.example.com/"})}},
		"auth.allowedOrigins elements must be origins as browsers send them, such as https://a.example.com, got [https://a.example.com/]"},
	{"origin with umlauts", args{Auth: &components.AuthSettings{AllowedOrigins: pulumi.ToStringArray([]string{"https://münchen.example:8443"})}},
		"auth.allowedOrigins elements must be origins as browsers send them, such as https://xn--mnchen-3ya.example:8443, got [https://münchen.example:8443]"},
	{"origin with a dot at the end", args{Auth: &components.AuthSettings{AllowedOrigins: pulumi.ToStringArray([]string{"https://a.example.com."})}},
		"auth.allowedOrigins elements must be origins as browsers send them, such as https://a.example.com, got [https://a.example.com.]"},
	{"opaque origin", args{Auth: &components.AuthSettings{AllowedOrigins: pulumi.ToStringArray([]string{"null"})}},
		"auth.allowedOrigins elements must be origins as browsers send them, such as https://app.example.com, got [null]"},
	{"any origin", args{Auth: &components.AuthSettings{AllowedOrigins: pulumi.ToStringArray([]string{"https://*.example.com"})}},
		"auth.allowedOrigins elements must be origins as browsers send them, such as https://app.example.com, got [https://*.example.com]"},
	{"address without a prefix", args{Auth: &components.AuthSettings{AllowedCidrs: pulumi.ToStringArray([]string{"::ffff:203.0.113.7"})}},
		"auth.allowedCidrs elements must be networks such as 203.0.113.7/32, with no bit set beyond the prefix, got [::ffff:203.0.113.7]"},
	{"CIDR with host bits", args{Auth: &components.AuthSettings{AllowedCidrs: pulumi.ToStringArray([]string{"203.0.113.7/24"})}},
		"auth.allowedCidrs elements must be networks such as 203.0.113.0/24, with no bit set beyond the prefix, got [203.0.113.7/24]"},
	{"batch", args{Queue: &components.QueueSettings{BatchSize: pulumi.Int(11)}},
		"queue.batchSize must be between 1 and 10, got 11"},
	{"receive count", args{Queue: &components.QueueSettings{MaxReceiveCount: pulumi.Int(3)}},
		"queue.maxReceiveCount must be between 10 and 1000, got 3"},
	{"retention below age", args{Queue: &components.QueueSettings{MessageRetentionSeconds: pulumi.Int(600)}},
		"queue.messageRetentionSeconds must be >= queue.maxAgeSeconds (900), got 600"},
	{"retention of the dead-letter queue", args{Queue: &components.QueueSettings{MessageRetentionSeconds: pulumi.Int(1_209_600)}},
		"queue.messageRetentionSeconds must be between 60 and 1209599, got 1209600"},
	{"processor timeout", args{Functions: &components.FunctionsSettings{Timeout: pulumi.Int(901)}},
		"functions.timeout must be between 30 and 900, got 901"},
	{"reserved below maximum", args{Functions: &components.FunctionsSettings{ReservedConcurrentExecutions: pulumi.Int(10)}},
		"functions.reservedConcurrentExecutions must be >= queue.maximumConcurrency (50), got 10"},
	{"architecture", args{Functions: &components.FunctionsSettings{Architecture: "amd64"}},
		`functions.architecture must be one of arm64, x86_64, got "amd64"`},
	{"log retention", args{Functions: &components.FunctionsSettings{LogRetentionInDays: pulumi.Int(8)}},
		"functions.logRetentionInDays must be a period of CloudWatch Logs (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, …), got 8"},
	{"onDisconnect", args{Streaming: &components.StreamingSettings{OnDisconnect: pulumi.String("stop")}},
		`streaming.onDisconnect must be one of continue, cancel, got "stop"`},
	{"key alias", args{Protection: &components.ProtectionSettings{KmsKeyArn: pulumi.String("alias/mine")}},
		`protection.kmsKeyArn must be an ARN like arn:aws:kms:<region>:<account>:key/…, got "alias/mine"`},
	{"encrypted logs without key", args{Protection: &components.ProtectionSettings{EncryptLogs: new(true)}},
		"protection.encryptLogs must be false without protection.kmsKeyArn, got true"},
	{"one domain for both", args{Domain: &components.DomainSettings{Rest: pulumi.String("a.example.com"), WebSocket: pulumi.String("a.example.com"), CertificateArn: pulumi.String(certificateARN)}},
		`domain.webSocket must differ from domain.rest: one domain name cannot serve both, got "a.example.com"`},
	{"domain in capitals", args{Domain: &components.DomainSettings{Rest: pulumi.String("API.example.com"), CertificateArn: pulumi.String(certificateARN)}},
		`domain.rest must be a domain name in lower case, such as api.example.com, got "API.example.com"`},
	{"domain without certificate", args{Domain: &components.DomainSettings{Rest: pulumi.String("a.example.com")}},
		"domain.certificateArn must be set with domain.rest and domain.webSocket"},
	{"domain of a page without certificate", args{Site: &components.SiteSettings{Enabled: new(true), Domain: pulumi.String("chat.example.com")}},
		"site.certificateArn must be set together with site.domain (chat.example.com)"},
	{"certificate of a page without domain", args{Site: &components.SiteSettings{Enabled: new(true), CertificateArn: pulumi.String(siteCertificateARN)}},
		"site.domain must be set together with site.certificateArn (" + siteCertificateARN + ")"},
	{"domain and certificate of no page", args{Site: &components.SiteSettings{Domain: pulumi.String("chat.example.com"), CertificateArn: pulumi.String(siteCertificateARN)}},
		`site.certificateArn must not be set without site.enabled, got "` + siteCertificateARN + `"` + "\n" + `site.domain must not be set without site.enabled, got "chat.example.com"`},
	{"domain of a page that is off", args{Site: &components.SiteSettings{Enabled: new(false), Domain: pulumi.String("chat.example.com"), CertificateArn: pulumi.String(siteCertificateARN)}},
		`site.certificateArn must not be set without site.enabled, got "` + siteCertificateARN + `"` + "\n" + `site.domain must not be set without site.enabled, got "chat.example.com"`},
	{"certificate of a page in the service's Region", args{Site: &components.SiteSettings{Enabled: new(true), Domain: pulumi.String("chat.example.com"), CertificateArn: pulumi.String(certificateARN)}},
		`site.certificateArn must be an ARN like arn:aws:acm:us-east-1:<account>:certificate/…, got "` + certificateARN + `"`},
	{"URL as the domain of a page", args{Site: &components.SiteSettings{Enabled: new(true), Domain: pulumi.String("https://chat.example.com"), CertificateArn: pulumi.String(siteCertificateARN)}},
		`site.domain must be a domain name in lower case, such as api.example.com, got "https://chat.example.com"`},
	{"one domain for the page and an API", args{
		Site:   &components.SiteSettings{Enabled: new(true), Domain: pulumi.String("a.example.com"), CertificateArn: pulumi.String(siteCertificateARN)},
		Domain: &components.DomainSettings{WebSocket: pulumi.String("a.example.com"), CertificateArn: pulumi.String(certificateARN)},
	}, `site.domain must differ from domain.webSocket: one domain name cannot serve both, got "a.example.com"`},
	{"zone without domain", args{Domain: &components.DomainSettings{HostedZoneId: pulumi.String("Z1")}},
		"domain.hostedZoneId must not be set without domain.rest or domain.webSocket"},
	{"log role without logs", args{Observability: &components.ObservabilitySettings{ApiGatewayLogRole: "manage"}},
		"observability.apiGatewayLogRole must not be set without observability.accessLogs"},
	{"stage name", args{StageName: "v 1"},
		`stageName must be 1 to 128 letters, digits, '-' and '_', got "v 1"`},
	{"tags", args{Tags: pulumi.StringMap{"aws:mine": pulumi.String("x")}},
		"tags must have keys of 1 to 128 characters, not beginning with aws:, and values of at most 256, got map[aws:mine:x]"},
	{"archives", args{FunctionArchiveDir: "testdata"},
		`functionArchiveDir must be a directory that holds authorizer.zip, completions.zip, connection.zip, processor.zip, quota.zip, recovery.zip, requests.zip, got "testdata"`},
	{"all problems at once", args{Quota: &components.QuotaSettings{MonthlyTokens: pulumi.Int(-1)}, Queue: &components.QueueSettings{BatchSize: pulumi.Int(0)}, StageName: "/"},
		"queue.batchSize must be between 1 and 10, got 0\nquota.monthlyTokens must be >= 0, got -1\n" + `stageName must be 1 to 128 letters, digits, '-' and '_', got "/"`},
}

func TestInvalidSettings(t *testing.T) {
	t.Parallel()
	for _, test := range invalid {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			given := test.args
			r, err := tryDeclare(&given)
			if got := problems(err); got != test.want {
				t.Errorf("got problems\n%s\nwant\n%s", got, test.want)
			}
			if len(r.resources) > 0 {
				t.Errorf("%d resources were declared before the settings were found to be wrong", len(r.resources))
			}
		})
	}
}

// problems are the lines of an error after its head.
func problems(err error) string {
	if err == nil {
		return ""
	}
	_, list, _ := strings.Cut(err.Error(), "is not valid:\n")
	return list
}

// TestInvalidOutputs: values that are known only while the program runs are
// held to the same rules, together, before any resource gets one of them.
func TestInvalidOutputs(t *testing.T) {
	t.Parallel()
	later := func(v any) pulumi.Output { return pulumi.ToOutput(v) }
	given := args{
		Quota:    &components.QuotaSettings{MonthlyRequests: later(-5).(pulumi.IntOutput)},
		Queue:    &components.QueueSettings{BatchSize: later(11).(pulumi.IntOutput)},
		Throttle: &components.ThrottleSettings{BurstLimit: later(0).(pulumi.IntOutput)},
		Auth:     &components.AuthSettings{AllowedOrigins: later([]string{"nowhere"}).(pulumi.StringArrayOutput)},
		Model:    &components.ModelSettings{ModelId: later("a b").(pulumi.StringOutput)},
		Domain: &components.DomainSettings{
			Rest: later("a.example.com").(pulumi.StringOutput), WebSocket: later("a.example.com").(pulumi.StringOutput), CertificateArn: pulumi.String(certificateARN),
		},
	}
	r, err := tryDeclare(&given)
	want := []string{
		`auth.allowedOrigins elements must be origins as browsers send them, such as https://app.example.com, got [nowhere]`,
		`domain.webSocket must differ from domain.rest: one domain name cannot serve both, got "a.example.com"`,
		`model.modelId must be a model id, an inference profile id or an ARN, got "a b"`,
		`queue.batchSize must be between 1 and 10, got 11`,
		`quota.monthlyRequests must be >= 0, got -5`,
		`throttle.burstLimit must be >= 1, got 0`,
	}
	if err == nil || !strings.Contains(err.Error(), strings.Join(want, "\n")) {
		t.Errorf("got error %v, want one with\n%s", err, strings.Join(want, "\n"))
	}
	for _, token := range []string{"aws:lambda/function:Function", "aws:lambda/eventSourceMapping:EventSourceMapping", "aws:apigateway/methodSettings:MethodSettings"} {
		for _, d := range r.ofType(token) {
			if d.Name == "svc-quota" || d.Name == "svc-processor-mapping" || d.Name == "svc-rest-method-settings" {
				t.Errorf("%s was declared with a value that is not valid", d.Name)
			}
		}
	}
}

// TestOutputsReachResources: Outputs give the same resources as plain values.
func TestOutputsReachResources(t *testing.T) {
	t.Parallel()
	given := everything()
	later := func(v any) pulumi.Output { return pulumi.ToOutput(v) }
	given.Throttle.RateLimit = later(11.5).(pulumi.Float64Output)
	given.Throttle.UserBurstLimit = later(16).(pulumi.IntOutput)
	given.Quota.MonthlyRequests = later(21).(pulumi.IntOutput)
	given.Quota.Tiers = map[string]components.TierSettings{
		"pro":  {MonthlyRequests: later(23).(pulumi.IntOutput), MonthlyTokens: pulumi.Int(24), MonthlyBudget: later(0.0).(pulumi.Float64Output), Precedence: later(2).(pulumi.IntOutput)},
		"free": {MonthlyTokens: pulumi.Int(5)},
	}
	given.Quota.MonthlyBudget = later(2.000001).(pulumi.Float64Output)
	given.Quota.ServiceMonthlyBudget = later(250.5).(pulumi.Float64Output)
	given.Model.Prices = map[string]components.PriceSettings{
		"eu.amazon.nova-pro-v1:0": {Input: later(0.8).(pulumi.Float64Output), Output: pulumi.Float64(3.2), CacheRead: later(0.2).(pulumi.Float64Output)},
		"amazon.nova-lite-v1:0":   given.Model.Prices["amazon.nova-lite-v1:0"],
	}
	given.Model.ModelId = later("eu.amazon.nova-pro-v1:0").(pulumi.StringOutput)
	given.Auth.SelfSignUp = later(true).(pulumi.BoolOutput)
	given.Auth.Mfa = later("OPTIONAL").(pulumi.StringOutput)
	given.Auth.AllowedOrigins = later([]string{"https://a.example.com", "http://localhost:3000"}).(pulumi.StringArrayOutput)
	given.Auth.AllowedCidrs = pulumi.StringArray{later("203.0.113.0/24").(pulumi.StringOutput), pulumi.String("2001:db8::/32")}
	given.Functions.Timeout = later(120).(pulumi.IntOutput)
	given.Protection.KmsKeyArn = later(keyARN).(pulumi.StringOutput)
	given.Protection.PointInTimeRecovery = later(false).(pulumi.BoolOutput)
	given.Domain.Rest = later("api.example.com").(pulumi.StringOutput)
	given.Domain.WebSocket = later("stream.example.com").(pulumi.StringOutput)
	given.Tags = later(map[string]string{"team": "chat"}).(pulumi.StringMapOutput)
	r := declare(t, given)
	goldens(t, "inputs-everything", inputs(t, r))
	golden(t, "policies-everything.golden", policies(t, r))
}

// TestAbsentOutputs: an Output that resolves to nothing means the default.
func TestAbsentOutputs(t *testing.T) {
	t.Parallel()
	given := &args{
		Throttle: &components.ThrottleSettings{BurstLimit: pulumi.ToOutput((*int)(nil)).(pulumi.IntPtrOutput)},
		Quota: &components.QuotaSettings{
			TimeZone: pulumi.ToOutput((*string)(nil)).(pulumi.StringPtrOutput),
			Tiers: map[string]components.TierSettings{
				"b": {MonthlyTokens: pulumi.ToOutput((*int)(nil)).(pulumi.IntPtrOutput), Precedence: pulumi.Int(7)},
				"a": {MonthlyTokens: pulumi.Int(0), Precedence: pulumi.ToOutput((*int)(nil)).(pulumi.IntPtrOutput)},
				"c": {Precedence: pulumi.ToOutput(new(3)).(pulumi.IntPtrOutput)},
			},
		},
	}
	r := declare(t, given)
	if got := r.find(t, "rest-method-settings").property("settings", "throttlingBurstLimit"); got != 200.0 {
		t.Errorf("burst limit is %v, want the default 200", got)
	}
	if got := r.find(t, "quota").property("environment", "variables", "TIME_ZONE"); got != "UTC" {
		t.Errorf("time zone is %v, want the default UTC", got)
	}
	const tiers = `{"default":{"monthlyRequests":1000,"monthlyTokens":1000000},"groups":{"a":{"monthlyRequests":1000,"monthlyTokens":0},` +
		`"b":{"monthlyRequests":1000,"monthlyTokens":1000000},"c":{"monthlyRequests":1000,"monthlyTokens":1000000}},"order":["c","b"]}`
	if got := r.find(t, "quota").property("environment", "variables", "QUOTA_TIERS"); got != tiers {
		t.Errorf("tiers are %v, want %s: what is absent is no unlimited tier", got, tiers)
	}
}

// TestAbsentReference: where the presence of a setting decides which resources
// exist, an Output must have a value.
func TestAbsentReference(t *testing.T) {
	t.Parallel()
	nothing := pulumi.ToOutput((*string)(nil)).(pulumi.StringPtrOutput)
	_, err := tryDeclare(&args{Auth: &components.AuthSettings{UserPoolId: nothing, UserPoolClientId: nothing}, Protection: &components.ProtectionSettings{KmsKeyArn: nothing},
		Domain: &components.DomainSettings{Rest: nothing, CertificateArn: pulumi.String(certificateARN)}})
	for _, want := range []string{`auth.userPoolId must be the id of a user pool`, `auth.userPoolClientId must be the id`, `protection.kmsKeyArn must be an ARN`, `domain.rest must be a domain name`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got error %v, want one with %s", err, want)
		}
	}
}

func TestLongName(t *testing.T) {
	t.Parallel()
	var err error
	if _, failed := run(func(ctx *pulumi.Context) error {
		_, err = components.NewStreamingService(ctx, strings.Repeat("n", 31), withFake(nil))
		return err
	}); failed == nil {
		t.Error("the program did not fail")
	}
	want := `name must be at most 30 characters, because the names of roles are made from it, got "` + strings.Repeat("n", 31) + `"`
	if problems(err) != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestLargeEnvironment(t *testing.T) {
	t.Parallel()
	origins := make([]string, 90)
	for i := range origins {
		origins[i] = fmt.Sprintf("https://%s%02d.example.com", strings.Repeat("o", 38), i)
	}
	plain := &args{Auth: &components.AuthSettings{AllowedOrigins: pulumi.ToStringArray(origins)}}
	later := &args{Auth: &components.AuthSettings{AllowedOrigins: pulumi.ToStringArray(origins).ToStringArrayOutput()}}
	for name, given := range map[string]*args{"plain": plain, "output": later} {
		_, err := tryDeclare(given)
		if err == nil || !strings.Contains(err.Error(), "must be <= 4096 bytes, got ") || !strings.Contains(err.Error(), "the largest variable is ALLOWED_ORIGINS with 5504 bytes") {
			t.Errorf("%s: got %v, want an error that names the largest variable", name, err)
		}
	}
}

// priced gives the default model a price.
func priced(input float64) *components.ModelSettings {
	return &components.ModelSettings{Prices: map[string]components.PriceSettings{
		components.DefaultModelID: {Input: pulumi.Float64(input), Output: pulumi.Float64(2.75)},
	}}
}
