// Package program declares a queue whose messages a function writes to a table.
package program

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/dynamodb"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lambda"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/sqs"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

const assumedByLambda = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}`

// Declare declares the resources; archive is the zip of the function.
func Declare(ctx *pulumi.Context, archive string) error {
	table, err := dynamodb.NewTable(ctx, "notes", &dynamodb.TableArgs{
		BillingMode: pulumi.String("PAY_PER_REQUEST"),
		HashKey:     pulumi.String("id"),
		Attributes:  dynamodb.TableAttributeArray{&dynamodb.TableAttributeArgs{Name: pulumi.String("id"), Type: pulumi.String("S")}},
	})
	if err != nil {
		return err
	}
	queue, err := sqs.NewQueue(ctx, "inbox", &sqs.QueueArgs{VisibilityTimeoutSeconds: pulumi.Int(60)})
	if err != nil {
		return err
	}
	worker, err := newWorker(ctx, archive, table, queue)
	if err != nil {
		return err
	}
	_, err = lambda.NewEventSourceMapping(ctx, "inbox-to-worker", &lambda.EventSourceMappingArgs{
		EventSourceArn: queue.Arn,
		FunctionName:   worker.Arn,
		BatchSize:      pulumi.Int(10),
	})
	if err != nil {
		return err
	}
	ctx.Export("queueUrl", queue.Url)
	ctx.Export("tableName", table.Name)
	return nil
}

func newWorker(ctx *pulumi.Context, archive string, table *dynamodb.Table, queue *sqs.Queue) (*lambda.Function, error) {
	role, err := iam.NewRole(ctx, "worker-role", &iam.RoleArgs{AssumeRolePolicy: pulumi.String(assumedByLambda)})
	if err != nil {
		return nil, err
	}
	policy, err := iam.NewRolePolicy(ctx, "worker-policy", &iam.RolePolicyArgs{
		Role: role.Name,
		Policy: pulumi.JSONMarshal(pulumi.Map{"Version": pulumi.String("2012-10-17"), "Statement": pulumi.Array{
			allow(queue.Arn, "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"),
			allow(table.Arn, "dynamodb:PutItem"),
		}}),
	})
	if err != nil {
		return nil, err
	}
	return lambda.NewFunction(ctx, "worker", &lambda.FunctionArgs{
		Runtime:       pulumi.String("provided.al2023"),
		Handler:       pulumi.String("bootstrap"),
		Architectures: pulumi.ToStringArray([]string{"arm64"}),
		Code:          pulumi.NewFileArchive(archive),
		Role:          role.Arn,
		MemorySize:    pulumi.Int(128),
		Timeout:       pulumi.Int(10),
		Environment:   &lambda.FunctionEnvironmentArgs{Variables: pulumi.StringMap{"TABLE": table.Name}},
	}, pulumi.DependsOn([]pulumi.Resource{policy}))
}

func allow(resource pulumi.StringOutput, actions ...string) pulumi.Map {
	return pulumi.Map{"Effect": pulumi.String("Allow"), "Action": pulumi.ToStringArray(actions), "Resource": resource}
}
