package component_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/streaming-service/streaming-service/components"
)

// naming says how AWS limits the names of a type, and which property holds
// them. Types without a property have no name that anybody chooses.
type naming struct {
	property string
	longest  int
	pattern  string
}

// autonamed is what Pulumi adds to a logical name: a hyphen and seven digits.
const autonamed = "-0123abc"

// namings are those of every type, by the API references of its service.
var namings = map[string]naming{
	"aws:apigateway/domainName:DomainName":                                 {"domainName", 253, `[a-z0-9.-]+`},
	"aws:apigateway/restApi:RestApi":                                       {"name", 1024, `.+`},
	"aws:apigateway/stage:Stage":                                           {"stageName", 128, `[A-Za-z0-9_-]+`},
	"aws:apigatewayv2/api:Api":                                             {"name", 128, `.+`},
	"aws:apigatewayv2/authorizer:Authorizer":                               {"name", 128, `.+`},
	"aws:apigatewayv2/domainName:DomainName":                               {"domainName", 253, `[a-z0-9.-]+`},
	"aws:apigatewayv2/stage:Stage":                                         {"name", 128, `[A-Za-z0-9_-]+`},
	"aws:cloudfront/originAccessControl:OriginAccessControl":               {"name", 64, `[A-Za-z0-9_-]+`},
	"aws:cloudfront/responseHeadersPolicy:ResponseHeadersPolicy":           {"name", 128, `[A-Za-z0-9_-]+`},
	"aws:cloudwatch/dashboard:Dashboard":                                   {"dashboardName", 255, `[A-Za-z0-9_-]+`},
	"aws:cloudwatch/eventRule:EventRule":                                   {"name", 64, `[.A-Za-z0-9_-]+`},
	"aws:cloudwatch/logGroup:LogGroup":                                     {"name", 512, `[.\-_/#A-Za-z0-9]+`},
	"aws:cloudwatch/metricAlarm:MetricAlarm":                               {"name", 255, `.+`},
	"aws:cognito/identityPool:IdentityPool":                                {"identityPoolName", 128, `[\w\s+=,.@-]+`},
	"aws:cognito/userGroup:UserGroup":                                      {"name", 128, `[A-Za-z0-9_-]+`},
	"aws:cognito/userPool:UserPool":                                        {"name", 128, `[\w\s+=,.@-]+`},
	"aws:cognito/userPoolClient:UserPoolClient":                            {"name", 128, `[\w\s+=,.@-]+`},
	"aws:dynamodb/table:Table":                                             {"name", 255, `[a-zA-Z0-9_.-]{3,}`},
	"aws:iam/role:Role":                                                    {"name", 64, `[\w+=,.@-]+`},
	"aws:iam/rolePolicy:RolePolicy":                                        {"name", 128, `[\w+=,.@-]+`},
	"aws:lambda/function:Function":                                         {"name", 64, `[a-zA-Z0-9-_]+`},
	"aws:lambda/permission:Permission":                                     {"statementId", 100, `[a-zA-Z0-9-_]+`},
	"aws:route53/record:Record":                                            {"name", 253, `[a-z0-9.-]+`},
	"aws:s3/bucketV2:BucketV2":                                             {"bucket", 63, `[A-Za-z0-9.-]+`}, // the provider puts it into lower case
	"aws:s3/bucketObjectv2:BucketObjectv2":                                 {"key", 1024, `.+`},
	"aws:sqs/queue:Queue":                                                  {"name", 80, `[a-zA-Z0-9_-]+`},
	"streaming:index:DeletionGuard":                                        {},
	components.Type:                                                        {},
	"aws:apigateway/account:Account":                                       {},
	"aws:apigateway/basePathMapping:BasePathMapping":                       {},
	"aws:apigateway/deployment:Deployment":                                 {},
	"aws:apigateway/methodSettings:MethodSettings":                         {},
	"aws:apigatewayv2/apiMapping:ApiMapping":                               {},
	"aws:apigatewayv2/integration:Integration":                             {},
	"aws:apigatewayv2/route:Route":                                         {},
	"aws:cloudfront/distribution:Distribution":                             {},
	"aws:cloudwatch/eventTarget:EventTarget":                               {}, // its id is made by the provider
	"aws:cognito/identityPoolRoleAttachment:IdentityPoolRoleAttachment":    {},
	"aws:iam/rolePolicyAttachment:RolePolicyAttachment":                    {},
	"aws:lambda/eventSourceMapping:EventSourceMapping":                     {},
	"aws:sqs/queuePolicy:QueuePolicy":                                      {},
	"aws:s3/bucketCorsConfigurationV2:BucketCorsConfigurationV2":           {},
	"aws:s3/bucketLifecycleConfigurationV2:BucketLifecycleConfigurationV2": {},
	"aws:s3/bucketOwnershipControls:BucketOwnershipControls":               {},
	"aws:s3/bucketPolicy:BucketPolicy":                                     {},
	"aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock":               {},
	"aws:s3/bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2": {},
	"aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig":                             {},
	"aws:wafv2/webAclAssociation:WebAclAssociation":                                              {},
}

