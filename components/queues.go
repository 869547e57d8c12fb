package components

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/sqs"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// queues carry admitted requests to the processor and, when they cannot be
// handled, to the recovery function.
type queues struct{ main, deadLetter *sqs.Queue }

// visibilityFactor is the visibility timeout of a queue in timeouts of the
// function that reads it, as AWS advises: throttled polls need the slack.
const visibilityFactor = 6

func (b *build) newQueues() error {
	deadLetter, err := b.newQueue("dead-letter-queue", &sqs.QueueArgs{
		MessageRetentionSeconds:  pulumi.Int(DeadLetterRetentionSeconds),
		VisibilityTimeoutSeconds: pulumi.Int(visibilityFactor * recoveryTimeout),
	})
	if err != nil {
		return err
	}
	main, err := b.newQueue("queue", &sqs.QueueArgs{
		MessageRetentionSeconds:  b.args.Queue.MessageRetentionSeconds,
		VisibilityTimeoutSeconds: times(b.args.Functions.Timeout, visibilityFactor),
		RedrivePolicy: pulumi.JSONMarshal(pulumi.Map{
			"deadLetterTargetArn": deadLetter.Arn,
			"maxReceiveCount":     b.args.Queue.MaxReceiveCount,
		}),
	})
	if err != nil {
		return err
	}
	b.queues = &queues{main: main, deadLetter: deadLetter}
	return nil
}

func (b *build) newQueue(role string, args *sqs.QueueArgs) (*sqs.Queue, error) {
	if key := b.args.Protection.KmsKeyArn; key != nil {
		args.KmsMasterKeyId = key
	} else {
		args.SqsManagedSseEnabled = pulumi.Bool(true)
	}
	args.Tags = b.args.Tags
	queue, err := sqs.NewQueue(b.ctx, b.child(role), args, b.options()...)
	if err != nil {
		return nil, fmt.Errorf("creating %s: %w", role, err)
	}
	return queue, b.requireTLS(role, queue)
}

// requireTLS makes a queue refuse plain HTTP, which SQS also speaks. The policy
// allows nothing: who may use the queue is for the roles of the functions.
func (b *build) requireTLS(role string, queue *sqs.Queue) error {
	_, err := sqs.NewQueuePolicy(b.ctx, b.child(role+"-policy"), &sqs.QueuePolicyArgs{
		QueueUrl: queue.Url,
		Policy:   policy(denyPlainHTTP("sqs", queue.Arn)),
	}, b.options()...)
	if err != nil {
		return fmt.Errorf("creating policy of %s: %w", role, err)
	}
	return nil
}

// times multiplies a setting that has a value.
func times(input pulumi.IntPtrInput, factor int) pulumi.IntPtrInput {
	if v, known := plain(input); known {
		return pulumi.Int(v.(int) * factor)
	}
	return input.ToIntPtrOutput().Elem().ApplyT(func(v int) int { return v * factor }).(pulumi.IntOutput)
}
