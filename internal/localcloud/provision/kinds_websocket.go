package provision

import (
	"context"
	"fmt"

	"github.com/streaming-service/streaming-service/internal/localcloud/gateway"
	"github.com/streaming-service/streaming-service/internal/localcloud/websocket"
)

// WebSocketStage is the type token of a stage of a WebSocket API.
const WebSocketStage = "aws:apigatewayv2/stage:Stage"

// webSocketKinds are the resources of WebSocket APIs.
func webSocketKinds(s Services) map[string]kind {
	return map[string]kind{
		"aws:apigatewayv2/api:Api":                     webSocketAPIKind(s),
		"aws:apigatewayv2/route:Route":                 webSocketRouteKind(s.WebSocket),
		"aws:apigatewayv2/routeResponse:RouteResponse": webSocketRouteResponseKind(s.WebSocket),
		"aws:apigatewayv2/integration:Integration":     webSocketIntegrationKind(s.WebSocket),
		"aws:apigatewayv2/authorizer:Authorizer":       webSocketAuthorizerKind(s.WebSocket),
		"aws:apigatewayv2/deployment:Deployment":       webSocketDeploymentKind(s.WebSocket),
		WebSocketStage:                                 webSocketStageKind(s),
	}
}

type webSocketAPIInputs struct {
	Name                      string   `json:"name"`
	ProtocolType              string   `json:"protocolType" change:"replace"`
	RouteSelectionExpression  string   `json:"routeSelectionExpression"`
	Description               noEffect `json:"description"`
	DisableExecuteAPIEndpoint noEffect `json:"disableExecuteApiEndpoint"`
	Tags                      noEffect `json:"tags"`
}

func webSocketAPIKind(s Services) kind {
	put := func(id string, in webSocketAPIInputs) (websocket.API, error) {
		if in.ProtocolType != "WEBSOCKET" {
			return websocket.API{}, fmt.Errorf("protocolType %q has no counterpart in the local cloud", in.ProtocolType)
		}
		return s.WebSocket.PutAPI(websocket.API{ID: id, Name: in.Name, RouteSelectionExpression: in.RouteSelectionExpression})
	}
	return newKind(realised[webSocketAPIInputs]{
		name: autoname{property: "name", max: 128},
		onCreate: func(_ context.Context, r Resource, in webSocketAPIInputs) (string, Outputs, error) {
			api, err := put(r.stableID(10), in)
			return api.ID, Outputs{
				"arn":                       apiGatewayARN("/apis/" + api.ID),
				"executionArn":              websocket.ExecutionARN(api.ID),
				"apiEndpoint":               "ws://" + s.Address + websocket.Path(api.ID),
				"apiKeySelectionExpression": "$request.header.x-api-key",
			}, err
		},
		onUpdate: func(_ context.Context, id string, _, in webSocketAPIInputs) (Outputs, error) {
			_, err := put(id, in)
			return nil, err
		},
		onDelete: func(_ context.Context, id string, _ webSocketAPIInputs) error {
			s.WebSocket.DeleteAPI(id)
			return nil
		},
	})
}

type webSocketRouteInputs struct {
	APIID                            string   `json:"apiId" change:"replace"`
	RouteKey                         string   `json:"routeKey"`
	AuthorizationType                string   `json:"authorizationType"`
	AuthorizerID                     string   `json:"authorizerId"`
	Target                           string   `json:"target"`
	RouteResponseSelectionExpression string   `json:"routeResponseSelectionExpression"`
	OperationName                    noEffect `json:"operationName"`
}

func webSocketRouteKind(ws *websocket.Service) kind {
	put := func(id string, in webSocketRouteInputs) (string, error) {
		r, err := ws.PutRoute(websocket.Route{
			ID: id, APIID: in.APIID, RouteKey: in.RouteKey, AuthorizationType: in.AuthorizationType, AuthorizerID: in.AuthorizerID,
			Target: in.Target, RouteResponseSelectionExpression: in.RouteResponseSelectionExpression,
		})
		return r.ID, err
	}
	return newKind(realised[webSocketRouteInputs]{
		onCreate: func(_ context.Context, _ Resource, in webSocketRouteInputs) (string, Outputs, error) {
			id, err := put("", in)
			return id, nil, err
		},
		onUpdate: func(_ context.Context, id string, _, in webSocketRouteInputs) (Outputs, error) {
			_, err := put(id, in)
			return nil, err
		},
		onDelete: func(_ context.Context, id string, in webSocketRouteInputs) error { return ws.DeleteRoute(in.APIID, id) },
	})
}

