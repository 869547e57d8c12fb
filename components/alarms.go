package components

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// alarm is a CloudWatch alarm on one metric, or on the sum of two. It is raised
// when the statistic reaches the threshold in as many periods in a row.
type alarm struct {
	role       string
	namespace  string
	metric     string
	added      string // the other metric of a sum; "": none
	dimensions pulumi.StringMap
	statistic  string
	period     int // seconds
	periods    int
	threshold  pulumi.Float64PtrInput
	runbook    string // what it means, where to look, what to do
}

// newAlarms makes the alarms if there is a topic to notify.
func (b *build) newAlarms() error {
	topic := b.args.Observability.AlarmTopicArn
	if topic == nil {
		return nil
	}
	actions := pulumi.Array{required(topic)}
	for _, a := range b.alarms() {
		args := &cloudwatch.MetricAlarmArgs{
			AlarmDescription:   pulumi.String(a.runbook),
			EvaluationPeriods:  pulumi.Int(a.periods),
			Threshold:          a.threshold,
			ComparisonOperator: pulumi.String("GreaterThanOrEqualToThreshold"),
			TreatMissingData:   pulumi.String("notBreaching"),
			AlarmActions:       actions,
			OkActions:          actions,
			Tags:               b.args.Tags,
		}
		a.watch(args)
		if _, err := cloudwatch.NewMetricAlarm(b.ctx, b.child(a.role+"-alarm"), args, b.options()...); err != nil {
			return fmt.Errorf("creating alarm %s: %w", a.role, err)
		}
	}
	return nil
}

// watch says what the alarm looks at. CloudWatch takes either one metric or
// queries.
func (a alarm) watch(args *cloudwatch.MetricAlarmArgs) {
	if a.added == "" {
		args.Namespace, args.MetricName, args.Dimensions = pulumi.String(a.namespace), pulumi.String(a.metric), a.dimensions
		args.Statistic, args.Period = pulumi.String(a.statistic), pulumi.Int(a.period)
		return
	}
	args.MetricQueries = cloudwatch.MetricAlarmMetricQueryArray{
		&cloudwatch.MetricAlarmMetricQueryArgs{
			Id: pulumi.String("sum"), Expression: pulumi.String("m1 + m2"), Label: pulumi.String(a.role), ReturnData: pulumi.Bool(true),
		},
		a.query("m1", a.metric),
		a.query("m2", a.added),
	}
}

func (a alarm) query(id, metric string) *cloudwatch.MetricAlarmMetricQueryArgs {
	return &cloudwatch.MetricAlarmMetricQueryArgs{
		Id: pulumi.String(id),
		Metric: &cloudwatch.MetricAlarmMetricQueryMetricArgs{
			Namespace: pulumi.String(a.namespace), MetricName: pulumi.String(metric), Dimensions: a.dimensions,
			Stat: pulumi.String(a.statistic), Period: pulumi.Int(a.period),
		},
	}
}

// alarms are all of them.
func (b *build) alarms() []alarm {
	return append(append(b.queueAlarms(), b.functionAlarms()...), append(b.apiAlarms(), b.serviceAlarms()...)...)
}

// queueAlarms watch the way of the work. The dead-letter queue only carries
// messages to the recovery function; what counts is what stays in it. A message
// that cannot be handled is in flight nearly all the time, since the function
// takes it as soon as it is visible, so both states count. The age of a message
// includes its time in flight.
func (b *build) queueAlarms() []alarm {
	return []alarm{
		{
			role: "dead-letters", namespace: "AWS/SQS", metric: "ApproximateNumberOfMessagesVisible", added: "ApproximateNumberOfMessagesNotVisible",
			dimensions: pulumi.StringMap{"QueueName": b.queues.deadLetter.Name},
			statistic:  "Maximum", period: 60, periods: 15, threshold: pulumi.Float64(1),
			runbook: "Messages stay in the dead-letter queue: the recovery function cannot handle them, so their users are neither told nor refunded. " +
				"Look at the errors in the recovery function's log. Fix the cause; the messages are handled when they become visible again, and the sweep ends the requests meanwhile.",
		},
		{
			role: "queue-age", namespace: "AWS/SQS", metric: "ApproximateAgeOfOldestMessage",
			dimensions: pulumi.StringMap{"QueueName": b.queues.main.Name},
			statistic:  "Maximum", period: 60, periods: 5, threshold: plus(b.args.Functions.Timeout, 60),
			runbook: "The oldest request is older than an invocation of the processor can take: work arrives faster than it is done, or attempts fail again and again. " +
				"Compare the processor's concurrency with queue.maximumConcurrency and the account's limit, and look for model throttles and errors in its log.",
		},
	}
}

