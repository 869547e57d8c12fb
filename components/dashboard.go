package components

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// newDashboard answers three questions, a row each: is it healthy, what does
// it cost, who is refused.
func (b *build) newDashboard() error {
	b.dashboard = pulumi.String("").ToStringOutput()
	if !*b.args.Observability.Dashboard {
		return nil
	}
	dashboard, err := cloudwatch.NewDashboard(b.ctx, b.child("dashboard"), &cloudwatch.DashboardArgs{
		DashboardName: pulumi.String(b.dashboardName()),
		DashboardBody: pulumi.JSONMarshal(pulumi.Map{"widgets": b.widgets()}),
	}, b.options()...)
	if err != nil {
		return fmt.Errorf("creating dashboard: %w", err)
	}
	b.dashboard = pulumi.All(b.place.partition, b.place.region, dashboard.DashboardName).ApplyT(func(v []any) string {
		return fmt.Sprintf("https://%s.%s/cloudwatch/home?region=%s#dashboards/dashboard/%s", v[1], consoleOf(v[0].(string)), v[1], v[2])
	}).(pulumi.StringOutput)
	return nil
}

func consoleOf(partition string) string {
	switch partition {
	case "aws-cn":
		return "console.amazonaws.cn"
	case "aws-us-gov":
		return "console.amazonaws-us-gov.com"
	default:
		return "console.aws.amazon.com"
	}
}

// Dashboards are 24 columns wide; a row holds three graphs.
const (
	widgetWidth  = 8
	widgetHeight = 6
)

// graph is a widget that draws metrics.
type graph struct {
	title   string
	stat    string
	metrics pulumi.Array
}

func (b *build) widgets() pulumi.Array {
	widgets := pulumi.Array{}
	for row, graphs := range [][]graph{b.healthGraphs(), b.costGraphs(), b.refusalGraphs(), b.spendingGraphs()} {
		for column, g := range graphs {
			widgets = append(widgets, pulumi.Map{
				"type": pulumi.String("metric"),
				"x":    pulumi.Int(column * widgetWidth), "y": pulumi.Int(row * widgetHeight),
				"width": pulumi.Int(widgetWidth), "height": pulumi.Int(widgetHeight),
				"properties": pulumi.Map{
					"title": pulumi.String(g.title), "region": b.place.region, "view": pulumi.String("timeSeries"),
					"stat": pulumi.String(g.stat), "period": pulumi.Int(300), "metrics": g.metrics,
				},
			})
		}
	}
	return widgets
}

func (b *build) healthGraphs() []graph {
	failures, queue := pulumi.Array{}, func(queue pulumi.StringInput, metric string) pulumi.Array {
		return series("AWS/SQS", metric, pulumi.String("QueueName"), queue)
	}
	for _, name := range Functions() {
		failures = append(failures, series("AWS/Lambda", "Errors", pulumi.String("FunctionName"), b.functions[name].Name))
	}
	return []graph{
		{"Time to the first words and of a whole answer (p50)", "p50", pulumi.Array{b.own("TimeToFirstDelta"), b.own("StreamDuration")}},
		{"Errors of the functions", "Sum", failures},
		{"Age of the oldest request, dead letters", "Maximum", pulumi.Array{
			queue(b.queues.main.Name, "ApproximateAgeOfOldestMessage"), queue(b.queues.deadLetter.Name, "ApproximateNumberOfMessagesVisible"),
		}},
	}
}

func (b *build) costGraphs() []graph {
	units, duration := pulumi.Array{}, pulumi.Array{}
	for _, table := range []pulumi.StringInput{b.tables.quota.Name, b.tables.requests.Name, b.tables.connections.Name} {
		units = append(units, series("AWS/DynamoDB", "ConsumedWriteCapacityUnits", pulumi.String("TableName"), table))
	}
	for _, name := range Functions() {
		duration = append(duration, series("AWS/Lambda", "Duration", pulumi.String("FunctionName"), b.functions[name].Name))
	}
	return []graph{
		{"Tokens of the model and frames to sockets", "Sum", pulumi.Array{b.own("InputTokens"), b.own("OutputTokens"), b.own("Frames")}},
		{"Milliseconds of the functions", "Sum", duration},
		{"Write units of the tables", "Sum", units},
	}
}

func (b *build) refusalGraphs() []graph {
	return []graph{
		{"Admitted and refused", "Sum", pulumi.Array{b.own("Admitted"), b.own("Replayed"), b.own("Refused")}},
		{"Refused by reason", "Sum", pulumi.Array{b.by("Reason", "Refused")}},
		{"Ended by outcome", "Sum", pulumi.Array{b.by("Reason", "Ended"), b.own("Refunded"), b.own("ModelThrottles")}},
	}
}

// spendingGraphs show money, if models have prices.
func (b *build) spendingGraphs() []graph {
	if len(b.args.Model.Prices) == 0 {
		return nil
	}
	graphs := []graph{
		{"Dollars by model", "Sum", pulumi.Array{b.by("Model", "Cost")}},
		{"Dollars by kind of token", "Sum", pulumi.Array{b.own("InputCost"), b.own("OutputCost"), b.own("CacheReadCost"), b.own("CacheWriteCost")}},
	}
	if b.args.Quota.ServiceMonthlyBudget != nil {
		graphs = append(graphs, graph{"Percent of the service's budget", "Maximum", pulumi.Array{b.own("ServiceBudgetUsed")}})
	}
	return graphs
}

// own is a metric that the functions of this service write.
func (b *build) own(metric string) pulumi.Array {
	return series(MetricsNamespace, metric, pulumi.String("Service"), pulumi.String(b.serviceName()))
}

// by is such a metric, a line for each value of a dimension.
func (b *build) by(dimension, metric string) pulumi.Array {
	search := fmt.Sprintf(`SEARCH('{%s,Service,%s} MetricName="%s" Service="%s"', 'Sum', 300)`, MetricsNamespace, dimension, metric, b.serviceName())
	return pulumi.Array{pulumi.Map{"expression": pulumi.String(search)}}
}

func series(namespace, metric string, dimension, of pulumi.StringInput) pulumi.Array {
	return pulumi.Array{pulumi.String(namespace), pulumi.String(metric), dimension, of}
}