type webSocketRouteResponseInputs struct {
	APIID            string `json:"apiId" change:"replace"`
	RouteID          string `json:"routeId" change:"replace"`
	RouteResponseKey string `json:"routeResponseKey"`
}

func webSocketRouteResponseKind(ws *websocket.Service) kind {
	put := func(id string, in webSocketRouteResponseInputs) (string, error) {
		r, err := ws.PutRouteResponse(websocket.RouteResponse{ID: id, APIID: in.APIID, RouteID: in.RouteID, RouteResponseKey: in.RouteResponseKey})
		return r.ID, err
	}
	return newKind(realised[webSocketRouteResponseInputs]{
		onCreate: func(_ context.Context, _ Resource, in webSocketRouteResponseInputs) (string, Outputs, error) {
			id, err := put("", in)
			return id, nil, err
		},
		onUpdate: func(_ context.Context, id string, _, in webSocketRouteResponseInputs) (Outputs, error) {
			_, err := put(id, in)
			return nil, err
		},
		onDelete: func(_ context.Context, id string, in webSocketRouteResponseInputs) error {
			return ws.DeleteRouteResponse(in.APIID, id)
		},
	})
}

type webSocketIntegrationInputs struct {
	APIID                   string   `json:"apiId" change:"replace"`
	IntegrationType         string   `json:"integrationType" change:"replace"`
	IntegrationMethod       string   `json:"integrationMethod"`
	IntegrationURI          string   `json:"integrationUri"`
	TimeoutMilliseconds     int      `json:"timeoutMilliseconds"`
	Description             noEffect `json:"description"`
	ContentHandlingStrategy noEffect `json:"contentHandlingStrategy"` // of proxies
	PassthroughBehavior     noEffect `json:"passthroughBehavior"`     // of proxies
}

func webSocketIntegrationKind(ws *websocket.Service) kind {
	put := func(id string, in webSocketIntegrationInputs) (string, error) {
		i, err := ws.PutIntegration(websocket.Integration{
			ID: id, APIID: in.APIID, Type: in.IntegrationType, Method: in.IntegrationMethod,
			URI: in.IntegrationURI, TimeoutMilliseconds: in.TimeoutMilliseconds,
		})
		return i.ID, err
	}
	return newKind(realised[webSocketIntegrationInputs]{
		onCreate: func(_ context.Context, _ Resource, in webSocketIntegrationInputs) (string, Outputs, error) {
			id, err := put("", in)
			return id, nil, err
		},
		onUpdate: func(_ context.Context, id string, _, in webSocketIntegrationInputs) (Outputs, error) {
			_, err := put(id, in)
			return nil, err
		},
		onDelete: func(_ context.Context, id string, in webSocketIntegrationInputs) error {
			return ws.DeleteIntegration(in.APIID, id)
		},
	})
}

type webSocketAuthorizerInputs struct {
	APIID            string   `json:"apiId" change:"replace"`
	Name             string   `json:"name"`
	AuthorizerType   string   `json:"authorizerType"`
	AuthorizerURI    string   `json:"authorizerUri"`
	IdentitySources  []string `json:"identitySources"`
	ResultTTLSeconds int      `json:"authorizerResultTtlInSeconds"`
}

func webSocketAuthorizerKind(ws *websocket.Service) kind {
	put := func(id string, in webSocketAuthorizerInputs) (string, error) {
		z, err := ws.PutAuthorizer(websocket.Authorizer{
			ID: id, APIID: in.APIID, Name: in.Name, Type: in.AuthorizerType, URI: in.AuthorizerURI,
			IdentitySources: in.IdentitySources, ResultTTLSeconds: in.ResultTTLSeconds,
		})
		return z.ID, err
	}
	return newKind(realised[webSocketAuthorizerInputs]{
		name: autoname{property: "name", max: 128},
		onCreate: func(_ context.Context, _ Resource, in webSocketAuthorizerInputs) (string, Outputs, error) {
			id, err := put("", in)
			return id, nil, err
		},
		onUpdate: func(_ context.Context, id string, _, in webSocketAuthorizerInputs) (Outputs, error) {
			_, err := put(id, in)
			return nil, err
		},
		onDelete: func(_ context.Context, id string, in webSocketAuthorizerInputs) error {
			return ws.DeleteAuthorizer(in.APIID, id)
		},
	})
}

