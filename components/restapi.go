package components

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/apigateway"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// restAPI takes requests and answers for them.
type restAPI struct {
	api        *apigateway.RestApi
	authorizer *apigateway.Authorizer
	stage      *apigateway.Stage
	// deployed is all that a deployment is a snapshot of.
	deployed snapshot
}

// restResource is a path of the API and the methods that have a function of
// their own. Every resource also has ANY, which answers 404 and 405, and
// OPTIONS for browsers; both are of the requests function.
type restResource struct {
	role    string // of the logical name
	part    string // of the path; "" is the root
	parent  string // role
	methods map[string]string
}

// restResources are in the order of their paths: parents first.
var restResources = []restResource{
	{role: "root"},
	{role: "requests", part: "requests", parent: "root", methods: map[string]string{"POST": FunctionQuota}},
	{role: "request", part: "{requestId}", parent: "requests", methods: map[string]string{"GET": FunctionRequests, "DELETE": FunctionRequests}},
	{role: "usage", part: "usage", parent: "root", methods: map[string]string{"GET": FunctionQuota}},
	{role: "other", part: "{proxy+}", parent: "root"},
}

// restCallers are the functions behind the API and the calls that each takes,
// as an execution ARN ends after the stage.
var restCallers = []struct{ role, function, call string }{
	{"submit-permission", FunctionQuota, "POST/requests"},
	{"usage-permission", FunctionQuota, "GET/usage"},
	{"requests-permission", FunctionRequests, "*/*"},
}

// binaryMediaTypes make bodies reach the functions byte by byte. As text, API
// Gateway would put U+FFFD for what is not UTF-8, and it could not be refused.
// Answers are text all the same.
var binaryMediaTypes = pulumi.StringArray{pulumi.String("*/*")}

