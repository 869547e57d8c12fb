package provision

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
	"github.com/streaming-service/streaming-service/internal/localcloud/gateway"
	"github.com/streaming-service/streaming-service/internal/localcloud/restapi"
)

// RESTStage is the type token of a stage of a REST API.
const RESTStage = "aws:apigateway/stage:Stage"

// restKinds are the resources of REST APIs.
func restKinds(s Services) map[string]kind {
	return map[string]kind{
		"aws:apigateway/restApi:RestApi":               restAPIKind(s),
		"aws:apigateway/methodSettings:MethodSettings": restMethodSettingsKind(s.REST),
		"aws:apigateway/deployment:Deployment":         restDeploymentKind(s),
		RESTStage:                                      restStageKind(s),
	}
}

type restAPIInputs struct {
	Name                      string   `json:"name"`
	Body                      string   `json:"body"`
	PutRestAPIMode            string   `json:"putRestApiMode"`
	Description               noEffect `json:"description"`
	DisableExecuteAPIEndpoint noEffect `json:"disableExecuteApiEndpoint"`
	EndpointConfiguration     noEffect `json:"endpointConfiguration"`
	Tags                      noEffect `json:"tags"`
}

func restAPIKind(s Services) kind {
	put := func(id string, in restAPIInputs) (restapi.RestAPI, error) {
		if in.PutRestAPIMode != "" && in.PutRestAPIMode != "overwrite" {
			return restapi.RestAPI{}, fmt.Errorf("putRestApiMode must be overwrite in the local cloud, got %q", in.PutRestAPIMode)
		}
		return s.REST.PutRestAPI(restapi.RestAPI{ID: id, Name: in.Name, Body: in.Body})
	}
	return newKind(realised[restAPIInputs]{
		name:     autoname{property: "name", max: 128},
		defaults: resource.PropertyMap{"description": resource.NewStringProperty("Managed by Pulumi")},
		onCreate: func(_ context.Context, r Resource, in restAPIInputs) (string, Outputs, error) {
			api, err := put(r.stableID(10), in)
			return api.ID, Outputs{
				"arn":            apiGatewayARN("/restapis/" + api.ID),
				"executionArn":   gateway.ExecutionARN(api.ID),
				"rootResourceId": api.RootResourceID,
				"apiKeySource":   "HEADER",
				"createdDate":    now(),
			}, err
		},
		onUpdate: func(_ context.Context, id string, _, in restAPIInputs) (Outputs, error) {
			_, err := put(id, in)
			return nil, err
		},
		onDelete: func(_ context.Context, id string, _ restAPIInputs) error {
			s.REST.DeleteRestAPI(id)
			return nil
		},
	})
}

type restMethodSettingsInputs struct {
	RestAPI    string `json:"restApi" change:"replace"`
	StageName  string `json:"stageName" change:"replace"`
	MethodPath string `json:"methodPath" change:"replace"`
	Settings   struct {
		ThrottlingRateLimit  *float64 `json:"throttlingRateLimit"`
		ThrottlingBurstLimit *int     `json:"throttlingBurstLimit"`
		MetricsEnabled       noEffect `json:"metricsEnabled"`
		LoggingLevel         noEffect `json:"loggingLevel"`
		DataTraceEnabled     noEffect `json:"dataTraceEnabled"`
	} `json:"settings"`
}

