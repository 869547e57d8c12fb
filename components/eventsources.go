package components

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lambda"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/sqs"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// sweepEvent tells the recovery function to look for requests that nobody
// works on, where a queue would hand it messages.
const sweepEvent = `{"sweep":true}`

// newEventSources connects the queues and the schedule to their functions.
func (b *build) newEventSources() error {
	err := b.newMapping("processor-mapping", FunctionProcessor, b.queues.main, &lambda.EventSourceMappingArgs{
		BatchSize:     b.args.Queue.BatchSize,
		ScalingConfig: &lambda.EventSourceMappingScalingConfigArgs{MaximumConcurrency: b.args.Queue.MaximumConcurrency},
	})
	if err != nil {
		return err
	}
	err = b.newMapping("recovery-mapping", FunctionRecovery, b.queues.deadLetter, &lambda.EventSourceMappingArgs{
		BatchSize:     pulumi.Int(10),
		ScalingConfig: &lambda.EventSourceMappingScalingConfigArgs{MaximumConcurrency: pulumi.Int(2)}, // the fewest that AWS offers
	})
	if err != nil {
		return err
	}
	return b.newSweep()
}

// newMapping makes a function read a queue. Each message of a batch succeeds
// or fails alone.
func (b *build) newMapping(role, name string, queue *sqs.Queue, args *lambda.EventSourceMappingArgs) error {
	function := b.functions[name]
	args.EventSourceArn = queue.Arn
	args.FunctionName = function.Arn
	args.FunctionResponseTypes = pulumi.ToStringArray([]string{"ReportBatchItemFailures"})
	args.Tags = b.args.Tags
	_, err := lambda.NewEventSourceMapping(b.ctx, b.child(role), args, b.options(pulumi.DependsOn([]pulumi.Resource{function.policy}))...)
	if err != nil {
		return fmt.Errorf("creating %s: %w", role, err)
	}
	return nil
}

// newSweep runs the recovery function at an interval, unless that is 0.
func (b *build) newSweep() error {
	minutes := *b.args.Queue.SweepIntervalMinutes
	if minutes == 0 {
		return nil
	}
	rule, err := cloudwatch.NewEventRule(b.ctx, b.child("sweep"), &cloudwatch.EventRuleArgs{
		Description:        pulumi.String("Looks for requests of " + b.name + " that nobody works on"),
		ScheduleExpression: pulumi.String(rate(minutes)),
		Tags:               b.args.Tags,
	}, b.options()...)
	if err != nil {
		return fmt.Errorf("creating sweep: %w", err)
	}
	permission, err := b.newPermission("sweep-permission", FunctionRecovery, "events.amazonaws.com", rule.Arn)
	if err != nil {
		return err
	}
	once, err := b.newSweepOnce(minutes)
	if err != nil {
		return err
	}
	_, err = cloudwatch.NewEventTarget(b.ctx, b.child("sweep-target"), &cloudwatch.EventTargetArgs{
		Rule:  rule.Name,
		Arn:   b.functions[FunctionRecovery].Arn,
		Input: pulumi.String(sweepEvent),
	}, b.options(pulumi.DependsOn([]pulumi.Resource{permission, once}))...)
	if err != nil {
		return fmt.Errorf("creating target of the sweep: %w", err)
	}
	return nil
}

// Limits of the age at which Lambda drops an asynchronous event, in seconds.
const (
	leastEventAge   = 60
	longestEventAge = 21_600
)

// newSweepOnce makes Lambda run a sweep once. By default a sweep that fails is
// run again, twice, and one that finds no concurrency is kept for six hours: the
// next sweep does the same work, and two at a time do it twice.
func (b *build) newSweepOnce(minutes int) (pulumi.Resource, error) {
	once, err := lambda.NewFunctionEventInvokeConfig(b.ctx, b.child("sweep-once"), &lambda.FunctionEventInvokeConfigArgs{
		FunctionName:             b.functions[FunctionRecovery].Name,
		MaximumRetryAttempts:     pulumi.Int(0),
		MaximumEventAgeInSeconds: pulumi.Int(min(max(minutes*60, leastEventAge), longestEventAge)),
	}, b.options()...)
	if err != nil {
		return nil, fmt.Errorf("creating configuration of the sweep: %w", err)
	}
	return once, nil
}

func rate(minutes int) string {
	if minutes == 1 {
		return "rate(1 minute)"
	}
	return fmt.Sprintf("rate(%d minutes)", minutes)
}
