package components

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/streaming-service/streaming-service/internal/environment"
)

// environmentBytes is the most that Lambda takes for the variables of a
// function, names and values together.
const environmentBytes = 4096

// MetricsNamespace is the CloudWatch namespace of the functions' metrics.
const MetricsNamespace = environment.DefaultMetricsNamespace

// environmentOf returns the variables of a function, checked for size: at
// once as far as they are known, and again when all are.
func (b *build) environmentOf(function string) (pulumi.StringMapInput, error) {
	variables, err := b.variablesOf(function)
	if err != nil {
		return nil, err
	}
	known := map[string]string{}
	for name, input := range variables {
		if v, ok := plain(input); ok {
			known[name] = textOf(v)
		}
	}
	if err := checkEnvironment(function, known); err != nil {
		return nil, err
	}
	return variables.ToStringMapOutput().ApplyT(func(resolved map[string]string) (map[string]string, error) {
		return resolved, checkEnvironment(function, resolved)
	}).(pulumi.StringMapOutput), nil
}

// variablesOf returns the variables of a function, without those whose setting
// has no value.
func (b *build) variablesOf(function string) (pulumi.StringMap, error) {
	all, variables := b.variables(), pulumi.StringMap{}
	for _, name := range environment.Of(function) {
		value, known := all[name]
		if !known {
			return nil, fmt.Errorf("variable %s of function %s has no setting", name, function)
		}
		if value != pulumi.String("") {
			variables[name] = value
		}
	}
	return variables, nil
}

// variables are the values of all variables.
func (b *build) variables() pulumi.StringMap {
	throttle, model := b.args.Throttle, b.args.Model
	allowed := text(model.AllowedModelIds)
	if model.AllowedModelIds == nil {
		allowed = text(model.ModelId)
	}
	return pulumi.StringMap{
		environment.QuotaTable:           b.tables.quota.Name,
		environment.ConnectionsTable:     b.tables.connections.Name,
		environment.RequestsTable:        b.tables.requests.Name,
		environment.QueueURL:             b.queues.main.Url,
		environment.DeadLetterQueueURL:   b.queues.deadLetter.Url,
		environment.WebSocketAPIEndpoint: b.webSocket.endpoint,
		environment.UploadsURL:           b.uploads.url,
		environment.UserPoolID:           b.auth.poolID,
		environment.UserPoolClientID:     b.auth.clientID,

		environment.AllowedOrigins: text(b.args.Auth.AllowedOrigins),
		environment.AllowedCIDRs:   text(b.args.Auth.AllowedCidrs),
		environment.PersonalKeys:   pulumi.String(strconv.FormatBool(b.hasKeys())),

		environment.QuotaTiers:           b.tiers(),
		environment.ServiceMonthlyBudget: text(b.args.Quota.ServiceMonthlyBudget),
		environment.TimeZone:             text(b.args.Quota.TimeZone),
		environment.UserRateLimit:        text(throttle.UserRateLimit),
		environment.UserBurstLimit:       text(throttle.UserBurstLimit),
		environment.UserConcurrency:      text(throttle.UserConcurrency),
		environment.UserConnections:      text(throttle.UserConnections),

		environment.ModelID:          text(model.ModelId),
		environment.AllowedModelIDs:  allowed,
		environment.ModelPrices:      b.prices(),
		environment.MaxTokens:        text(model.MaxTokens),
		environment.Temperature:      text(model.Temperature),
		environment.TopP:             text(model.TopP),
		environment.SystemPrompt:     text(model.System),
		environment.AllowSystem:      text(model.AllowSystem),
		environment.GuardrailID:      text(model.GuardrailId),
		environment.GuardrailVersion: text(model.GuardrailVersion),

		environment.FlushIntervalMs:            text(b.args.Streaming.FlushIntervalMs),
		environment.ReplayTTLHours:             text(b.args.Streaming.ReplayTtlHours),
		environment.OnDisconnect:               text(b.args.Streaming.OnDisconnect),
		environment.MaxAgeSeconds:              text(b.args.Queue.MaxAgeSeconds),
		environment.DeadLetterRetentionSeconds: pulumi.String(textOf(DeadLetterRetentionSeconds)),

		environment.LogLevel:         text(b.args.Functions.LogLevel),
		environment.MetricsNamespace: pulumi.String(MetricsNamespace),
		environment.ServiceName:      pulumi.String(b.serviceName()),
	}
}

// checkEnvironment fails if Lambda would refuse the variables for their size.
func checkEnvironment(function string, variables map[string]string) error {
	size := func(name string) int { return len(name) + len(variables[name]) }
	names := slices.SortedFunc(maps.Keys(variables), func(a, b string) int {
		if d := size(b) - size(a); d != 0 {
			return d
		}
		return strings.Compare(a, b)
	})
	total := 0
	for _, name := range names {
		total += size(name)
	}
	if total <= environmentBytes {
		return nil
	}
	return fmt.Errorf("environment of function %s must be <= %d bytes, got %d; the largest variable is %s with %d bytes",
		function, environmentBytes, total, names[0], size(names[0]))
}
