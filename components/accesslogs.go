package components

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/apigateway"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// accessLogs are where the APIs log their calls.
type accessLogs struct {
	rest, webSocket *cloudwatch.LogGroup
	before          []pulumi.Resource // what a stage with access logs needs
}

// The formats name who called what and how it ended; no header and no query,
// so no token.
const (
	restLogFormat = `{"requestId":"$context.requestId","ip":"$context.identity.sourceIp","user":"$context.authorizer.claims.sub",` +
		`"time":"$context.requestTime","method":"$context.httpMethod","path":"$context.resourcePath","status":"$context.status",` +
		`"latency":"$context.responseLatency","integrationLatency":"$context.integrationLatency","error":"$context.error.responseType"}`
	webSocketLogFormat = `{"requestId":"$context.requestId","ip":"$context.identity.sourceIp","user":"$context.authorizer.principalId",` +
		`"time":"$context.requestTime","event":"$context.eventType","route":"$context.routeKey","status":"$context.status",` +
		`"connectionId":"$context.connectionId","integrationLatency":"$context.integrationLatency"}`
)

// newAccessLogs prepares access logs if they are wanted.
func (b *build) newAccessLogs() (err error) {
	if !*b.args.Observability.AccessLogs {
		return nil
	}
	logs := &accessLogs{}
	if logs.rest, err = b.newLogGroup("rest-access-logs"); err != nil {
		return err
	}
	if logs.webSocket, err = b.newLogGroup("websocket-access-logs"); err != nil {
		return err
	}
	if b.args.Observability.ApiGatewayLogRole == "manage" {
		if logs.before, err = b.newLogRole(); err != nil {
			return err
		}
	}
	b.logs = logs
	return nil
}

// newLogRole gives API Gateway the role with which it writes logs, one for the
// whole Region. Other APIs come to rely on it, so it outlives the stack.
func (b *build) newLogRole() ([]pulumi.Resource, error) {
	retained := b.options(pulumi.RetainOnDelete(true))
	role, err := iam.NewRole(b.ctx, b.child("api-gateway-log-role"), &iam.RoleArgs{
		Description:      pulumi.String("API Gateway of this Region writes logs with it; kept when the stack that made it is destroyed"),
		AssumeRolePolicy: trustService("apigateway.amazonaws.com"),
		Tags:             b.args.Tags,
	}, retained...)
	if err != nil {
		return nil, fmt.Errorf("creating log role: %w", err)
	}
	attachment, err := iam.NewRolePolicyAttachment(b.ctx, b.child("api-gateway-log-policy"), &iam.RolePolicyAttachmentArgs{
		Role:      role.Name,
		PolicyArn: pulumi.Sprintf("arn:%s:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs", b.place.partition),
	}, retained...)
	if err != nil {
		return nil, fmt.Errorf("attaching policy of log role: %w", err)
	}
	account, err := apigateway.NewAccount(b.ctx, b.child("api-gateway-account"), &apigateway.AccountArgs{CloudwatchRoleArn: role.Arn},
		append(retained, pulumi.DependsOn([]pulumi.Resource{attachment}))...)
	if err != nil {
		return nil, fmt.Errorf("setting log role: %w", err)
	}
	return []pulumi.Resource{account}, nil
}
