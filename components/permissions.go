package components

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/dynamodb"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/streaming-service/streaming-service/internal/schema"
)

// grantsOf returns what a function may do. DynamoDB authorizes a transaction
// as its parts, @connections calls need execute-api:ManageConnections, and an
// event source mapping reads its queue with the role of the function.
//
// All but the authorizer may find a request that stands still and take it to
// its end: read it, estimate its usage from the log, end and settle it, tell
// the sockets of its user and forget those that are gone.
func (b *build) grantsOf(function string) []grant {
	grants := map[string][]grant{
		FunctionAuthorizer: b.authorizerGrants(),
		FunctionCompletions: { // it admits as quota does, and runs as the processor does
			b.onTable(b.tables.connections, "DeleteItem", "Query"),
			b.onTable(b.tables.requests, "BatchGetItem", "DeleteItem", "GetItem", "PutItem", "Query", "UpdateItem"),
			b.onTable(b.tables.quota, b.admissionVerbs()...),
			b.sendToQueue(), b.onSockets("POST"), b.bedrockGrant(),
		},
		FunctionConnection: {
			b.onTable(b.tables.connections, "DeleteItem", "PutItem", "Query"),
			b.onTable(b.tables.requests, "GetItem", "Query", "UpdateItem"),
			b.onTable(b.tables.quota, b.settlementVerbs()...),
			b.sendToQueue(), b.onSockets("DELETE", "POST"),
		},
		FunctionQuota: {
			b.onTable(b.tables.connections, "DeleteItem", "Query"),
			b.onTable(b.tables.requests, "DeleteItem", "GetItem", "PutItem", "Query", "UpdateItem"),
			b.onTable(b.tables.quota, b.quotaVerbs()...),
			b.sendToQueue(), b.onSockets("POST"),
		},
		FunctionRequests: {
			b.onTable(b.tables.connections, "DeleteItem", "Query"),
			b.onTable(b.tables.requests, "GetItem", "Query", "UpdateItem"),
			b.onTable(b.tables.quota, b.settlementVerbs()...),
			b.sendToQueue(), b.onSockets("POST"),
		},
		FunctionProcessor: {
			b.onTable(b.tables.connections, "DeleteItem", "Query"),
			b.onTable(b.tables.requests, "BatchGetItem", "GetItem", "PutItem", "Query", "UpdateItem"),
			b.onTable(b.tables.quota, b.settlementVerbs()...),
			allow(consumeActions, b.queues.main.Arn), b.sendToQueue(), b.onSockets("POST"), b.bedrockGrant(),
		},
		FunctionRecovery: {
			b.onTable(b.tables.connections, "DeleteItem", "Query"),
			b.onTable(b.tables.requests, "GetItem", "PutItem", "Query", "UpdateItem"),
			b.onTable(b.tables.quota, "GetItem", "UpdateItem"),
			allow([]string{"dynamodb:Query"}, pulumi.Sprintf("%s/index/%s", b.tables.quota.Arn, schema.OpenIndex)),
			allow(consumeActions, b.queues.deadLetter.Arn), b.sendToQueue(), b.onSockets("POST"),
		},
	}[function]
	grants = append(grants, b.onUploads(uploadVerbs[function]...)...)
	if b.args.Protection.KmsKeyArn != nil && len(grants) > 0 {
		grants = append(grants, b.keyGrant(function))
	}
	if *b.args.Observability.Tracing {
		grants = append(grants, traceGrant())
	}
	return grants
}

// authorizerGrants are none without personal keys: tokens are verified with
// public keys.
func (b *build) authorizerGrants() []grant {
	if !b.hasKeys() {
		return nil
	}
	return []grant{
		b.onTable(b.tables.quota, "GetItem"),
		allow([]string{"cognito-idp:AdminGetUser"}, b.auth.poolARN),
	}
}

// quotaVerbs are what the quota function does with the accounts of users and,
// where there are some, with their keys.
func (b *build) quotaVerbs() []string {
	if b.hasKeys() {
		return []string{"DeleteItem", "GetItem", "PutItem", "Query", "UpdateItem"}
	}
	return b.admissionVerbs()
}

// admissionVerbs are what an admission does with the account of its user and,
// where the whole service has a budget, with its spending.
func (b *build) admissionVerbs() []string {
	if b.args.Quota.ServiceMonthlyBudget == nil {
		return []string{"GetItem", "UpdateItem"}
	}
	return []string{"GetItem", "Query", "UpdateItem"}
}

