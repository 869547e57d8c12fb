package components

import (
	"fmt"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/apigatewayv2"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// webSocketAPI streams answers to clients. The API comes before the functions,
// which post to it; routes and stage come after them.
type webSocketAPI struct {
	api      *apigatewayv2.Api
	stage    *apigatewayv2.Stage
	endpoint pulumi.StringOutput // for posting to sockets, over HTTP
}

// webSocketRoutes are all routes, by the suffix of their logical name. Every
// frame of a client goes to $default.
var webSocketRoutes = []struct{ key, role string }{
	{"$connect", "connect"},
	{"$disconnect", "disconnect"},
	{"$default", "default"},
}

func (b *build) newWebSocketAPI() error {
	api, err := apigatewayv2.NewApi(b.ctx, b.child("websocket-api"), &apigatewayv2.ApiArgs{
		Description:              pulumi.String("Streams answers to the sockets of their user"),
		ProtocolType:             pulumi.String("WEBSOCKET"),
		RouteSelectionExpression: pulumi.String("$request.body.action"),
		Tags:                     b.args.Tags,
	}, b.options()...)
	if err != nil {
		return fmt.Errorf("creating API: %w", err)
	}
	b.webSocket = &webSocketAPI{api: api, endpoint: postEndpoint(api, b.args.StageName)}
	return nil
}

// postEndpoint is where functions post to sockets: the API's own address, also
// when clients connect to a custom domain.
func postEndpoint(api *apigatewayv2.Api, stageName string) pulumi.StringOutput {
	return api.ApiEndpoint.ApplyT(func(endpoint string) string {
		return "http" + strings.TrimPrefix(endpoint, "ws") + "/" + stageName
	}).(pulumi.StringOutput)
}

func (b *build) newWebSocketRoutes() error {
	authorizer, err := b.newWebSocketAuthorizer()
	if err != nil {
		return err
	}
	integration, err := apigatewayv2.NewIntegration(b.ctx, b.child("connection-integration"), &apigatewayv2.IntegrationArgs{
		ApiId:             b.webSocket.api.ID(),
		IntegrationType:   pulumi.String("AWS_PROXY"),
		IntegrationMethod: pulumi.String("POST"),
		IntegrationUri:    b.functions[FunctionConnection].InvokeArn,
	}, b.options()...)
	if err != nil {
		return fmt.Errorf("creating integration: %w", err)
	}
	before := []pulumi.Resource{}
	for _, route := range webSocketRoutes {
		made, err := b.newWebSocketRoute(route.key, route.role, integration, authorizer)
		if err != nil {
			return err
		}
		before = append(before, made...)
	}
	return b.newWebSocketStage(before)
}

// newWebSocketAuthorizer declares no identity source: API Gateway would
// require each of them and compares their names by case, while clients may
// send the token in one of two headers and in any case.
func (b *build) newWebSocketAuthorizer() (*apigatewayv2.Authorizer, error) {
	authorizer, err := apigatewayv2.NewAuthorizer(b.ctx, b.child("websocket-authorizer"), &apigatewayv2.AuthorizerArgs{
		ApiId:           b.webSocket.api.ID(),
		AuthorizerType:  pulumi.String("REQUEST"),
		AuthorizerUri:   b.functions[FunctionAuthorizer].InvokeArn,
		IdentitySources: pulumi.StringArray{},
	}, b.options()...)
	if err != nil {
		return nil, fmt.Errorf("creating authorizer: %w", err)
	}
	source := pulumi.Sprintf("%s/authorizers/%s", b.webSocket.api.ExecutionArn, authorizer.ID())
	_, err = b.newPermission("websocket-authorizer-permission", FunctionAuthorizer, "apigateway.amazonaws.com", source)
	return authorizer, err
}

func (b *build) newWebSocketRoute(key, role string, integration *apigatewayv2.Integration, authorizer *apigatewayv2.Authorizer) ([]pulumi.Resource, error) {
	args := &apigatewayv2.RouteArgs{
		ApiId:             b.webSocket.api.ID(),
		RouteKey:          pulumi.String(key),
		AuthorizationType: pulumi.String("NONE"),
		Target:            pulumi.Sprintf("integrations/%s", integration.ID()),
	}
	if key == "$connect" { // the only route that can be authorized
		args.AuthorizationType, args.AuthorizerId = pulumi.String("CUSTOM"), authorizer.ID().ToStringOutput()
	}
	route, err := apigatewayv2.NewRoute(b.ctx, b.child(role+"-route"), args, b.options()...)
	if err != nil {
		return nil, fmt.Errorf("creating route %s: %w", key, err)
	}
	source := pulumi.Sprintf("%s/%s/%s", b.webSocket.api.ExecutionArn, b.args.StageName, key)
	permission, err := b.newPermission(role+"-route-permission", FunctionConnection, "apigateway.amazonaws.com", source)
	if err != nil {
		return nil, err
	}
	return []pulumi.Resource{route, permission}, nil
}

// newWebSocketStage deploys by itself. Both throttles are always given, since
// a stage with settings but without them refuses every call, and execution
// logs stay off, since they could hold tokens.
func (b *build) newWebSocketStage(before []pulumi.Resource) error {
	args := &apigatewayv2.StageArgs{
		ApiId:      b.webSocket.api.ID(),
		Name:       pulumi.String(b.args.StageName),
		AutoDeploy: pulumi.Bool(true),
		DefaultRouteSettings: &apigatewayv2.StageDefaultRouteSettingsArgs{
			ThrottlingRateLimit:    b.args.Throttle.WebSocketRateLimit,
			ThrottlingBurstLimit:   b.args.Throttle.WebSocketBurstLimit,
			LoggingLevel:           pulumi.String("OFF"),
			DataTraceEnabled:       pulumi.Bool(false),
			DetailedMetricsEnabled: pulumi.Bool(false),
		},
		StageVariables: b.stageVariables(),
		Tags:           b.args.Tags,
	}
	if b.logs != nil {
		args.AccessLogSettings = &apigatewayv2.StageAccessLogSettingsArgs{
			DestinationArn: b.logs.webSocket.Arn, Format: pulumi.String(webSocketLogFormat),
		}
		before = append(before, b.logs.before...)
	}
	stage, err := apigatewayv2.NewStage(b.ctx, b.child("websocket-stage"), args, b.options(pulumi.DependsOn(before))...)
	if err != nil {
		return fmt.Errorf("creating stage: %w", err)
	}
	b.webSocket.stage = stage
	return nil
}
