package component_test

import (
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/streaming-service/streaming-service/components"
)

// taggable are the types that take tags.
var taggable = []string{
	"aws:apigateway/domainName:DomainName", "aws:apigateway/restApi:RestApi", "aws:apigateway/stage:Stage",
	"aws:apigatewayv2/api:Api", "aws:apigatewayv2/domainName:DomainName", "aws:apigatewayv2/stage:Stage",
	"aws:cloudfront/distribution:Distribution", "aws:cloudwatch/eventRule:EventRule", "aws:cloudwatch/logGroup:LogGroup", "aws:cloudwatch/metricAlarm:MetricAlarm",
	"aws:cognito/identityPool:IdentityPool", "aws:cognito/userPool:UserPool", "aws:dynamodb/table:Table", "aws:iam/role:Role",
	"aws:lambda/eventSourceMapping:EventSourceMapping", "aws:lambda/function:Function", "aws:s3/bucketV2:BucketV2", "aws:sqs/queue:Queue",
}

func TestTags(t *testing.T) {
	t.Parallel()
	r, seen := declare(t, everything()), map[string]bool{}
	for name, d := range r.resources {
		tags, tagged := d.Inputs["tags"].(map[string]any)
		switch takes := slices.Contains(taggable, d.Type); {
		case takes && tags["team"] != "chat":
			t.Errorf("%s %s has tags %v", d.Type, name, tags)
		case !takes && tagged && d.Type != components.Type:
			t.Errorf("%s %s takes tags but is not listed", d.Type, name)
		}
		seen[d.Type] = true
	}
	for _, token := range taggable {
		if !seen[token] {
			t.Errorf("no %s was declared", token)
		}
	}
}

