package iam_test

import (
	"strings"
	"testing"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
	"github.com/streaming-service/streaming-service/internal/localcloud/iam"
)

const lambdaTrust = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}`

// newRole returns a service with one role and the role's access key.
func newRole(t testing.TB, policies ...string) (*iam.Service, string) {
	t.Helper()
	service := iam.New()
	arn, err := service.CreateRole("worker", lambdaTrust)
	if err != nil {
		t.Fatal(err)
	}
	for i, policy := range policies {
		if err := service.PutRolePolicy("worker", string(rune('a'+i)), policy); err != nil {
			t.Fatal(err)
		}
	}
	key, _, _ := service.Credentials(arn)
	return service, key
}

func statement(members string) string {
	return `{"Version":"2012-10-17","Statement":[{` + members + `}]}`
}

func TestAllowed(t *testing.T) {
	t.Parallel()
	const table = "arn:aws:dynamodb:us-east-1:000000000000:table/requests"
	get := awsapi.Permission{Action: "dynamodb:GetItem", Resource: table}
	invoke := awsapi.Permission{
		Action: "bedrock:InvokeModelWithResponseStream", Resource: "arn:aws:bedrock:us-east-1::foundation-model/nova",
		Context: map[string]string{"bedrock:InferenceProfileArn": "arn:aws:bedrock:us-east-1:000000000000:inference-profile/global.nova"},
	}
	tests := []struct {
		name     string
		policies []string
		ask      awsapi.Permission
		want     string // "" is allowed; else part of the message
	}{
		{"no policy", nil, get, "because no identity-based policy allows the dynamodb:GetItem action"},
		{"exact", []string{statement(`"Effect":"Allow","Action":"dynamodb:GetItem","Resource":"` + table + `"`)}, get, ""},
		{"one statement as object", []string{`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":["dynamodb:PutItem","dynamodb:GetItem"],"Resource":["` + table + `"]}}`}, get, ""},
		{"other action", []string{statement(`"Effect":"Allow","Action":"dynamodb:PutItem","Resource":"*"`)}, get, "no identity-based policy"},
		{"other resource", []string{statement(`"Effect":"Allow","Action":"dynamodb:GetItem","Resource":"` + table + `2"`)}, get, "no identity-based policy"},
		{"action without case", []string{statement(`"Effect":"Allow","Action":"DynamoDB:getitem","Resource":"*"`)}, get, ""},
		{"wildcards", []string{statement(`"Effect":"Allow","Action":"dynamodb:Get*","Resource":"arn:aws:dynamodb:*:*:table/req*"`)}, get, ""},
		{"wildcard stays in its part", []string{statement(`"Effect":"Allow","Action":"dynamodb:GetItem","Resource":"arn:aws:*:000000000000:table/requests:x"`)}, get, "no identity-based policy"},
		{"deny wins", []string{statement(`"Effect":"Allow","Action":"*","Resource":"*"`), statement(`"Effect":"Deny","Action":"dynamodb:*","Resource":"*"`)}, get, "with an explicit deny"},
		{"NotAction", []string{statement(`"Effect":"Allow","NotAction":"dynamodb:PutItem","Resource":"*"`)}, get, ""},
		{"NotResource", []string{statement(`"Effect":"Allow","Action":"dynamodb:GetItem","NotResource":"` + table + `"`)}, get, "no identity-based policy"},
		{"ArnLike holds", []string{statement(`"Effect":"Allow","Action":"bedrock:InvokeModelWithResponseStream","Resource":"arn:aws:bedrock:*::foundation-model/nova",
			"Condition":{"ArnLike":{"bedrock:InferenceProfileArn":"arn:aws:bedrock:*:*:inference-profile/global.*"}}`)}, invoke, ""},
		{"ArnEquals fails", []string{statement(`"Effect":"Allow","Action":"bedrock:InvokeModelWithResponseStream","Resource":"*",
			"Condition":{"ArnEquals":{"bedrock:InferenceProfileArn":"arn:aws:bedrock:us-east-1:000000000000:inference-profile/eu.nova"}}`)}, invoke, "no identity-based policy"},
		{"key absent", []string{statement(`"Effect":"Allow","Action":"dynamodb:GetItem","Resource":"*","Condition":{"StringEquals":{"aws:x":"y"}}`)}, get, "no identity-based policy"},
		{"key absent, IfExists", []string{statement(`"Effect":"Allow","Action":"dynamodb:GetItem","Resource":"*","Condition":{"StringEqualsIfExists":{"aws:x":"y"}}`)}, get, ""},
		{"key absent, negated", []string{statement(`"Effect":"Allow","Action":"dynamodb:GetItem","Resource":"*","Condition":{"StringNotLike":{"aws:x":"y*"}}`)}, get, ""},
		{"Null", []string{statement(`"Effect":"Allow","Action":"dynamodb:GetItem","Resource":"*","Condition":{"Null":{"aws:x":true}}`)}, get, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			service, key := newRole(t, test.policies...)
			refusal := service.Allowed(key, test.ask)
			switch {
			case test.want == "" && refusal != nil:
				t.Errorf("got %v, want allowed", refusal)
			case test.want != "" && (refusal == nil || refusal.Code != "AccessDeniedException" || !strings.Contains(refusal.Message, test.want)):
				t.Errorf("got %v, want AccessDeniedException with %q", refusal, test.want)
			}
		})
	}
}

