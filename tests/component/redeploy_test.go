package component_test

import (
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
		return declare(t, args).find(t, "rest-deployment").property("triggers", "document")
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
