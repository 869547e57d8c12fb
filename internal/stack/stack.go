// Package stack is the Pulumi program of this repository: the configuration of
// a stack becomes the settings of one StreamingService, and its outputs become
// those of the stack. Pulumi runs it, and so does the local cloud.
package stack

import (
	"encoding/json"
	"os"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/streaming-service/streaming-service/components"
)

// ServiceName is the name of the one service of a stack.
const ServiceName = "streaming"

// Option changes how the program runs.
type Option func(*options)

type options struct {
	builder components.FunctionBuilder
	config  map[string]string
}

// WithFunctionBuilder makes the functions come from b. Default: they are
// built for Lambda from this module's source.
func WithFunctionBuilder(b components.FunctionBuilder) Option {
	return func(o *options) { o.builder = b }
}

// WithConfig tells which keys the stack's configuration has, by their full
// names (project:key), so that unknown ones can be refused. Default: what the
// Pulumi CLI hands to the program's process.
func WithConfig(config map[string]string) Option {
	return func(o *options) { o.config = config }
}

// Program returns the program for pulumi.Run.
func Program(opts ...Option) pulumi.RunFunc {
	return func(ctx *pulumi.Context) error { return Run(ctx, opts...) }
}

// Run declares the service and exports its outputs. Configuration that is
// unknown or not valid is an error that names every problem.
func Run(ctx *pulumi.Context, opts ...Option) error {
	var o options
	for _, option := range opts {
		option(&o)
	}
	if o.config == nil {
		o.config = configOfProcess()
	}
	args, err := argsOf(ctx, o.config)
	if err != nil {
		return err
	}
	args.FunctionBuilder = o.builder
	svc, err := components.NewStreamingService(ctx, ServiceName, args)
	if err != nil {
		return err
	}
	export(ctx, svc)
	return nil
}

func export(ctx *pulumi.Context, svc *components.StreamingService) {
	ctx.Export("restUrl", svc.RestUrl)
	ctx.Export("openAiUrl", svc.OpenAiUrl)
	ctx.Export("webSocketUrl", svc.WebSocketUrl)
	ctx.Export("region", svc.Region)
	ctx.Export("userPoolId", svc.UserPoolId)
	ctx.Export("userPoolClientId", svc.UserPoolClientId)
	ctx.Export("signIn", svc.SignIn)
	ctx.Export("identityPoolId", svc.IdentityPoolId)
	ctx.Export("queueUrl", svc.QueueUrl)
	ctx.Export("deadLetterQueueUrl", svc.DeadLetterQueueUrl)
	ctx.Export("quotaTableName", svc.QuotaTableName)
	ctx.Export("connectionsTableName", svc.ConnectionsTableName)
	ctx.Export("requestsTableName", svc.RequestsTableName)
	ctx.Export("uploadsBucketName", svc.UploadsBucketName)
	ctx.Export("functionArns", svc.FunctionArns)
	ctx.Export("functionRoleNames", svc.FunctionRoleNames)
	ctx.Export("dashboardUrl", svc.DashboardUrl)
	ctx.Export("restDomainTarget", svc.RestDomainTarget)
	ctx.Export("webSocketDomainTarget", svc.WebSocketDomainTarget)
	ctx.Export("siteUrl", svc.SiteUrl)
	ctx.Export("siteDomainTarget", svc.SiteDomainTarget)
}

// configOfProcess is the configuration that the Pulumi CLI passes in the
// environment; the SDK reads the same variable but does not list its keys.
func configOfProcess() map[string]string {
	var config map[string]string
	if json.Unmarshal([]byte(os.Getenv(pulumi.EnvConfig)), &config) != nil {
		return nil // no CLI
	}
	return config
}
