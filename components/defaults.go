package components

import "github.com/pulumi/pulumi/sdk/v3/go/pulumi"

// DefaultModelID is the model of a service that configures none.
const DefaultModelID = "global.amazon.nova-2-lite-v1:0"

// defaults returns the value of every setting that has one. A setting that is
// missing here is off until it is given.
func defaults() *StreamingServiceArgs {
	return &StreamingServiceArgs{
		Throttle: &ThrottleSettings{
			RateLimit:           pulumi.Float64(100),
			BurstLimit:          pulumi.Int(200),
			WebSocketRateLimit:  pulumi.Float64(200),
			WebSocketBurstLimit: pulumi.Int(400),
			UserRateLimit:       pulumi.Float64(1),
			UserBurstLimit:      pulumi.Int(10),
			UserConcurrency:     pulumi.Int(5),
			UserConnections:     pulumi.Int(10),
		},
		Quota: &QuotaSettings{
			MonthlyRequests: pulumi.Int(1000),
			MonthlyTokens:   pulumi.Int(1_000_000),
			TimeZone:        pulumi.String("UTC"),
		},
		Model: &ModelSettings{
			ModelId:     pulumi.String(DefaultModelID),
			MaxTokens:   pulumi.Int(4096),
			AllowSystem: pulumi.Bool(true),
		},
		Auth: &AuthSettings{
			SelfSignUp:                 pulumi.Bool(false),
			Mfa:                        pulumi.String("OFF"),
			PasswordMinimumLength:      pulumi.Int(12),
			IdTokenValidityMinutes:     pulumi.Int(60),
			AccessTokenValidityMinutes: pulumi.Int(60),
			RefreshTokenValidityDays:   pulumi.Int(30),
			UserPoolTier:               pulumi.String("LITE"),
			PersonalKeys:               new(false),
		},
		Queue: &QueueSettings{
			MaxReceiveCount:         pulumi.Int(10),
			BatchSize:               pulumi.Int(10),
			MaximumConcurrency:      pulumi.Int(50),
			MessageRetentionSeconds: pulumi.Int(3600),
			MaxAgeSeconds:           pulumi.Int(900),
			SweepIntervalMinutes:    new(5),
		},
		Functions: &FunctionsSettings{
			MemorySize:         pulumi.Int(256),
			Timeout:            pulumi.Int(300),
			LogLevel:           pulumi.String("info"),
			LogRetentionInDays: pulumi.Int(30),
			Architecture:       "arm64",
		},
		Streaming: &StreamingSettings{
			FlushIntervalMs: pulumi.Int(200),
			ReplayTtlHours:  pulumi.Int(24),
			OnDisconnect:    pulumi.String("continue"),
		},
		Protection: &ProtectionSettings{
			DeletionProtection:  new(true),
			PointInTimeRecovery: pulumi.Bool(true),
			EncryptLogs:         new(false),
		},
		Domain:  &DomainSettings{},
		Site:    &SiteSettings{Enabled: new(false)},
		Uploads: new(true),
		Observability: &ObservabilitySettings{
			Dashboard:         new(true),
			Tracing:           new(false),
			AccessLogs:        new(false),
			ApiGatewayLogRole: "existing",
		},
		StageName: "v1",
	}
}
