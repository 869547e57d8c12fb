package components

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/apigateway"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/streaming-service/streaming-service/internal/openapi"
)

// restAPI takes requests and answers for them. The stage comes after the site,
// whose origin is a variable of it.
type restAPI struct {
	api   *apigateway.RestApi
	body  pulumi.StringOutput // the document that API Gateway imports
	stage *apigateway.Stage
}

func (b *build) newRestAPI() error {
	body := b.restAPIBody()
	api, err := apigateway.NewRestApi(b.ctx, b.child("rest-api"), &apigateway.RestApiArgs{
		Description: pulumi.String(restAPIDocument.Description),
		// The default, EDGE, would put a CloudFront distribution in front and
		// fix the time limits.
		EndpointConfiguration: &apigateway.RestApiEndpointConfigurationArgs{Types: pulumi.String("REGIONAL")},
		Body:                  body,
		// What the document does not hold is not there: nothing of an earlier
		// one is left.
		PutRestApiMode: pulumi.String("overwrite"),
		Tags:           b.args.Tags,
	}, b.options()...)
	if err != nil {
		return fmt.Errorf("creating API: %w", err)
	}
	b.rest = &restAPI{api: api, body: body}
	return b.newRestPermissions()
}

// restAPIBody is the document of the API with what AWS has to know.
func (b *build) restAPIBody() pulumi.StringOutput {
	names := slices.Sorted(maps.Keys(b.functions))
	inputs := []any{b.place.partition, b.place.region, b.auth.poolARN, b.gatewayOrigin()}
	for _, name := range names {
		inputs = append(inputs, b.functions[name].Arn)
	}
	return pulumi.All(inputs...).ApplyT(func(v []any) (string, error) {
		g := openapi.Gateway{
			Partition: v[0].(string), Region: v[1].(string), UserPoolARN: v[2].(string), AllowOrigin: v[3].(string),
			FunctionARNs: map[string]string{},
		}
		for i, name := range names {
			g.FunctionARNs[name] = v[4+i].(string)
		}
		return b.restAPIDocument().Import(g)
	}).(pulumi.StringOutput)
}

// restAPIDocument is the API as this service has it.
func (b *build) restAPIDocument() openapi.API {
	document := restAPIDocument
	if !b.hasKeys() {
		document = document.Without(tagKeys)
	}
	if !b.hasUploads() {
		document = document.Without(tagUploads)
	}
	return document
}

// newRestPermissions lets API Gateway call the functions, each for its own
// operations.
func (b *build) newRestPermissions() error {
	for _, call := range b.restAPIDocument().Calls(b.args.StageName) {
		source := pulumi.Sprintf("%s/%s", b.rest.api.ExecutionArn, call.Source)
		if _, err := b.newPermission(call.Role+"-permission", call.Function, "apigateway.amazonaws.com", source); err != nil {
			return err
		}
	}
	return nil
}

// newRestStage deploys the API. A deployment is a snapshot, so it is replaced
// whenever the document changes; the stage is a resource of its own and moves
// to the new one.
func (b *build) newRestStage() error {
	deployment, err := apigateway.NewDeployment(b.ctx, b.child("rest-deployment"), &apigateway.DeploymentArgs{
		RestApi:  b.rest.api.ID(),
		Triggers: pulumi.StringMap{"document": hashOf(b.rest.body)},
	}, b.options(pulumi.DependsOn([]pulumi.Resource{b.rest.api}))...)
	if err != nil {
		return fmt.Errorf("creating deployment: %w", err)
	}
	args := &apigateway.StageArgs{
		RestApi:            b.rest.api.ID(),
		Deployment:         deployment.ID(),
		StageName:          pulumi.String(b.args.StageName),
		Variables:          b.stageVariables(),
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

// hashOf changes whenever the text does.
func hashOf(text pulumi.StringOutput) pulumi.StringOutput {
	return text.ApplyT(func(text string) string {
		sum := sha256.Sum256([]byte(text))
		return hex.EncodeToString(sum[:])
	}).(pulumi.StringOutput)
}
