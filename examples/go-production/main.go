// A StreamingService as a company would run it: its own users, names, key,
// firewall and alarms, a model pinned to a geography, and tiers.
package main

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/config"

	"github.com/streaming-service/streaming-service/components"
)

func main() { pulumi.Run(production) }

func production(ctx *pulumi.Context) error {
	settings := config.New(ctx, "")
	required := func(key string) pulumi.StringPtrInput { return pulumi.String(settings.Require(key)) }

	chat, err := components.NewStreamingService(ctx, "chat", &components.StreamingServiceArgs{
		Quota: &components.QuotaSettings{
			MonthlyRequests: pulumi.Int(100),
			MonthlyTokens:   pulumi.Int(200_000),
			Tiers: map[string]components.TierSettings{
				"pro": {MonthlyRequests: pulumi.Int(5_000), MonthlyTokens: pulumi.Int(10_000_000)},
			},
			TimeZone: pulumi.String("Europe/Berlin"),
		},
		Throttle: &components.ThrottleSettings{RateLimit: pulumi.Float64(300), BurstLimit: pulumi.Int(600)},
		Model:    &components.ModelSettings{ModelId: pulumi.String("eu.anthropic.claude-sonnet-4-6"), MaxTokens: pulumi.Int(8_000)},
		Auth: &components.AuthSettings{
			UserPoolId:       required("userPoolId"),
			UserPoolClientId: required("userPoolClientId"),
			AllowedOrigins:   pulumi.ToStringArray([]string{"https://app.example.com"}),
		},
		Queue:      &components.QueueSettings{MaximumConcurrency: pulumi.Int(200)},
		Protection: &components.ProtectionSettings{KmsKeyArn: required("kmsKeyArn"), WebAclArn: required("webAclArn")},
		Domain: &components.DomainSettings{
			Rest:           pulumi.String("api.example.com"),
			WebSocket:      pulumi.String("stream.example.com"),
			CertificateArn: required("certificateArn"),
			HostedZoneId:   required("hostedZoneId"),
		},
		Observability: &components.ObservabilitySettings{AlarmTopicArn: required("alarmTopicArn"), Tracing: new(true)},
		Tags:          pulumi.StringMap{"service": pulumi.String("chat")},
	})
	if err != nil {
		return err
	}
	ctx.Export("restUrl", chat.RestUrl)
	ctx.Export("webSocketUrl", chat.WebSocketUrl)
	ctx.Export("dashboardUrl", chat.DashboardUrl)
	return nil
}