func (b *build) newRestAPI() error {
	api, err := apigateway.NewRestApi(b.ctx, b.child("rest-api"), &apigateway.RestApiArgs{
		Description: pulumi.String("Takes requests and answers for them"),
		// The default, EDGE, would put a CloudFront distribution in front and
		// fix the time limits.
		EndpointConfiguration: &apigateway.RestApiEndpointConfigurationArgs{Types: pulumi.String("REGIONAL")},
		BinaryMediaTypes:      binaryMediaTypes,
		Tags:                  b.args.Tags,
	}, b.options()...)
	if err != nil {
		return fmt.Errorf("creating API: %w", err)
	}
	b.rest = &restAPI{api: api}
	b.rest.deployed.add(api, binaryMediaTypes...)
	for _, step := range []func() error{
		b.newRestAuthorizer, b.newRestResources, b.newGatewayResponses, b.newRestPermissions, b.newRestStage,
	} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

func (b *build) newRestAuthorizer() error {
	authorizer, err := apigateway.NewAuthorizer(b.ctx, b.child("rest-authorizer"), &apigateway.AuthorizerArgs{
		RestApi:        b.rest.api.ID(),
		Type:           pulumi.String("COGNITO_USER_POOLS"),
		IdentitySource: pulumi.String("method.request.header.Authorization"),
		ProviderArns:   pulumi.StringArray{b.auth.poolARN},
	}, b.options()...)
	if err != nil {
		return fmt.Errorf("creating authorizer: %w", err)
	}
	b.rest.authorizer = authorizer
	b.rest.deployed.add(authorizer, authorizer.ID(), b.auth.poolARN)
	return nil
}

func (b *build) newRestResources() error {
	ids := map[string]pulumi.StringInput{"root": b.rest.api.RootResourceId}
	for _, r := range restResources {
		if r.part != "" {
			resource, err := apigateway.NewResource(b.ctx, b.child(r.role+"-resource"), &apigateway.ResourceArgs{
				RestApi:  b.rest.api.ID(),
				ParentId: ids[r.parent],
				PathPart: pulumi.String(r.part),
			}, b.options()...)
			if err != nil {
				return fmt.Errorf("creating resource %s: %w", r.part, err)
			}
			ids[r.role] = resource.ID().ToStringOutput()
			b.rest.deployed.add(resource, ids[r.role], pulumi.String(r.part))
		}
		if err := b.newRestMethods(r, ids[r.role]); err != nil {
			return err
		}
	}
	return nil
}

func (b *build) newRestMethods(r restResource, id pulumi.StringInput) error {
	for _, method := range []string{"GET", "POST", "DELETE", "ANY", "OPTIONS"} {
		function, own := r.methods[method]
		if !own && method != "ANY" && method != "OPTIONS" {
			continue
		}
		if !own {
			function = FunctionRequests
		}
		if err := b.newRestMethod(r, id, method, function); err != nil {
			return fmt.Errorf("method %s of %s: %w", method, r.role, err)
		}
	}
	return nil
}

// How API Gateway calls a function, whatever the client's method.
const (
	integrationType   = pulumi.String("AWS_PROXY")
	integrationMethod = pulumi.String("POST")
)

// newRestMethod makes a method and its integration. A method without scopes
// takes ID tokens. Bodies are validated in the function, which can name the
// field.
func (b *build) newRestMethod(r restResource, resourceID pulumi.StringInput, httpMethod, functionName string) error {
	role := r.role + "-" + map[string]string{"GET": "get", "POST": "post", "DELETE": "delete", "ANY": "any", "OPTIONS": "options"}[httpMethod]
	args := &apigateway.MethodArgs{
		RestApi:       b.rest.api.ID(),
		ResourceId:    resourceID,
		HttpMethod:    pulumi.String(httpMethod),
		Authorization: pulumi.String("NONE"), // browsers send OPTIONS without a token
	}
	if httpMethod != "OPTIONS" {
		args.Authorization, args.AuthorizerId = pulumi.String("COGNITO_USER_POOLS"), b.rest.authorizer.ID()
	}
	method, err := apigateway.NewMethod(b.ctx, b.child(role+"-method"), args, b.options()...)
	if err != nil {
		return fmt.Errorf("creating method: %w", err)
	}
	integration, err := apigateway.NewIntegration(b.ctx, b.child(role+"-integration"), &apigateway.IntegrationArgs{
		RestApi:               b.rest.api.ID(),
		ResourceId:            resourceID,
		HttpMethod:            method.HttpMethod,
		Type:                  integrationType,
		IntegrationHttpMethod: integrationMethod,
		Uri:                   b.functions[functionName].InvokeArn,
	}, b.options()...)
	if err != nil {
		return fmt.Errorf("creating integration: %w", err)
	}
	b.rest.deployed.add(method, resourceID, method.HttpMethod, method.Authorization)
	b.rest.deployed.add(integration, integrationType, integrationMethod, b.functions[functionName].InvokeArn)
	return nil
}

func (b *build) newRestPermissions() error {
	for _, caller := range restCallers {
		source := pulumi.Sprintf("%s/%s/%s", b.rest.api.ExecutionArn, b.args.StageName, caller.call)
		if _, err := b.newPermission(caller.role, caller.function, "apigateway.amazonaws.com", source); err != nil {
			return err
		}
	}
	return nil
}

// newRestStage deploys the API. A deployment is a snapshot, so it is replaced
// whenever something in it changes; the stage is a resource of its own and
// moves to the new one.
func (b *build) newRestStage() error {
	deployment, err := apigateway.NewDeployment(b.ctx, b.child("rest-deployment"), &apigateway.DeploymentArgs{
		RestApi:  b.rest.api.ID(),
		Triggers: pulumi.StringMap{"snapshot": b.rest.deployed.hash()},
	}, b.options(pulumi.DependsOn(b.rest.deployed.resources))...)
	if err != nil {
		return fmt.Errorf("creating deployment: %w", err)
	}
	args := &apigateway.StageArgs{
		RestApi:            b.rest.api.ID(),
		Deployment:         deployment.ID(),
		StageName:          pulumi.String(b.args.StageName),
		XrayTracingEnabled: pulumi.Bool(*b.args.Observability.Tracing),
		Tags:               b.args.Tags,
	}
	var before []pulumi.Resource
	if b.logs != nil {
		args.AccessLogSettings = &apigateway.StageAccessLogSettingsArgs{
			DestinationArn: b.logs.rest.Arn, Format: pulumi.String(restLogFormat),
		}
		before = b.logs.before
	}
	stage, err := apigateway.NewStage(b.ctx, b.child("rest-stage"), args, b.options(pulumi.DependsOn(before))...)
	if err != nil {
		return fmt.Errorf("creating stage: %w", err)
	}
	b.rest.stage = stage
	return b.newMethodSettings()
}

// newMethodSettings throttles all methods. Execution logs stay off, since they
// could hold tokens and prompts.
func (b *build) newMethodSettings() error {
	_, err := apigateway.NewMethodSettings(b.ctx, b.child("rest-method-settings"), &apigateway.MethodSettingsArgs{
		RestApi:    b.rest.api.ID(),
		StageName:  b.rest.stage.StageName,
		MethodPath: pulumi.String("*/*"),
		Settings: &apigateway.MethodSettingsSettingsArgs{
			ThrottlingRateLimit:  b.args.Throttle.RateLimit,
			ThrottlingBurstLimit: b.args.Throttle.BurstLimit,
			LoggingLevel:         pulumi.String("OFF"),
			DataTraceEnabled:     pulumi.Bool(false),
			MetricsEnabled:       pulumi.Bool(false),
		},
	}, b.options()...)
	if err != nil {
		return fmt.Errorf("creating method settings: %w", err)
	}
	return nil
}
