package components_test

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/dynamodb"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lambda"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/sqs"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/streaming-service/streaming-service/components"
)

// A transform changes what no setting covers. docs/operations.md shows it.
func ExampleTransform() {
	pulumi.Run(func(ctx *pulumi.Context) error {
		chat, err := components.NewStreamingService(ctx, "chat", &components.StreamingServiceArgs{
			Transform: func(child *components.Child) {
				switch args := child.Args.(type) {
				case *sqs.QueueArgs:
					args.ReceiveWaitTimeSeconds = pulumi.Int(20)
				case *lambda.FunctionArgs:
					if child.Role == "processor" {
						args.EphemeralStorage = &lambda.FunctionEphemeralStorageArgs{Size: pulumi.Int(1024)}
					}
				case *dynamodb.TableArgs:
					child.Options = append(child.Options, pulumi.RetainOnDelete(true))
				}
			},
		})
		if err != nil {
			return err
		}
		ctx.Export("restUrl", chat.RestUrl)
		return nil
	})
}
