package provision_test

import (
	"archive/zip"
	"context"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/archive"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
	"github.com/streaming-service/streaming-service/internal/localcloud/cloudfront"
	"github.com/streaming-service/streaming-service/internal/localcloud/cognito"
	"github.com/streaming-service/streaming-service/internal/localcloud/dynamodb"
	"github.com/streaming-service/streaming-service/internal/localcloud/dynamodb/attribute"
	"github.com/streaming-service/streaming-service/internal/localcloud/iam"
	"github.com/streaming-service/streaming-service/internal/localcloud/lambda"
	"github.com/streaming-service/streaming-service/internal/localcloud/provision"
	"github.com/streaming-service/streaming-service/internal/localcloud/restapi"
	"github.com/streaming-service/streaming-service/internal/localcloud/s3"
	"github.com/streaming-service/streaming-service/internal/localcloud/sqs"
	"github.com/streaming-service/streaming-service/internal/localcloud/websocket"
)

// openGuard admits every call.
type openGuard struct{}

func (openGuard) Admit(context.Context, awsapi.Call) (bool, *awsapi.Error) { return false, nil }

const trustLambda = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}`

func newServices(t *testing.T) provision.Services {
	t.Helper()
	roles := iam.New()
	functions, err := lambda.New(lambda.Options{WorkDir: t.TempDir(), Credentials: roles.Credentials})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(functions.Close)
	buckets := s3.New(s3.Deps{Guard: openGuard{}, Keys: roles})
	return provision.Services{
		IAM: roles, Tables: dynamodb.New(openGuard{}), Queues: sqs.New(openGuard{}), Functions: functions,
		Buckets: buckets, Distributions: cloudfront.New(cloudfront.Deps{Buckets: buckets, Policies: roles}),
		REST: restapi.New(restapi.Deps{}), WebSocket: websocket.New(websocket.Deps{Guard: openGuard{}}),
		Users: cognito.New(cognito.Deps{Guard: openGuard{}}), Address: "127.0.0.1:8080",
	}
}

// functionZip writes a package with a bootstrap that is never started.
func functionZip(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "function.zip")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	w := zip.NewWriter(file)
	header := &zip.FileHeader{Name: "bootstrap"}
	header.SetMode(0o755)
	entry, err := w.CreateHeader(header)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := entry.Write([]byte("#!/bin/sh\n")); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func properties(values map[string]any) resource.PropertyMap {
	return resource.NewPropertyMapFromMap(values)
}

func r(token, name string) provision.Resource {
	return provision.Resource{URN: "urn:pulumi:dev::p::" + token + "::" + name, Type: token, Name: name}
}

// create checks and creates a resource as an engine would.
func create(t *testing.T, p *provision.Provider, token, name string, inputs resource.PropertyMap) (string, resource.PropertyMap) {
	t.Helper()
	checked, err := p.Check(r(token, name), []byte(name), inputs)
	if err != nil {
		t.Fatal(err)
	}
	id, outputs, err := p.Create(t.Context(), r(token, name), checked)
	if err != nil {
		t.Fatal(err)
	}
	return id, outputs
}

const (
	tokenTable = "aws:dynamodb/table:Table"
	tokenQueue = "aws:sqs/queue:Queue"
	tokenRole  = "aws:iam/role:Role"
)

func tableInputs(more map[string]any) resource.PropertyMap {
	values := map[string]any{
		"billingMode": "PAY_PER_REQUEST", "hashKey": "pk", "rangeKey": "sk",
		"attributes": []any{map[string]any{"name": "pk", "type": "S"}, map[string]any{"name": "sk", "type": "S"}},
	}
	maps.Copy(values, more)
	return properties(values)
}

func TestCheckRefusesWhatItDoesNotRealise(t *testing.T) {
	t.Parallel()
	p := provision.New(newServices(t))
	for _, test := range []struct {
		name, token string
		inputs      resource.PropertyMap
		want        string
	}{
		{"unknown type", "aws:ec2/vpc:Vpc", nil, "resource type aws:ec2/vpc:Vpc has no counterpart"},
		{"unknown property", tokenTable, tableInputs(map[string]any{"streamEnabled": true}), `property "streamEnabled" has no counterpart`},
		{"unknown nested property", "aws:lambda/function:Function", properties(map[string]any{"loggingConfig": map[string]any{"colour": "red"}}), `property "colour" has no counterpart`},
		{"wrong type", tokenQueue, properties(map[string]any{"delaySeconds": "soon"}), `property "delaySeconds" cannot be a string`},
		{"FIFO queue", tokenQueue, properties(map[string]any{"fifoQueue": true}), "FIFO"},
		{"provisioned table", tokenTable, tableInputs(map[string]any{"billingMode": "PROVISIONED"}), "PAY_PER_REQUEST"},
		{"function without a file", "aws:lambda/function:Function", properties(map[string]any{"runtime": "provided.al2023"}), "code must be the archive of a zip file"},
		{"image function", "aws:lambda/function:Function", properties(map[string]any{"packageType": "Image"}), "packageType"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := p.Check(r(test.token, "x"), nil, test.inputs)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got error %v, want one with %q", err, test.want)
			}
		})
	}
}

func TestCheckNames(t *testing.T) {
	t.Parallel()
	p := provision.New(newServices(t))
	name := func(token string, seed string, inputs resource.PropertyMap) string {
		t.Helper()
		checked, err := p.Check(r(token, "svc-thing"), []byte(seed), inputs)
		if err != nil {
			t.Fatal(err)
		}
		return checked["name"].StringValue()
	}
	first := name(tokenQueue, "a", resource.PropertyMap{})
	if suffix, ok := strings.CutPrefix(first, "svc-thing-"); !ok || len(suffix) != 7 || strings.Trim(suffix, "0123456789abcdef") != "" {
		t.Errorf("got name %q, want svc-thing- and seven hexadecimal digits", first)
	}
	if again := name(tokenQueue, "a", resource.PropertyMap{}); again != first {
		t.Errorf("the same seed gave %q after %q", again, first)
	}
	if other := name(tokenQueue, "b", resource.PropertyMap{}); other == first {
		t.Errorf("another seed gave %q too", other)
	}
	if given := name(tokenQueue, "a", properties(map[string]any{"name": "mine"})); given != "mine" {
		t.Errorf("got %q for the name mine", given)
	}
}

func TestDiff(t *testing.T) {
	t.Parallel()
	p := provision.New(newServices(t))
	archiveOf := func(hash string) resource.PropertyMap {
		return resource.PropertyMap{"code": resource.NewArchiveProperty(&archive.Archive{Hash: hash, Path: "/tmp/" + hash})}
	}
	for _, test := range []struct {
		name, token       string
		old, new          resource.PropertyMap
		changes, replaces string
	}{
		{"nothing", tokenQueue, properties(map[string]any{"delaySeconds": 1}), properties(map[string]any{"delaySeconds": 1}), "", ""},
		{"in place", tokenQueue, properties(map[string]any{"delaySeconds": 1}), properties(map[string]any{"delaySeconds": 2}), "delaySeconds", ""},
		{"removed", tokenQueue, properties(map[string]any{"delaySeconds": 1}), resource.PropertyMap{}, "delaySeconds", ""},
		{"name", tokenQueue, properties(map[string]any{"name": "a"}), properties(map[string]any{"name": "b"}), "name", "name"},
		{"table key", tokenTable, tableInputs(nil), tableInputs(map[string]any{"rangeKey": "other"}), "rangeKey", "rangeKey"},
		{"table protection", tokenTable, tableInputs(nil), tableInputs(map[string]any{"deletionProtectionEnabled": true}), "deletionProtectionEnabled", ""},
		{"table index", tokenTable, tableInputs(nil), tableInputs(openIndex()), "attributes,globalSecondaryIndexes", ""},
		{"user names", "aws:cognito/userPool:UserPool", properties(map[string]any{"usernameAttributes": []any{"email"}}), properties(map[string]any{"usernameAttributes": []any{}}), "usernameAttributes", "usernameAttributes"},
		{"deployment", "aws:apigateway/deployment:Deployment", properties(map[string]any{"triggers": map[string]any{"h": "1"}}), properties(map[string]any{"triggers": map[string]any{"h": "2"}}), "triggers", "triggers"},
		{"permission", "aws:lambda/permission:Permission", properties(map[string]any{"sourceArn": "a"}), properties(map[string]any{"sourceArn": "b"}), "sourceArn", "sourceArn"},
		{"same code elsewhere", "aws:lambda/function:Function", archiveOf("1"), archiveOf("1"), "", ""},
		{"other code", "aws:lambda/function:Function", archiveOf("1"), archiveOf("2"), "code", ""},
		{"secret", tokenQueue, properties(map[string]any{"name": "a"}), resource.PropertyMap{"name": resource.MakeSecret(resource.NewStringProperty("a"))}, "", ""},
		{"alarm", "aws:cloudwatch/metricAlarm:MetricAlarm", properties(map[string]any{"threshold": 1}), properties(map[string]any{"threshold": 2}), "threshold", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			change, err := p.Diff(test.token, test.old, test.new)
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(change.Properties, ","); got != test.changes {
				t.Errorf("changes %q, want %q", got, test.changes)
			}
			if got := strings.Join(change.Replaces, ","); got != test.replaces {
				t.Errorf("replaces %q, want %q", got, test.replaces)
			}
		})
	}
}

// openIndex are the inputs that add an index to a table.
func openIndex() map[string]any {
	key := func(name, kind string) map[string]any { return map[string]any{"name": name, "type": kind} }
	return map[string]any{
		"attributes":             []any{key("pk", "S"), key("sk", "S"), key("openShard", "S"), key("openSince", "N")},
		"globalSecondaryIndexes": []any{map[string]any{"name": "open", "hashKey": "openShard", "rangeKey": "openSince", "projectionType": "KEYS_ONLY"}},
	}
}

// TestIndexComesInPlace adds an index to a table that exists, and keeps its items.
func TestIndexComesInPlace(t *testing.T) {
	t.Parallel()
	services := newServices(t)
	p := provision.New(services)
	id, outputs := create(t, p, tokenTable, "quota", tableInputs(nil))
	saved := services.Tables.Snapshot(nil)
	saved.Tables[id] = []attribute.Item{{
		"pk": attribute.S("u#1"), "sk": attribute.S("account"), "openShard": attribute.S("01"), "openSince": {Kind: attribute.Number, Text: "1"},
	}}
	if _, err := services.Tables.Restore(saved); err != nil {
		t.Fatal(err)
	}
	indexed := tableInputs(openIndex())
	indexed["name"] = outputs["name"]
	if _, err := p.Update(t.Context(), r(tokenTable, "quota"), id, tableInputs(nil), indexed); err != nil {
		t.Fatal(err)
	}
	request := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(`{"TableName":"`+id+`","IndexName":"open",
		"KeyConditionExpression":"openShard = :s","ExpressionAttributeValues":{":s":{"S":"01"}},"Select":"COUNT"}`))
	request.Header.Set("X-Amz-Target", "DynamoDB_20120810.Query")
	answer := httptest.NewRecorder()
	services.Tables.ServeHTTP(answer, request)
	if got := answer.Body.String(); got != `{"Count":1,"ScannedCount":1}` {
		t.Errorf("the index answers %s, want the account", got)
	}
	spare := openIndex()
	spare["globalSecondaryIndexes"] = []any{}
	if _, err := p.Check(r(tokenTable, "quota"), nil, tableInputs(spare)); err == nil || !strings.Contains(err.Error(), "all attributes must be indexed") {
		t.Errorf("attributes without an index: %v", err)
	}
}

func TestLife(t *testing.T) {
	t.Parallel()
	services := newServices(t)
	p := provision.New(services)
	id, outputs := create(t, p, tokenQueue, "jobs", properties(map[string]any{"visibilityTimeoutSeconds": 60}))
	arn := outputs["arn"].StringValue()
	if id != outputs["url"].StringValue() || !strings.HasPrefix(arn, "arn:aws:sqs:us-east-1:") {
		t.Fatalf("created %s with %v", id, outputs)
	}

	old := outputs
	inputs := properties(map[string]any{"name": outputs["name"].StringValue(), "delaySeconds": 3})
	updated, err := p.Update(t.Context(), r(tokenQueue, "jobs"), id, properties(map[string]any{"name": old["name"].StringValue(), "visibilityTimeoutSeconds": 60}), inputs)
	if err != nil {
		t.Fatal(err)
	}
	if _, stale := updated["visibilityTimeoutSeconds"]; stale || updated["delaySeconds"].NumberValue() != 3 || updated["arn"].StringValue() != arn {
		t.Errorf("outputs after the update: %v", updated)
	}
	attributes, err := services.Queues.Attributes(arn)
	if err != nil {
		t.Fatal(err)
	}
	if attributes["VisibilityTimeout"] != "30" || attributes["DelaySeconds"] != "3" {
		t.Errorf("the queue has %v", attributes)
	}

	if read, ok := p.Read(r(tokenQueue, "jobs").URN, id); !ok || !read.DeepEquals(updated) {
		t.Errorf("read %v, want %v", read, updated)
	}
	for range 2 { // what is gone already is no error
		if err := p.Delete(t.Context(), r(tokenQueue, "jobs"), id, inputs); err != nil {
			t.Fatal(err)
		}
	}
	if _, ok := p.Read(r(tokenQueue, "jobs").URN, id); ok {
		t.Error("the queue is still there after its deletion")
	}
	if _, err := services.Queues.Attributes(arn); err == nil {
		t.Error("the service still has the queue")
	}
}

// thing registers a resource of any type.
type thing struct {
	pulumi.CustomResourceState
	Arn          pulumi.StringOutput `pulumi:"arn"`
	Name         pulumi.StringOutput `pulumi:"name"`
	APIEndpoint  pulumi.StringOutput `pulumi:"apiEndpoint"`
	RootResource pulumi.StringOutput `pulumi:"rootResourceId"`
}

func register(t *testing.T, ctx *pulumi.Context, token, name string, inputs pulumi.Map, opts ...pulumi.ResourceOption) *thing {
	t.Helper()
	made := &thing{}
	if err := ctx.RegisterResource(token, name, inputs, made, opts...); err != nil {
		t.Error(err)
	}
	return made
}

func run(t *testing.T, services provision.Services, body pulumi.RunFunc) (*provision.Graph, error) {
	t.Helper()
	return provision.Run(t.Context(), provision.New(services), provision.Program{
		Project: "streaming-service", Stack: "dev", Config: map[string]string{"streaming-service:colour": "red"}, Body: body,
	}, slog.New(slog.DiscardHandler))
}

func TestRunRealisesAProgram(t *testing.T) {
	t.Parallel()
	services := newServices(t)
	zipPath := functionZip(t)
	program := func(ctx *pulumi.Context) error {
		colour, _ := ctx.GetConfig("streaming-service:colour")
		parent := &pulumi.ResourceState{}
		if err := ctx.RegisterComponentResource("test:index:Parent", "parent", parent); err != nil {
			return err
		}
		role := register(t, ctx, tokenRole, "role", pulumi.Map{"assumeRolePolicy": pulumi.String(trustLambda)}, pulumi.Parent(parent))
		function := register(t, ctx, "aws:lambda/function:Function", "hello", pulumi.Map{
			"role": role.Arn, "runtime": pulumi.String("provided.al2023"), "handler": pulumi.String("bootstrap"),
			"code": pulumi.NewFileArchive(zipPath), "timeout": pulumi.Int(5),
			"environment": pulumi.Map{"variables": pulumi.StringMap{"COLOUR": pulumi.String(colour)}},
		}, pulumi.Parent(parent))
		api := register(t, ctx, "aws:apigatewayv2/api:Api", "socket", pulumi.Map{
			"protocolType": pulumi.String("WEBSOCKET"), "routeSelectionExpression": pulumi.String("$request.body.action"),
		})
		register(t, ctx, "aws:cloudwatch/logGroup:LogGroup", "logs", pulumi.Map{"retentionInDays": pulumi.Int(7)})
		ctx.Export("endpoint", api.APIEndpoint)
		ctx.Export("function", pulumi.Map{"name": function.Name})
		return nil
	}
	graph, err := run(t, services, program)
	if err != nil {
		t.Fatal(err)
	}
	byName := map[string]provision.Node{}
	for _, node := range graph.Nodes() {
		byName[node.Name] = node
	}
	if node := byName["role"]; !strings.HasPrefix(node.ID, "role-") || node.Parent != byName["parent"].URN || !node.Effect {
		t.Errorf("role is %+v, want a physical name and the parent's URN", node)
	}
	if node := byName["logs"]; node.Effect || node.ID == "" {
		t.Errorf("log group is %+v, want one without effect", node)
	}
	endpoint, _ := graph.Outputs()["endpoint"].(string)
	if want := "ws://127.0.0.1:8080/_aws/websocket/" + byName["socket"].ID; endpoint != want {
		t.Errorf("endpoint %q, want %q", endpoint, want)
	}
	if got := services.Functions.Functions(); len(got) != 1 || !strings.HasPrefix(got[0], "hello-") {
		t.Errorf("functions %v, want hello", got)
	}

	again, err := run(t, newServices(t), program)
	if err != nil {
		t.Fatal(err)
	}
	if again.Outputs()["endpoint"] != endpoint {
		t.Errorf("another run gave %v, want the same physical ids as before: %s", again.Outputs()["endpoint"], endpoint)
	}
}

func TestRunNamesTheFirstFailure(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		body func(*testing.T, *pulumi.Context) error
		want string
	}{
		{"resource", func(t *testing.T, ctx *pulumi.Context) error {
			t.Helper()
			register(t, ctx, tokenRole, "broken", pulumi.Map{"assumeRolePolicy": pulumi.String("{}")})
			return nil
		}, `creating aws:iam/role:Role "broken": `},
		{"type", func(t *testing.T, ctx *pulumi.Context) error {
			t.Helper()
			register(t, ctx, "aws:s3/bucket:Bucket", "files", nil)
			return nil
		}, "resource type aws:s3/bucket:Bucket has no counterpart in the local cloud"},
		{"dependent", func(t *testing.T, ctx *pulumi.Context) error {
			t.Helper()
			role := register(t, ctx, tokenRole, "broken", pulumi.Map{"assumeRolePolicy": pulumi.String("{}")})
			register(t, ctx, "aws:iam/rolePolicy:RolePolicy", "policy", pulumi.Map{"role": role.Name})
			return nil
		}, `"broken"`},
		{"program", func(*testing.T, *pulumi.Context) error { return context.DeadlineExceeded }, "context deadline exceeded"},
		{"function of the provider", func(t *testing.T, ctx *pulumi.Context) error {
			t.Helper()
			return ctx.Invoke("aws:ec2/getAmi:getAmi", map[string]any{}, &map[string]any{})
		}, "aws:ec2/getAmi:getAmi has no counterpart"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := run(t, newServices(t), func(ctx *pulumi.Context) error { return test.body(t, ctx) })
			if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("got error %q, want one line with %q", err, test.want)
			}
		})
	}
}
