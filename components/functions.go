package components

import (
	"context"
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lambda"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"golang.org/x/sync/errgroup"
)

// Sizes of the functions that are not configured: memory in MB, time in
// seconds. API Gateway gives up on a function after 29 s, so those behind it
// must have answered long before.
const (
	apiMemory       = 256
	apiTimeout      = 10
	recoveryTimeout = 60
)

// concurrentBuilds bounds the builds that run at once.
const concurrentBuilds = 3

// functions are the Lambda functions by name.
type functions map[string]*function

// function is a Lambda function, its role, and the policy that it needs to be in
// place before anything calls it.
type function struct {
	*lambda.Function
	role   *iam.Role
	policy *iam.RolePolicy
}

func (b *build) newFunctions() error {
	archives, err := b.buildFunctions()
	if err != nil {
		return err
	}
	b.functions = functions{}
	for _, name := range Functions() {
		if b.functions[name], err = b.newFunction(name, archives[name]); err != nil {
			return err
		}
	}
	return nil
}

// buildFunctions provides the zips of all functions, a few at a time.
func (b *build) buildFunctions() (map[string]string, error) {
	builder, names := builderOf(b.args), Functions()
	paths := make([]string, len(names))
	group, ctx := errgroup.WithContext(b.context())
	group.SetLimit(concurrentBuilds)
	for i, name := range names {
		group.Go(func() (err error) {
			paths[i], err = builder.Build(ctx, name, b.args.Functions.Architecture)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	archives := map[string]string{}
	for i, name := range names {
		archives[name] = paths[i]
	}
	return archives, nil
}

func (b *build) context() context.Context { return b.ctx.Context() }

// newFunction creates a function after its log group, its role and the role's
// policy.
func (b *build) newFunction(name, archive string) (*function, error) {
	logs, err := b.newLogGroup(name + "-logs")
	if err != nil {
		return nil, err
	}
	role, policy, err := b.newRole(name, append([]grant{logGrant(logs.Arn)}, b.grantsOf(name)...))
	if err != nil {
		return nil, err
	}
	variables, err := b.environmentOf(name)
	if err != nil {
		return nil, err
	}
	args := &lambda.FunctionArgs{
		Description:   pulumi.String(descriptions[name]),
		Runtime:       pulumi.String("provided.al2023"),
		Handler:       pulumi.String("bootstrap"),
		Architectures: pulumi.ToStringArray([]string{b.args.Functions.Architecture}),
		Code:          pulumi.NewFileArchive(archive),
		Role:          role.Arn,
		MemorySize:    pulumi.Int(apiMemory),
		Timeout:       pulumi.Int(timeouts[name]),
		Environment:   &lambda.FunctionEnvironmentArgs{Variables: variables},
		// The functions filter their own logs. Lambda must let all through: by
		// default it drops what is below INFO, and above that it would drop
		// metric lines, which it counts as INFO.
		LoggingConfig: &lambda.FunctionLoggingConfigArgs{LogFormat: pulumi.String("JSON"), ApplicationLogLevel: pulumi.String("DEBUG"), LogGroup: logs.Name},
		TracingConfig: &lambda.FunctionTracingConfigArgs{Mode: pulumi.String(b.tracingMode())},
		Tags:          b.args.Tags,
	}
	if runsModel(name) {
		args.MemorySize = b.args.Functions.MemorySize
		args.Timeout = b.args.Functions.Timeout
	}
	if name == FunctionProcessor {
		args.ReservedConcurrentExecutions = b.args.Functions.ReservedConcurrentExecutions
	}
	created, err := lambda.NewFunction(b.ctx, b.child(name), args, b.options(pulumi.DependsOn([]pulumi.Resource{policy}))...)
	if err != nil {
		return nil, fmt.Errorf("creating function %s: %w", name, err)
	}
	return &function{created, role, policy}, nil
}

// runsModel reports whether a function waits for the model's answers.
func runsModel(function string) bool {
	return function == FunctionProcessor || function == FunctionCompletions
}

var descriptions = map[string]string{
	FunctionAuthorizer:  "Verifies the token or key of who connects or calls",
	FunctionCompletions: "Streams the answers of the model to the clients of OpenAI's API",
	FunctionConnection:  "Keeps the sockets and answers what clients send over them",
	FunctionQuota:       "Admits requests within the quota of their user",
	FunctionRequests:    "Reads and cancels requests",
	FunctionProcessor:   "Streams the answers of the model to the sockets of the user",
	FunctionRecovery:    "Ends, refunds and tells of requests that nobody works on",
}

var timeouts = map[string]int{
	FunctionAuthorizer: apiTimeout,
	FunctionConnection: 29, // a replay may take 20 s
	FunctionQuota:      apiTimeout,
	FunctionRequests:   apiTimeout,
	FunctionRecovery:   recoveryTimeout,
}

func (b *build) tracingMode() string {
	if *b.args.Observability.Tracing {
		return "Active"
	}
	return "PassThrough"
}

func (b *build) newLogGroup(role string) (*cloudwatch.LogGroup, error) {
	args := &cloudwatch.LogGroupArgs{RetentionInDays: b.args.Functions.LogRetentionInDays, Tags: b.args.Tags}
	if *b.args.Protection.EncryptLogs {
		args.KmsKeyId = b.args.Protection.KmsKeyArn
	}
	group, err := cloudwatch.NewLogGroup(b.ctx, b.child(role), args, b.options()...)
	if err != nil {
		return nil, fmt.Errorf("creating log group %s: %w", role, err)
	}
	return group, nil
}

func (b *build) newRole(function string, grants []grant) (*iam.Role, *iam.RolePolicy, error) {
	role, err := iam.NewRole(b.ctx, b.child(function+"-role"), &iam.RoleArgs{
		Description:      pulumi.String("Function " + function + " of " + b.name),
		AssumeRolePolicy: trustService("lambda.amazonaws.com"),
		Tags:             b.args.Tags,
	}, b.options()...)
	if err != nil {
		return nil, nil, fmt.Errorf("creating role of function %s: %w", function, err)
	}
	attached, err := iam.NewRolePolicy(b.ctx, b.child(function+"-policy"), &iam.RolePolicyArgs{
		Role:   role.Name,
		Policy: policy(grants...),
	}, b.options()...)
	if err != nil {
		return nil, nil, fmt.Errorf("creating policy of function %s: %w", function, err)
	}
	return role, attached, nil
}

// arns are the ARNs of the functions by name.
func (f functions) arns() pulumi.StringMapOutput {
	arns := pulumi.StringMap{}
	for name, function := range f {
		arns[name] = function.Arn
	}
	return arns.ToStringMapOutput()
}

// roleNames are the names of the functions' roles by the functions' names.
func (f functions) roleNames() pulumi.StringMapOutput {
	names := pulumi.StringMap{}
	for name, function := range f {
		names[name] = function.role.Name
	}
	return names.ToStringMapOutput()
}

// newPermission lets an AWS service call a function on behalf of exactly one
// source.
func (b *build) newPermission(role, function, principal string, source pulumi.StringInput) (*lambda.Permission, error) {
	permission, err := lambda.NewPermission(b.ctx, b.child(role), &lambda.PermissionArgs{
		Action:    pulumi.String("lambda:InvokeFunction"),
		Function:  b.functions[function].Name,
		Principal: pulumi.String(principal),
		SourceArn: source,
	}, b.options()...)
	if err != nil {
		return nil, fmt.Errorf("creating permission %s: %w", role, err)
	}
	return permission, nil
}