type webSocketDeploymentInputs struct {
	APIID       string            `json:"apiId" change:"replace"`
	Triggers    map[string]string `json:"triggers" change:"replace"`
	Description noEffect          `json:"description"`
}

func webSocketDeploymentKind(ws *websocket.Service) kind {
	return newKind(realised[webSocketDeploymentInputs]{
		onCreate: func(_ context.Context, _ Resource, in webSocketDeploymentInputs) (string, Outputs, error) {
			d, err := ws.PutDeployment(websocket.Deployment{APIID: in.APIID})
			return d.ID, Outputs{"autoDeployed": false}, err
		},
		onUpdate: func(context.Context, string, webSocketDeploymentInputs, webSocketDeploymentInputs) (Outputs, error) {
			return nil, nil
		},
		onDelete: func(_ context.Context, id string, in webSocketDeploymentInputs) error {
			return ws.DeleteDeployment(in.APIID, id)
		},
	})
}

// routeSettings are a throttle and what only concerns logs and metrics.
type routeSettings struct {
	RouteKey               string   `json:"routeKey"` // not of the default
	ThrottlingRateLimit    *float64 `json:"throttlingRateLimit"`
	ThrottlingBurstLimit   *int     `json:"throttlingBurstLimit"`
	DataTraceEnabled       noEffect `json:"dataTraceEnabled"`
	DetailedMetricsEnabled noEffect `json:"detailedMetricsEnabled"`
	LoggingLevel           noEffect `json:"loggingLevel"`
}

func (r routeSettings) declared() websocket.RouteSettings {
	return websocket.RouteSettings{ThrottlingRateLimit: r.ThrottlingRateLimit, ThrottlingBurstLimit: r.ThrottlingBurstLimit}
}

type webSocketStageInputs struct {
	APIID                string            `json:"apiId" change:"replace"`
	Name                 string            `json:"name" change:"replace"`
	AutoDeploy           bool              `json:"autoDeploy"`
	DeploymentID         string            `json:"deploymentId"`
	DefaultRouteSettings *routeSettings    `json:"defaultRouteSettings"`
	RouteSettings        []routeSettings   `json:"routeSettings"`
	StageVariables       map[string]string `json:"stageVariables"`
	AccessLogSettings    noEffect          `json:"accessLogSettings"`
	Description          noEffect          `json:"description"`
	Tags                 noEffect          `json:"tags"`
}

func webSocketStageKind(s Services) kind {
	put := func(in webSocketStageInputs) error {
		stage := websocket.Stage{
			APIID: in.APIID, Name: in.Name, AutoDeploy: in.AutoDeploy, DeploymentID: in.DeploymentID,
			RouteSettings: map[string]websocket.RouteSettings{}, Variables: in.StageVariables,
		}
		if in.DefaultRouteSettings != nil {
			settings := in.DefaultRouteSettings.declared()
			stage.DefaultRouteSettings = &settings
		}
		for _, settings := range in.RouteSettings {
			stage.RouteSettings[settings.RouteKey] = settings.declared()
		}
		return s.WebSocket.PutStage(stage)
	}
	return newKind(realised[webSocketStageInputs]{
		name: autoname{property: "name", max: 128},
		onCreate: func(_ context.Context, _ Resource, in webSocketStageInputs) (string, Outputs, error) {
			return in.Name, Outputs{
				"arn":          apiGatewayARN("/apis/" + in.APIID + "/stages/" + in.Name),
				"executionArn": gateway.ExecutionARN(in.APIID + "/" + in.Name),
				"invokeUrl":    "ws://" + s.Address + websocket.Path(in.APIID) + "/" + in.Name,
			}, put(in)
		},
		onUpdate: func(_ context.Context, _ string, _, in webSocketStageInputs) (Outputs, error) { return nil, put(in) },
		onDelete: func(_ context.Context, _ string, in webSocketStageInputs) error {
			return s.WebSocket.DeleteStage(in.APIID, in.Name)
		},
	})
}