func TestForAnyValue(t *testing.T) {
	t.Parallel()
	policy := statement(`"Effect":"Allow","Action":"dynamodb:GetItem","Resource":"*","Condition":{"ForAnyValue:StringLike":{"cognito-identity.amazonaws.com:amr":["auth*"]}}`)
	service, key := newRole(t, policy)
	for value, allowed := range map[string]bool{"unauthenticated": false, "x\nauthenticated": true} {
		refusal := service.Allowed(key, awsapi.Permission{Action: "dynamodb:GetItem", Resource: "*", Context: map[string]string{"cognito-identity.amazonaws.com:amr": value}})
		if (refusal == nil) != allowed {
			t.Errorf("%q: got %v, want allowed %t", value, refusal, allowed)
		}
	}
}

func TestRefusedPolicies(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, policy, want string }{
		{"operation that is no action", statement(`"Effect":"Allow","Action":"dynamodb:TransactWriteItems","Resource":"*"`), "dynamodb:TransactWriteItems does not exist"},
		{"Converse", statement(`"Effect":"Allow","Action":"bedrock:ConverseStream","Resource":"*"`), "bedrock:ConverseStream does not exist"},
		{"batch", statement(`"Effect":"Allow","Action":["sqs:SendMessage","sqs:SendMessageBatch"],"Resource":"*"`), "sqs:SendMessageBatch does not exist"},
		{"PostToConnection", statement(`"Effect":"Allow","Action":"execute-api:PostToConnection","Resource":"*"`), "does not exist"},
		{"pattern of nothing", statement(`"Effect":"Allow","Action":"dynamodb:Transact*","Resource":"*"`), "does not exist"},
		{"unknown service", statement(`"Effect":"Allow","Action":"dynamo:GetItem","Resource":"*"`), "does not know service dynamo"},
		{"no service", statement(`"Effect":"Allow","Action":"GetItem","Resource":"*"`), "service:Name"},
		{"bad effect", statement(`"Effect":"allow","Action":"*","Resource":"*"`), "effect must be Allow or Deny"},
		{"no resource", statement(`"Effect":"Allow","Action":"*"`), "exactly one of Resource"},
		{"resource is no ARN", statement(`"Effect":"Allow","Action":"*","Resource":"table/requests"`), "must be an ARN or *"},
		{"principal", statement(`"Effect":"Allow","Action":"*","Resource":"*","Principal":"*"`), "has no Principal"},
		{"misspelt member", statement(`"Effect":"Allow","Actions":"*","Resource":"*"`), "unknown field"},
		{"policy variable", statement(`"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::${aws:username}"`), "policy variables"},
		{"unknown operator", statement(`"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringMatches":{"a":"b"}}`), "condition operator StringMatches"},
		{"version", `{"Version":"2020-01-01","Statement":[]}`, "version must be 2012-10-17"},
		{"no statement", `{"Version":"2012-10-17","Statement":[]}`, "no statement"},
		{"no JSON", `{`, "MalformedPolicyDocument"},
		{"too long", strings.Repeat(" ", 10_241), "LimitExceeded"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			service, _ := newRole(t)
			if err := service.PutRolePolicy("worker", "p", test.policy); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

func TestAccessKeys(t *testing.T) {
	t.Parallel()
	service, key := newRole(t)
	ask := awsapi.Permission{Action: "sqs:SendMessage", Resource: "*"}
	if got, ok := service.Principal(key); !ok || got != "arn:aws:iam::000000000000:role/worker" {
		t.Errorf("got principal %s", got)
	}
	if _, secret, token := service.Credentials(iam.RoleARN("worker")); secret == "" || token == "" {
		t.Error("want a secret and a token")
	}
	if refusal := service.Allowed("local", ask); refusal != nil {
		t.Errorf("operator: got %v", refusal)
	}
	if refusal := service.Allowed("", ask); refusal == nil || refusal.Code != "MissingAuthenticationTokenException" {
		t.Errorf("unsigned: got %v", refusal)
	}
	service.DeleteRole("worker")
	if refusal := service.Allowed(key, ask); refusal == nil || refusal.Code != "UnrecognizedClientException" {
		t.Errorf("deleted role: got %v", refusal)
	}
}

func TestTrust(t *testing.T) {
	t.Parallel()
	service, _ := newRole(t)
	arn := iam.RoleARN("worker")
	if err := service.CanAssume(arn, "lambda.amazonaws.com"); err != nil {
		t.Error(err)
	}
	if err := service.CanAssume(arn, "apigateway.amazonaws.com"); err == nil {
		t.Error("want a refusal for another service")
	}
	if err := service.CanAssume(arn+"2", "lambda.amazonaws.com"); err == nil {
		t.Error("want a refusal for an unknown role")
	}
	trust := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Federated":"cognito-identity.amazonaws.com"},"Action":"sts:AssumeRoleWithWebIdentity",
		"Condition":{"StringEquals":{"cognito-identity.amazonaws.com:aud":"us-east-1:pool"},"ForAnyValue:StringLike":{"cognito-identity.amazonaws.com:amr":"authenticated"}}}]}`
	if _, err := service.CreateRole("user", trust); err != nil {
		t.Fatal(err)
	}
	for pool, trusted := range map[string]bool{"us-east-1:pool": true, "us-east-1:other": false} {
		err := service.CanAssumeWithWebIdentity(iam.RoleARN("user"), "cognito-identity.amazonaws.com",
			map[string]string{"cognito-identity.amazonaws.com:aud": pool, "cognito-identity.amazonaws.com:amr": "authenticated"})
		if (err == nil) != trusted {
			t.Errorf("pool %s: got %v, want trusted %t", pool, err, trusted)
		}
	}
	for _, bad := range []string{`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole"}]}`, statement(`"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole","Resource":"*"`)} {
		if _, err := service.CreateRole("bad", bad); err == nil {
			t.Errorf("want an error for trust policy %s", bad)
		}
	}
}