// TestProvider: the provider given to the component is that of every child.
func TestProvider(t *testing.T) {
	t.Parallel()
	r, err := run(func(ctx *pulumi.Context) error {
		provider, err := aws.NewProvider(ctx, "elsewhere", &aws.ProviderArgs{Region: pulumi.String("eu-north-1")})
		if err != nil {
			return err
		}
		_, err = components.NewStreamingService(ctx, service, withFake(everything()), pulumi.Providers(provider))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, d := range r.resources {
		if strings.HasPrefix(d.Type, "aws:") && !strings.Contains(d.Provider, "::elsewhere::") {
			t.Errorf("%s %s has provider %q", d.Type, name, d.Provider)
		}
	}
}

// TestWhatExists: settings that decide which resources there are.
func TestWhatExists(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		args   *args
		absent []string
	}{
		{"defaults", nil, []string{"tier-", "alarm", "access-logs", "api-gateway-", "domain", "web-acl"}},
		{"no sweep", &args{Queue: &components.QueueSettings{SweepIntervalMinutes: new(0)}}, []string{"sweep"}},
		{"no dashboard", &args{Observability: &components.ObservabilitySettings{Dashboard: new(false)}}, []string{"dashboard"}},
		{"logs with somebody's role", &args{Observability: &components.ObservabilitySettings{AccessLogs: new(true)}}, []string{"api-gateway-"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			for name := range declare(t, test.args).resources {
				for _, part := range test.absent {
					if strings.Contains(name, part) {
						t.Errorf("%s was declared", name)
					}
				}
			}
		})
	}
	if declare(t, nil).find(t, "dashboard").Type == "" {
		t.Error("no dashboard by default")
	}
}

func TestAdoptedUserPool(t *testing.T) {
	t.Parallel()
	given := everything()
	given.Auth = &components.AuthSettings{UserPoolId: pulumi.String("eu-west-1_Abc"), UserPoolClientId: pulumi.String("client1")}
	r := declare(t, given)
	for name, d := range r.resources {
		if slices.Contains([]string{"aws:cognito/userPool:UserPool", "aws:cognito/userPoolClient:UserPoolClient", "aws:cognito/userGroup:UserGroup"}, d.Type) {
			t.Errorf("%s %s was declared beside the adopted pool", d.Type, name)
		}
	}
	want := []any{"arn:aws:cognito-idp:eu-west-1:123456789012:userpool/eu-west-1_Abc"}
	if got := restDocument(t, r).at("components", "securitySchemes", "idToken", "x-amazon-apigateway-authorizer", "providerARNs"); !reflect.DeepEqual(got, want) {
		t.Errorf("authorizer has pools %v, want %v", got, want)
	}
	if got := r.find(t, "authorizer").property("environment", "variables", "USER_POOL_ID"); got != "eu-west-1_Abc" {
		t.Errorf("authorizer function has pool %v", got)
	}
	for _, function := range []string{"authorizer", "quota", "requests"} {
		if got := r.find(t, function).property("environment", "variables", "USER_POOL_CLIENT_ID"); got != "client1" {
			t.Errorf("function %s has client %v", function, got)
		}
	}
}

// TestProtection: what holds data is protected in Pulumi as in AWS, and so is
// what a destroy begins with.
func TestProtection(t *testing.T) {
	t.Parallel()
	for _, protected := range []bool{true, false} {
		r := declare(t, &args{Protection: &components.ProtectionSettings{DeletionProtection: &protected}})
		want := []string{}
		if protected {
			want = []string{"svc-connections-table", "svc-deletion-guard", "svc-quota-table", "svc-requests-table", "svc-user-pool"}
		}
		got := []string{}
		for _, name := range slices.Sorted(maps.Keys(r.resources)) {
			if r.resources[name].Protect {
				got = append(got, name)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("with deletionProtection %v, protected are %v, want %v", protected, got, want)
		}
	}
}

// TestADestroyBeginsWithTheGuard: a resource that the guard does not depend on
// may be deleted beside it, although the destroy is refused.
func TestADestroyBeginsWithTheGuard(t *testing.T) {
	t.Parallel()
	for range 20 { // the SDK registers resources in goroutines
		r := declare(t, everything())
		guard := r.find(t, "deletion-guard")
		for name, d := range r.resources {
			if strings.HasPrefix(d.Type, "aws:") && !slices.Contains(guard.Dependencies, name) {
				t.Errorf("the guard does not depend on %s", name)
			}
		}
	}
}

// TestOrder: what must exist before a resource although no property says so.
func TestOrder(t *testing.T) {
	t.Parallel()
	r := declare(t, everything())
	for role, before := range map[string][]string{
		"quota":             {"quota-policy"},
		"processor-mapping": {"processor-policy"},
		"recovery-mapping":  {"recovery-policy"},
		"sweep-target":      {"sweep-permission", "sweep-once"},
		"websocket-stage":   {"connect-route", "disconnect-route", "default-route", "api-gateway-account"},
		"rest-stage":        {"api-gateway-account"},
		"rest-deployment":   {"rest-api"},
	} {
		d := r.find(t, role)
		for _, b := range before {
			if !slices.Contains(d.Dependencies, service+"-"+b) {
				t.Errorf("%s does not wait for %s but for %v", role, b, d.Dependencies)
			}
		}
	}
}

// TestUntypedVersion: resources registered by their token name the provider's
// version, as the SDK does for those that have a package.
func TestUntypedVersion(t *testing.T) {
	t.Parallel()
	r := declare(t, everything())
	for _, role := range []string{"web-acl-association", "rest-domain-record", "queue"} {
		if got := r.find(t, role).Version; got != components.ProviderVersion {
			t.Errorf("%s has version %q, want %q", role, got, components.ProviderVersion)
		}
	}
}

// TestTwoServices: one program may hold several.
func TestTwoServices(t *testing.T) {
	t.Parallel()
	r, err := run(func(ctx *pulumi.Context) error {
		for _, name := range []string{"one", "two"} {
			if _, err := components.NewStreamingService(ctx, name, withFake(nil)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	count := map[string]int{}
	for name, d := range r.resources {
		if d.Parent == "one" || d.Parent == "two" {
			count[d.Parent]++
			if !strings.HasPrefix(name, d.Parent+"-") {
				t.Errorf("%s has parent %s", name, d.Parent)
			}
		}
	}
	if count["one"] != count["two"] || count["one"] < 50 {
		t.Errorf("the services have %v resources", count)
	}
}
