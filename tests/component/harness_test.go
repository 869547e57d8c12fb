// Package component_test asserts what the component declares, with Pulumi's
// mocks in place of AWS.
package component_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/streaming-service/streaming-service/components"
)

const (
	project = "streaming-service"
	service = "svc" // name of the component in most tests
)

// declared is a resource as the program registered it.
type declared struct {
	Type, Name, Parent string
	Inputs             map[string]any
	Protect, Retain    bool
	Provider, Version  string
	Dependencies       []string
}

// recorder stands in for AWS and keeps what is declared. Mocks are called
// concurrently; read it when the program is done.
type recorder struct {
	mu        sync.Mutex
	resources map[string]declared
}

func (r *recorder) Call(args pulumi.MockCallArgs) (resource.PropertyMap, error) {
	answers := map[string]map[string]any{
		"aws:index/getRegion:getRegion":                 {"name": "eu-west-1", "id": "eu-west-1"},
		"aws:index/getPartition:getPartition":           {"partition": "aws", "dnsSuffix": "amazonaws.com", "id": "aws"},
		"aws:index/getCallerIdentity:getCallerIdentity": {"accountId": "123456789012", "id": "123456789012"},
	}
	answer, ok := answers[args.Token]
	if !ok {
		return nil, fmt.Errorf("the test knows no function %s", args.Token)
	}
	return resource.NewPropertyMapFromMap(answer), nil
}

func (r *recorder) NewResource(args pulumi.MockResourceArgs) (string, resource.PropertyMap, error) {
	d := declared{Type: args.TypeToken, Name: args.Name, Provider: args.Provider, Inputs: args.Inputs.Mappable()}
	if code := args.Inputs["code"]; code.IsArchive() {
		d.Inputs["code"] = map[string]any{"path": code.ArchiveValue().Path}
	}
	if rpc := args.RegisterRPC; rpc != nil {
		d.Protect, d.Retain, d.Version = rpc.GetProtect(), rpc.GetRetainOnDelete(), rpc.GetVersion()
		d.Parent = nameOf(rpc.GetParent())
		for _, urn := range rpc.GetDependencies() {
			d.Dependencies = append(d.Dependencies, nameOf(urn))
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.resources[args.Name] = d
	outputs := args.Inputs.Copy()
	for key, v := range computed(args.TypeToken, args.Name) {
		if _, given := outputs[resource.PropertyKey(key)]; !given {
			outputs[resource.PropertyKey(key)] = resource.NewStringProperty(v)
		}
	}
	if args.TypeToken == "aws:apigatewayv2/domainName:DomainName" {
		configuration := outputs["domainNameConfiguration"].ObjectValue()
		configuration["targetDomainName"] = resource.NewStringProperty(args.Name + ".target")
		configuration["hostedZoneId"] = resource.NewStringProperty("ZTARGET")
	}
	return args.Name + "-id", outputs, nil
}

// computed are the properties that AWS decides.
func computed(token, name string) map[string]string {
	p := map[string]string{"name": name + "-name", "arn": "arn:" + name}
	switch token {
	case "aws:lambda/function:Function":
		p["invokeArn"] = "arn:invoke:" + name
	case "aws:sqs/queue:Queue":
		p["url"] = "https://sqs/" + name
	case "aws:s3/bucketV2:BucketV2":
		p["bucketRegionalDomainName"] = name + "-bucket.s3.eu-west-1.amazonaws.com"
	case "aws:cloudfront/distribution:Distribution":
		p["domainName"] = "d111111abcdef8.cloudfront.net"
	case "aws:apigatewayv2/api:Api":
		p["apiEndpoint"], p["executionArn"] = "wss://"+name+".execute-api", "arn:execute:"+name
	case "aws:apigateway/restApi:RestApi":
		p["executionArn"], p["rootResourceId"] = "arn:execute:"+name, "root"
	case "aws:apigateway/stage:Stage":
		p["invokeUrl"] = "https://rest/v1"
	case "aws:apigatewayv2/stage:Stage":
		p["invokeUrl"] = "wss://socket/v1/"
	case "aws:apigateway/domainName:DomainName":
		p["regionalDomainName"], p["regionalZoneId"] = name+".target", "ZTARGET"
	}
	return p
}

func nameOf(urn string) string { return urn[strings.LastIndex(urn, ":")+1:] }

// fakeBuilder pretends to build functions.
type fakeBuilder struct{}

func (fakeBuilder) Build(_ context.Context, function, architecture string) (string, error) {
	return function + "-" + architecture + ".zip", nil
}

// run runs a program against a new recorder.
func run(program pulumi.RunFunc) (*recorder, error) {
	r := &recorder{resources: map[string]declared{}}
	err := pulumi.RunErr(program, pulumi.WithMocks(project, "test", r))
	return r, err
}

// declare runs a program with one service and returns what it declares.
func declare(t *testing.T, args *components.StreamingServiceArgs) *recorder {
	t.Helper()
	r, err := tryDeclare(args)
	if err != nil {
		t.Fatalf("declaring the service: %v", err)
	}
	return r
}

// tryDeclare returns the error of the constructor or, failing later, of the
// program.
func tryDeclare(args *components.StreamingServiceArgs) (*recorder, error) {
	var refused error
	r, err := run(func(ctx *pulumi.Context) error {
		_, refused = components.NewStreamingService(ctx, service, withFake(args))
		return refused
	})
	if refused != nil {
		return r, refused
	}
	return r, err
}

func withFake(args *components.StreamingServiceArgs) *components.StreamingServiceArgs {
	if args == nil {
		args = &components.StreamingServiceArgs{}
	}
	args.FunctionBuilder = fakeBuilder{}
	return args
}

// find returns the resource of the service whose name ends in role.
func (r *recorder) find(t *testing.T, role string) declared {
	t.Helper()
	d, ok := r.resources[service+"-"+role]
	if !ok {
		t.Fatalf("no resource %s-%s among %v", service, role, slices.Sorted(maps.Keys(r.resources)))
	}
	return d
}

// ofType returns all resources of a type, by name.
func (r *recorder) ofType(token string) []declared {
	var found []declared
	for _, name := range slices.Sorted(maps.Keys(r.resources)) {
		if r.resources[name].Type == token {
			found = append(found, r.resources[name])
		}
	}
	return found
}

// property returns the input at a path of keys, or nil.
func (d declared) property(path ...string) any {
	var v any = d.Inputs
	for _, key := range path {
		object, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = object[key]
	}
	return v
}

// indented formats JSON, or anything else, for comparison.
func indented(t *testing.T, v any) string {
	t.Helper()
	if text, ok := v.(string); ok {
		if json.Unmarshal([]byte(text), &v) != nil {
			return text
		}
	}
	encoded, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return string(encoded)
}
