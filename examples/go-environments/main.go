// One program, a stack for each environment: `pulumi stack init staging` and
// `pulumi stack init production`. Stacks share nothing, not even names.
package main

import (
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/streaming-service/streaming-service/components"
)

func main() { pulumi.Run(environment) }

func environment(ctx *pulumi.Context) error {
	args, err := settingsOf(ctx.Stack())
	if err != nil {
		return err
	}
	args.Tags = pulumi.StringMap{"environment": pulumi.String(ctx.Stack())}
	chat, err := components.NewStreamingService(ctx, "chat", args)
	if err != nil {
		return err
	}
	ctx.Export("restUrl", chat.RestUrl)
	ctx.Export("webSocketUrl", chat.WebSocketUrl)
	return nil
}

func settingsOf(stack string) (*components.StreamingServiceArgs, error) {
	switch stack {
	case "production":
		return &components.StreamingServiceArgs{
			Quota: &components.QuotaSettings{MonthlyRequests: pulumi.Int(2_000)},
			Queue: &components.QueueSettings{MaximumConcurrency: pulumi.Int(100)},
		}, nil
	case "staging":
		return &components.StreamingServiceArgs{
			Auth:       &components.AuthSettings{SelfSignUp: pulumi.Bool(true)},
			Functions:  &components.FunctionsSettings{LogLevel: pulumi.String("debug"), LogRetentionInDays: pulumi.Int(3)},
			Protection: &components.ProtectionSettings{DeletionProtection: new(false), PointInTimeRecovery: pulumi.Bool(false)},
		}, nil
	default:
		return nil, fmt.Errorf("there is no environment %q: name the stack staging or production", stack)
	}
}
