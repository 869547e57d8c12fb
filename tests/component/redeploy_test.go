package component_test

import (
	"slices"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/streaming-service/streaming-service/components"
)

// TestRedeploy: the REST API is deployed again exactly when something changes
// that its deployment is a snapshot of.
func TestRedeploy(t *testing.T) {
	t.Parallel()
	snapshot := func(args *args) any {
		t.Helper()
		return declare(t, args).find(t, "rest-deployment").property("triggers", "snapshot")
	}
	before := snapshot(nil)
	for name, test := range map[string]struct {
		args *args
		same bool
	}{
		"nothing":   {&args{}, true},
		"throttle":  {&args{Throttle: &components.ThrottleSettings{RateLimit: pulumi.Float64(5)}}, true},
		"quota":     {&args{Quota: &components.QuotaSettings{MonthlyRequests: pulumi.Int(5)}}, true},
		"tags":      {&args{Tags: pulumi.StringMap{"a": pulumi.String("b")}}, true},
		"user pool": {&args{Auth: &components.AuthSettings{UserPoolId: pulumi.String("eu-west-1_Abc"), UserPoolClientId: pulumi.String("c")}}, false},
	} {
		if got := snapshot(test.args); (got == before) != test.same {
			t.Errorf("change of %s: deployment is the same: %v, want %v", name, got == before, test.same)
		}
	}
}

// TestDeploymentSeesAll: the deployment waits for every part of the API that it
// is a snapshot of, and is replaced when any of them is.
func TestDeploymentSeesAll(t *testing.T) {
	t.Parallel()
	r := declare(t, nil)
	waitsFor := r.find(t, "rest-deployment").Dependencies
	for _, token := range []string{"restApi:RestApi", "authorizer:Authorizer", "resource:Resource", "method:Method", "integration:Integration", "response:Response"} {
		parts := r.ofType("aws:apigateway/" + token)
		if len(parts) == 0 {
			t.Errorf("no %s was declared", token)
		}
		for _, part := range parts {
			if !slices.Contains(waitsFor, part.Name) {
				t.Errorf("the deployment does not wait for %s", part.Name)
			}
		}
	}
}

// TestBodiesArriveAsTheyAre: API Gateway would repair a body that it takes for
// text, and the function could not refuse it.
func TestBodiesArriveAsTheyAre(t *testing.T) {
	t.Parallel()
	if got, want := indented(t, declare(t, nil).find(t, "rest-api").Inputs["binaryMediaTypes"]), indented(t, []string{"*/*"}); got != want {
		t.Errorf("binary media types %s, want %s", got, want)
	}
}
