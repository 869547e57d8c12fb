// A StreamingService with its defaults.
package main

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/streaming-service/streaming-service/components"
)

func main() {
	pulumi.Run(func(ctx *pulumi.Context) error {
		chat, err := components.NewStreamingService(ctx, "chat", nil)
		if err != nil {
			return err
		}
		ctx.Export("restUrl", chat.RestUrl)
		ctx.Export("webSocketUrl", chat.WebSocketUrl)
		ctx.Export("userPoolId", chat.UserPoolId)
		ctx.Export("userPoolClientId", chat.UserPoolClientId)
		return nil
	})
}
