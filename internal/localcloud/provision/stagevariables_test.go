package provision_test

import (
	"strings"
	"testing"

	"github.com/streaming-service/streaming-service/internal/localcloud/provision"
)

// TestStageVariables are taken by the stages of both kinds of APIs, changed in
// place, and held to what API Gateway takes.
func TestStageVariables(t *testing.T) {
	t.Parallel()
	p := provision.New(newServices(t))
	rest, _ := create(t, p, "aws:apigateway/restApi:RestApi", "rest", properties(map[string]any{
		"body": `{"openapi":"3.0.1","info":{"title":"t","version":"1"},"paths":{"/a":{"get":{"responses":{},"x-amazon-apigateway-integration":{
			"type":"aws_proxy","httpMethod":"POST","uri":"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:000000000000:function:f/invocations"}}}}}`,
	}))
	deployment, _ := create(t, p, "aws:apigateway/deployment:Deployment", "rest", properties(map[string]any{"restApi": rest}))
	socket, _ := create(t, p, "aws:apigatewayv2/api:Api", "socket", properties(map[string]any{"protocolType": "WEBSOCKET", "routeSelectionExpression": "$request.body.action"}))
	for _, test := range []struct {
		token, variables string
		inputs           map[string]any
	}{
		{provision.RESTStage, "variables", map[string]any{"restApi": rest, "deployment": deployment, "stageName": "v1"}},
		{provision.WebSocketStage, "stageVariables", map[string]any{"apiId": socket, "name": "v1", "autoDeploy": true}},
	} {
		inputs := func(value string) map[string]any {
			all := map[string]any{test.variables: map[string]any{"siteOrigin": value}}
			return with(all, test.inputs)
		}
		id, _ := create(t, p, test.token, "stage", properties(inputs("https://d1.cloudfront.net")))
		for value, want := range map[string]string{"https://d2.cloudfront.net": "", "*": "Invalid stage variable value: *."} {
			_, err := p.Update(t.Context(), r(test.token, "stage"), id, properties(inputs("https://d1.cloudfront.net")), properties(inputs(value)))
			if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
				t.Errorf("%s with %s: %v, want %q", test.token, value, err, want)
			}
		}
		change, err := p.Diff(test.token, properties(inputs("https://d1.cloudfront.net")), properties(inputs("https://d2.cloudfront.net")))
		if err != nil || len(change.Properties) != 1 || len(change.Replaces) != 0 {
			t.Errorf("another variable of %s is the change %+v, %v", test.token, change, err)
		}
	}
}
