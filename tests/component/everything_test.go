package component_test

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/streaming-service/streaming-service/components"
)

const (
	keyARN             = "arn:aws:kms:eu-west-1:123456789012:key/k"
	aclARN             = "arn:aws:wafv2:eu-west-1:123456789012:regional/webacl/a/1"
	topicARN           = "arn:aws:sns:eu-west-1:123456789012:alarms"
	certificateARN     = "arn:aws:acm:eu-west-1:123456789012:certificate/c"
	siteCertificateARN = "arn:aws:acm:us-east-1:123456789012:certificate/s"
	identityARN        = "arn:aws:ses:eu-west-1:123456789012:identity/example.com"
)

// everything returns settings that turn every feature on and give every
// setting a value other than its default.
func everything() *components.StreamingServiceArgs {
	return &components.StreamingServiceArgs{
		Throttle: &components.ThrottleSettings{
			RateLimit: pulumi.Float64(11.5), BurstLimit: pulumi.Int(12), WebSocketRateLimit: pulumi.Float64(13), WebSocketBurstLimit: pulumi.Int(14),
			UserRateLimit: pulumi.Float64(0.25), UserBurstLimit: pulumi.Int(16), UserConcurrency: pulumi.Int(17), UserConnections: pulumi.Int(18),
		},
		Quota: &components.QuotaSettings{
			MonthlyRequests: pulumi.Int(21), MonthlyTokens: pulumi.Int(22), MonthlyBudget: pulumi.Float64(2.000001), ServiceMonthlyBudget: pulumi.Float64(250.5), TimeZone: pulumi.String("Europe/Berlin"),
			Tiers: map[string]components.TierSettings{
				"pro":  {MonthlyRequests: pulumi.Int(23), MonthlyTokens: pulumi.Int(24), MonthlyBudget: pulumi.Float64(0), Precedence: pulumi.Int(2)},
				"free": {MonthlyTokens: pulumi.Int(5)},
			},
		},
		Model: &components.ModelSettings{
			ModelId: pulumi.String("eu.amazon.nova-pro-v1:0"), AllowedModelIds: pulumi.ToStringArray([]string{"eu.amazon.nova-pro-v1:0", "amazon.nova-lite-v1:0"}),
			Prices: map[string]components.PriceSettings{
				"eu.amazon.nova-pro-v1:0": {Input: pulumi.Float64(0.8), Output: pulumi.Float64(3.2), CacheRead: pulumi.Float64(0.2)},
				"amazon.nova-lite-v1:0":   {Input: pulumi.Float64(0.06), Output: pulumi.Float64(0.24), CacheRead: pulumi.Float64(0.015), CacheWrite: pulumi.Float64(0)},
			},
			MaxTokens: pulumi.Int(31), Temperature: pulumi.Float64(0.5), TopP: pulumi.Float64(0.75), System: pulumi.String("Be brief."), AllowSystem: pulumi.Bool(false),
			GuardrailId: pulumi.String("gr4rd"), GuardrailVersion: pulumi.String("7"),
		},
		Auth: &components.AuthSettings{
			SelfSignUp: pulumi.Bool(true), Mfa: pulumi.String("OPTIONAL"), PasswordMinimumLength: pulumi.Int(20), IdTokenValidityMinutes: pulumi.Int(41),
			AccessTokenValidityMinutes: pulumi.Int(42), RefreshTokenValidityDays: pulumi.Int(43), UserPoolTier: pulumi.String("PLUS"), PersonalKeys: new(true),
			SesSourceArn: pulumi.String(identityARN), FromEmailAddress: pulumi.String("Chat <chat@example.com>"),
			AllowedOrigins: pulumi.ToStringArray([]string{"https://a.example.com", "http://localhost:3000"}), AllowedCidrs: pulumi.ToStringArray([]string{"203.0.113.0/24", "2001:db8::/32"}),
		},
		Queue: &components.QueueSettings{
			MaxReceiveCount: pulumi.Int(51), BatchSize: pulumi.Int(5), MaximumConcurrency: pulumi.Int(53),
			MessageRetentionSeconds: pulumi.Int(5400), MaxAgeSeconds: pulumi.Int(600), SweepIntervalMinutes: new(1),
		},
		Functions: &components.FunctionsSettings{
			MemorySize: pulumi.Int(1024), Timeout: pulumi.Int(120), ReservedConcurrentExecutions: pulumi.Int(60),
			LogLevel: pulumi.String("debug"), LogRetentionInDays: pulumi.Int(90), Architecture: "x86_64",
		},
		Streaming: &components.StreamingSettings{FlushIntervalMs: pulumi.Int(71), ReplayTtlHours: pulumi.Int(72), OnDisconnect: pulumi.String("cancel")},
		Protection: &components.ProtectionSettings{
			DeletionProtection: new(false), PointInTimeRecovery: pulumi.Bool(false), KmsKeyArn: pulumi.String(keyARN), EncryptLogs: new(true), WebAclArn: pulumi.String(aclARN),
		},
		Domain: &components.DomainSettings{
			Rest: pulumi.String("api.example.com"), WebSocket: pulumi.String("stream.example.com"), CertificateArn: pulumi.String(certificateARN), HostedZoneId: pulumi.String("Z123"),
		},
		Site: &components.SiteSettings{Enabled: new(true), Domain: pulumi.String("chat.example.com"), CertificateArn: pulumi.String(siteCertificateARN)},
		Observability: &components.ObservabilitySettings{
			AlarmTopicArn: pulumi.String(topicARN), Dashboard: new(false), Tracing: new(true), AccessLogs: new(true), ApiGatewayLogRole: "manage",
		},
		StageName: "v2",
		Tags:      pulumi.StringMap{"team": pulumi.String("chat")},
	}
}