func TestManagedPolicies(t *testing.T) {
	t.Parallel()
	service, key := newRole(t)
	const basic = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
	logs := awsapi.Permission{Action: "logs:PutLogEvents", Resource: "arn:aws:logs:us-east-1:000000000000:log-group:x:log-stream:y"}
	if err := service.AttachRolePolicy("worker", basic); err != nil {
		t.Fatal(err)
	}
	if refusal := service.Allowed(key, logs); refusal != nil {
		t.Error(refusal)
	}
	if err := service.DetachRolePolicy("worker", basic); err != nil {
		t.Fatal(err)
	}
	if service.Allowed(key, logs) == nil {
		t.Error("a detached policy still allows")
	}
	if err := service.AttachRolePolicy("worker", "arn:aws:iam::aws:policy/AdministratorAccess"); err == nil {
		t.Error("want an error for an unknown managed policy")
	}
}

func FuzzPutRolePolicy(f *testing.F) {
	f.Add(statement(`"Effect":"Allow","Action":["dynamodb:*"],"Resource":"arn:aws:dynamodb:*:*:table/x","Condition":{"StringLike":{"a":["b*",1,true]}}`))
	f.Add(lambdaTrust)
	f.Add(`{"Statement":{"Effect":"Deny","NotAction":"sqs:?endMessage","NotResource":"*"}}`)
	f.Fuzz(func(_ *testing.T, policy string) {
		service := iam.New()
		arn, err := service.CreateRole("worker", policy)
		if err != nil {
			arn, _ = service.CreateRole("worker", lambdaTrust)
		}
		_ = service.CanAssume(arn, "lambda.amazonaws.com")
		if service.PutRolePolicy("worker", "p", policy) == nil {
			key, _, _ := service.Credentials(arn)
			service.Allowed(key, awsapi.Permission{Action: "dynamodb:GetItem", Resource: "arn:aws:dynamodb:us-east-1:000000000000:table/x", Context: map[string]string{"a": "b"}})
		}
	})
}