// settlementVerbs are what a settlement does with the account of its user: where
// the whole service has a budget it is a transaction, which a reading spares
// where it would fail.
func (b *build) settlementVerbs() []string {
	if b.args.Quota.ServiceMonthlyBudget == nil {
		return []string{"UpdateItem"}
	}
	return []string{"GetItem", "UpdateItem"}
}

func (b *build) hasKeys() bool { return *b.args.Auth.PersonalKeys }

// consumeActions are those of a function that reads a queue: the three of the
// mapping, and the one with which it hands a message back early.
var consumeActions = []string{"sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"}

func (b *build) onTable(table *dynamodb.Table, verbs ...string) grant {
	actions := make([]string, len(verbs))
	for i, verb := range verbs {
		actions[i] = "dynamodb:" + verb
	}
	return allow(actions, table.Arn)
}

// uploadVerbs are what the functions do with uploads: quota announces and finds
// them, and who asks the model reads them.
var uploadVerbs = map[string][]string{
	FunctionCompletions: {"GetObject"},
	FunctionProcessor:   {"GetObject"},
	FunctionQuota:       {"GetObject", "PutObject"},
}

// onUploads allows verbs on the uploads of all users. Who may list the bucket is
// told that an upload is missing; all others, that it is forbidden.
func (b *build) onUploads(verbs ...string) []grant {
	if !b.hasUploads() || len(verbs) == 0 {
		return nil
	}
	actions := make([]string, len(verbs))
	for i, verb := range verbs {
		actions[i] = "s3:" + verb
	}
	return []grant{
		allow(actions, pulumi.Sprintf("%s/uploads/*", b.uploads.arn)),
		allow([]string{"s3:ListBucket"}, b.uploads.arn),
	}
}

func (b *build) hasUploads() bool { return *b.args.Uploads }

func (b *build) sendToQueue() grant { return allow([]string{"sqs:SendMessage"}, b.queues.main.Arn) }

// onSockets allows posting to (POST) and closing (DELETE) the sockets of this
// API's stage.
func (b *build) onSockets(methods ...string) grant {
	sockets := make([]pulumi.StringInput, len(methods))
	for i, method := range methods {
		sockets[i] = pulumi.Sprintf("%s/%s/%s/@connections/*", b.webSocket.api.ExecutionArn, b.args.StageName, method)
	}
	return allow([]string{"execute-api:ManageConnections"}, sockets...)
}

// logGrant allows writing to the function's log group. Creating the group is
// left out, so that a late invocation cannot bring a destroyed one back.
func logGrant(logGroupARN pulumi.StringInput) grant {
	return allow([]string{"logs:CreateLogStream", "logs:PutLogEvents"}, pulumi.Sprintf("%s:*", logGroupARN))
}

// traceGrant allows sending traces. X-Ray offers these actions on '*' only.
func traceGrant() grant {
	return allow([]string{"xray:PutTelemetryRecords", "xray:PutTraceSegments"}, pulumi.String("*"))
}

// keyGrant allows using the customer's key, through the services that encrypt
// with it and in no other way.
func (b *build) keyGrant(function string) grant {
	return pulumi.All(required(b.args.Protection.KmsKeyArn), b.place.endpoint("dynamodb"), b.place.endpoint("sqs"), b.place.endpoint("s3")).
		ApplyT(func(v []any) []statement {
			key, dynamoDB, queue, bucket := v[0].(string), v[1].(string), v[2].(string), v[3].(string)
			statements := []statement{
				throughService(key, dynamoDB, "kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext", "kms:ReEncryptFrom", "kms:ReEncryptTo"),
			}
			if function == FunctionAuthorizer { // it has no queue
				return statements
			}
			statements = append(statements, throughService(key, queue, "kms:Decrypt", "kms:GenerateDataKey"))
			if b.hasUploads() && len(uploadVerbs[function]) > 0 {
				statements = append(statements, throughService(key, bucket, "kms:Decrypt", "kms:GenerateDataKey"))
			}
			return statements
		})
}

func throughService(key, endpoint string, actions ...string) statement {
	return statement{
		Effect: "Allow", Action: actions, Resource: []string{key},
		Condition: map[string]map[string][]string{"StringEquals": {"kms:ViaService": {endpoint}}},
	}
}