func restMethodSettingsKind(rest *restapi.Service) kind {
	put := func(in restMethodSettingsInputs) error {
		settings := restapi.MethodSettings{APIID: in.RestAPI, StageName: in.StageName, MethodPath: in.MethodPath, ThrottlingRateLimit: -1, ThrottlingBurstLimit: -1}
		if in.Settings.ThrottlingRateLimit != nil {
			settings.ThrottlingRateLimit = *in.Settings.ThrottlingRateLimit
		}
		if in.Settings.ThrottlingBurstLimit != nil {
			settings.ThrottlingBurstLimit = *in.Settings.ThrottlingBurstLimit
		}
		return rest.PutMethodSettings(settings)
	}
	return newKind(realised[restMethodSettingsInputs]{
		onCreate: func(_ context.Context, _ Resource, in restMethodSettingsInputs) (string, Outputs, error) {
			return join(in.RestAPI, in.StageName, in.MethodPath), nil, put(in)
		},
		onUpdate: func(_ context.Context, _ string, _, in restMethodSettingsInputs) (Outputs, error) {
			return nil, put(in)
		},
		onDelete: func(_ context.Context, _ string, in restMethodSettingsInputs) error {
			return rest.DeleteMethodSettings(in.RestAPI, in.StageName, in.MethodPath)
		},
	})
}

type restDeploymentInputs struct {
	RestAPI     string            `json:"restApi" change:"replace"`
	Triggers    map[string]string `json:"triggers" change:"replace"`
	Description noEffect          `json:"description"`
}

func restDeploymentKind(s Services) kind {
	return newKind(realised[restDeploymentInputs]{
		onCreate: func(_ context.Context, _ Resource, in restDeploymentInputs) (string, Outputs, error) {
			d, err := s.REST.PutDeployment(restapi.Deployment{APIID: in.RestAPI})
			return d.ID, Outputs{
				"invokeUrl":    s.restURL(in.RestAPI, ""),
				"executionArn": gateway.ExecutionARN(in.RestAPI + "/"),
				"createdDate":  now(),
			}, err
		},
		onUpdate: func(context.Context, string, restDeploymentInputs, restDeploymentInputs) (Outputs, error) {
			return nil, nil
		},
		onDelete: func(_ context.Context, id string, in restDeploymentInputs) error {
			return s.REST.DeleteDeployment(in.RestAPI, id)
		},
	})
}

type restStageInputs struct {
	RestAPI            string            `json:"restApi" change:"replace"`
	StageName          string            `json:"stageName" change:"replace"`
	Deployment         string            `json:"deployment"`
	Variables          map[string]string `json:"variables"`
	AccessLogSettings  noEffect          `json:"accessLogSettings"`
	Description        noEffect          `json:"description"`
	Tags               noEffect          `json:"tags"`
	XrayTracingEnabled noEffect          `json:"xrayTracingEnabled"`
}

func restStageKind(s Services) kind {
	put := func(in restStageInputs) error {
		return s.REST.PutStage(restapi.Stage{APIID: in.RestAPI, Name: in.StageName, DeploymentID: in.Deployment, Variables: in.Variables})
	}
	return newKind(realised[restStageInputs]{
		onCreate: func(_ context.Context, _ Resource, in restStageInputs) (string, Outputs, error) {
			return join("ags", in.RestAPI, in.StageName), Outputs{
				"arn":          apiGatewayARN("/restapis/" + in.RestAPI + "/stages/" + in.StageName),
				"executionArn": gateway.ExecutionARN(in.RestAPI + "/" + in.StageName),
				"invokeUrl":    s.restURL(in.RestAPI, in.StageName),
				"webAclArn":    "",
			}, put(in)
		},
		onUpdate: func(_ context.Context, _ string, _, in restStageInputs) (Outputs, error) { return nil, put(in) },
		onDelete: func(_ context.Context, _ string, in restStageInputs) error {
			return s.REST.DeleteStage(in.RestAPI, in.StageName)
		},
	})
}

// restURL is the invoke URL of a stage.
func (s Services) restURL(apiID, stage string) string {
	return "http://" + s.Address + restapi.PathPrefix + apiID + "/" + stage
}

// apiGatewayARN is an ARN of the control plane, which names no account.
func apiGatewayARN(path string) string {
	return "arn:" + awsapi.Partition + ":apigateway:" + awsapi.Region + "::" + path
}

func join(parts ...string) string { return strings.Join(parts, "-") }

func now() string { return time.Now().UTC().Format(time.RFC3339) }