// functionAlarms watch the functions. The authorizer is left out: it refuses
// by failing, so that anybody with a bad token could raise its alarm. Its real
// failures are among the metric InternalErrors.
func (b *build) functionAlarms() []alarm {
	var alarms []alarm
	for _, name := range Functions() {
		if name == FunctionAuthorizer {
			continue
		}
		dimensions := pulumi.StringMap{"FunctionName": b.functions[name].Name}
		alarms = append(alarms,
			alarm{
				role: name + "-errors", namespace: "AWS/Lambda", metric: "Errors", dimensions: dimensions,
				statistic: "Sum", period: 300, periods: 1, threshold: pulumi.Float64(5),
				runbook: "Invocations of the " + name + " function fail or time out. Look at its log for the error and at the service health of DynamoDB, SQS and API Gateway. " +
					"Requests are not lost: their messages come back and the sweep finds the rest.",
			},
			alarm{
				role: name + "-throttles", namespace: "AWS/Lambda", metric: "Throttles", dimensions: dimensions,
				statistic: "Sum", period: 300, periods: 1, threshold: pulumi.Float64(5),
				runbook: "Lambda has no concurrency left for the " + name + " function. Raise the account's concurrency limit, lower queue.maximumConcurrency, " +
					"or reserve concurrency for the function.",
			})
	}
	return alarms
}

func (b *build) apiAlarms() []alarm {
	socket := pulumi.StringMap{"ApiId": b.webSocket.api.ID(), "Stage": b.webSocket.stage.Name}
	return []alarm{
		{
			role: "rest-errors", namespace: "AWS/ApiGateway", metric: "5XXError",
			dimensions: pulumi.StringMap{"ApiName": b.rest.api.Name, "Stage": b.rest.stage.StageName},
			statistic:  "Sum", period: 300, periods: 1, threshold: pulumi.Float64(5),
			runbook: "The REST API answers with 5xx. Look at the alarms of the quota and requests functions first; without errors there, " +
				"their concurrency or their permissions for API Gateway are the likely cause.",
		},
		{
			role: "websocket-errors", namespace: "AWS/ApiGateway", metric: "IntegrationError", dimensions: socket,
			statistic: "Sum", period: 300, periods: 1, threshold: pulumi.Float64(5),
			runbook: "The connection function answers with errors: clients fail to connect, or their pings, cancels and resumes fail. " +
				"Look at its log. Clients that do not offer the subprotocol streaming.v1 count too.",
		},
		{
			role: "websocket-execution", namespace: "AWS/ApiGateway", metric: "ExecutionError", dimensions: socket,
			statistic: "Sum", period: 300, periods: 1, threshold: pulumi.Float64(5),
			runbook: "The WebSocket API cannot call the authorizer or the connection function, so clients fail to connect. " +
				"Look at the throttles of both functions and at their permissions for API Gateway.",
		},
	}
}

// serviceAlarms watch the metrics that the functions write.
func (b *build) serviceAlarms() []alarm {
	own := func(role, metric string, periods int, threshold float64, runbook string) alarm {
		return alarm{
			role: role, namespace: MetricsNamespace, metric: metric, dimensions: pulumi.StringMap{"Service": pulumi.String(b.serviceName())},
			statistic: "Sum", period: 300, periods: periods, threshold: pulumi.Float64(threshold), runbook: runbook,
		}
	}
	return append(b.budgetAlarms(), []alarm{
		own("internal-errors", "InternalErrors", 1, 5,
			"Calls of the REST API are answered with internal errors, or the authorizer cannot verify tokens. "+
				"Look for the level ERROR in the logs of the quota, requests and authorizer functions; the latter needs the key set of the user pool."),
		own("model-throttles", "ModelThrottles", 2, 10,
			"Bedrock throttles the model. Compare tokens a minute with the quota of the account, lower model.maxTokens (it is reserved at the start of each call), "+
				"use an inference profile that spans Regions, or raise the quota."),
		own("settle-failures", "SettleFailures", 3, 1,
			"Settlements or refunds keep failing, so users stay charged for what ended. Look for throttling of the quota table and for errors in the logs; "+
				"the sweep settles what is open as soon as the table can be written."),
		own("refusals", "Refused", 3, 100,
			"Many admissions are refused. The metric Refused by Reason says why: quota_exceeded and rate_limited are users at their limits or one that loops; "+
				"too_many_in_flight may mean that requests do not end."),
	}...)
}

// budgetAlarms watch the budget of the whole service, if it has one. Admissions
// report its use whenever they have read it.
func (b *build) budgetAlarms() []alarm {
	if b.args.Quota.ServiceMonthlyBudget == nil {
		return nil
	}
	return []alarm{{
		role: "service-budget", namespace: MetricsNamespace, metric: "ServiceBudgetUsed",
		dimensions: pulumi.StringMap{"Service": pulumi.String(b.serviceName())},
		statistic:  "Maximum", period: 300, periods: 1, threshold: pulumi.Float64(80),
		runbook: "All users together have spent 80 % of quota.serviceMonthlyBudget. At 100 % everybody is refused with 503 service_budget_exceeded until the month ends. " +
			"The dashboard shows the spending by model, and the quota command lists users by what they spent: block one that loops, or raise the budget.",
	}}
}

// plus adds to a setting that has a value.
func plus(input pulumi.IntPtrInput, n int) pulumi.Float64PtrInput {
	if v, known := plain(input); known {
		return pulumi.Float64(v.(int) + n)
	}
	return input.ToIntPtrOutput().Elem().ApplyT(func(v int) float64 { return float64(v + n) }).(pulumi.Float64Output)
}