// long is a name of so many characters, of a project, stack or service.
func long(characters int, end string) string {
	return strings.Repeat("Ab-9", characters)[:characters-len(end)] + end
}

// declareIn declares a service with everything on in a project and stack.
func declareIn(t *testing.T, project, stack, name string) *recorder {
	t.Helper()
	given := everything()
	given.Observability.Dashboard, given.Protection.DeletionProtection = new(true), new(true)
	r := &recorder{resources: map[string]declared{}}
	err := pulumi.RunErr(func(ctx *pulumi.Context) error {
		_, err := components.NewStreamingService(ctx, name, withFake(given))
		return err
	}, pulumi.WithMocks(project, stack, r))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestNamesFit: AWS takes the name of every resource, however long the names
// of project, stack and service are.
func TestNamesFit(t *testing.T) {
	t.Parallel()
	r := declareIn(t, long(90, ".x"), long(90, ".x"), long(30, "x"))
	for logical, d := range r.resources {
		naming, listed := namings[d.Type]
		if !listed {
			if strings.HasPrefix(d.Type, "aws:") || strings.HasPrefix(d.Type, "streaming:") {
				t.Errorf("type %s of %s is not among the namings of this test", d.Type, logical)
			}
			continue
		}
		if naming.property == "" {
			continue
		}
		name, given := d.Inputs[naming.property].(string)
		if !given {
			name = logical + autonamed
		}
		if len(name) > naming.longest || !regexp.MustCompile(`^(?:`+naming.pattern+`)$`).MatchString(name) {
			t.Errorf("%s %s has the name %s of %d characters, AWS takes %d of %s", d.Type, logical, name, len(name), naming.longest, naming.pattern)
		}
	}
}

// TestNamingsAreUsed: the table names no type that is not declared.
func TestNamingsAreUsed(t *testing.T) {
	t.Parallel()
	declared := map[string]bool{}
	for _, d := range declareIn(t, project, "test", service).resources {
		declared[d.Type] = true
	}
	for token := range namings {
		if !declared[token] {
			t.Errorf("no %s was declared", token)
		}
	}
}

// TestNamesDiffer: what is cut, or loses characters, still differs.
func TestNamesDiffer(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, role, property string
		one, other           [2]string // project and stack
		want                 string
	}{
		{"long stacks", "identity-pool", "identityPoolName", [2]string{"p", long(130, "1")}, [2]string{"p", long(130, "2")}, ""},
		{"long dashboards", "dashboard", "dashboardName", [2]string{long(100, "p"), long(160, "1")}, [2]string{long(100, "p"), long(160, "2")}, ""},
		{"dots", "dashboard", "dashboardName", [2]string{"a.b", "s"}, [2]string{"a-b", "s"}, "a-b-svc-s"},
	} {
		one := declareIn(t, test.one[0], test.one[1], service).find(t, test.role).Inputs[test.property]
		other := declareIn(t, test.other[0], test.other[1], service).find(t, test.role).Inputs[test.property]
		if one == other || test.want != "" && other != test.want {
			t.Errorf("%s: %s are %v and %v", test.name, test.property, one, other)
		}
	}
}

// TestLongMetricDimension: functions write, and alarms and dashboard read, one
// dimension that CloudWatch takes.
func TestLongMetricDimension(t *testing.T) {
	t.Parallel()
	r := declareIn(t, long(90, ".x"), long(90, ".x"), service)
	written, _ := r.find(t, "quota").property("environment", "variables", "SERVICE_NAME").(string)
	if len(written) == 0 || len(written) > 1024 {
		t.Errorf("the dimension has %d characters", len(written))
	}
	body, _ := r.find(t, "dashboard").Inputs["dashboardBody"].(string)
	if !strings.Contains(body, written) {
		t.Errorf("the dashboard does not draw %s", written)
	}
	for _, d := range r.ofType("aws:cloudwatch/metricAlarm:MetricAlarm") {
		if watched := d.property("dimensions", "Service"); watched != nil && watched != written {
			t.Errorf("%s watches %v, the functions write %s", d.Name, watched, written)
		}
	}
}
