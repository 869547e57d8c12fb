package component_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/streaming-service/streaming-service/components"
)

// TestResourceTree guards the identity of every resource: a change of type,
// name or parent replaces it in every deployed stack.
func TestResourceTree(t *testing.T) {
	t.Parallel()
	golden(t, "tree-default.golden", tree(declare(t, nil)))
	golden(t, "tree-everything.golden", tree(declare(t, everything())))
}

func tree(r *recorder) string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(r.resources)) {
		if d := r.resources[name]; !isFile(d) {
			fmt.Fprintf(&b, "%s %s < %s\n", d.Type, d.Name, d.Parent)
		}
	}
	return b.String()
}

// isFile tells whether a resource is a file of the chat page, which is no decision
// of the component's: TestSiteFiles has them.
func isFile(d declared) bool { return d.Type == objectType }

// TestInputs guards every property of every resource.
func TestInputs(t *testing.T) {
	t.Parallel()
	goldens(t, "inputs-default", inputs(t, declare(t, nil)))
	goldens(t, "inputs-everything", inputs(t, declare(t, everything())))
}

// inputs are those of all resources, by the AWS service that their type is of.
func inputs(t *testing.T, r *recorder) map[string]string {
	t.Helper()
	families := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(r.resources)) {
		d := r.resources[name]
		if d.Type == "aws:iam/rolePolicy:RolePolicy" || d.Type == "aws:sqs/queuePolicy:QueuePolicy" || d.Type == "aws:s3/bucketPolicy:BucketPolicy" || d.Type == "aws:cloudwatch/dashboard:Dashboard" || isFile(d) {
			continue // have files of their own
		}
		if withDocument := map[string]string{"aws:apigateway/restApi:RestApi": "body", "aws:apigateway/deployment:Deployment": "triggers"}[d.Type]; withDocument != "" {
			d.Inputs = maps.Clone(d.Inputs)
			delete(d.Inputs, withDocument) // likewise, and TestRedeploy
		}
		head := d.Type + " " + d.Name
		if d.Protect {
			head += " protected"
		}
		if d.Retain {
			head += " retained"
		}
		families[familyOf(d.Type)] += head + "\n" + indented(t, d.Inputs) + "\n"
	}
	return families
}

// familyOf is sqs of aws:sqs/queue:Queue, and streaming of
// streaming:index:StreamingService.
func familyOf(token string) string {
	provider, rest, _ := strings.Cut(token, ":")
	if family, _, ok := strings.Cut(rest, "/"); ok {
		return family
	}
	return provider
}

// TestPolicies guards the permissions of every role, queue and bucket.
func TestPolicies(t *testing.T) {
	t.Parallel()
	golden(t, "policies-default.golden", policies(t, declare(t, nil)))
	golden(t, "policies-everything.golden", policies(t, declare(t, everything())))
}

// TestAdmissionReadsTheSpendingOfTheService: only with a budget of its own.
func TestAdmissionReadsTheSpendingOfTheService(t *testing.T) {
	t.Parallel()
	model := priced(1)
	without := policies(t, declare(t, &args{Model: model}))
	with := policies(t, declare(t, &args{Model: model, Quota: &components.QuotaSettings{ServiceMonthlyBudget: pulumi.Float64(1)}}))
	if added := strings.Count(with, "dynamodb:Query") - strings.Count(without, "dynamodb:Query"); added != 2 {
		t.Errorf("%d policies allow a query more, want those of the quota and the completions function", added)
	}
}

func policies(t *testing.T, r *recorder) string {
	var b strings.Builder
	for _, d := range slices.Concat(r.ofType("aws:iam/rolePolicy:RolePolicy"), r.ofType("aws:sqs/queuePolicy:QueuePolicy"), r.ofType("aws:s3/bucketPolicy:BucketPolicy")) {
		fmt.Fprintf(&b, "%s\n%s\n", d.Name, indented(t, d.property("policy")))
	}
	return b.String()
}

// TestImportedDocument guards what API Gateway makes the REST API of.
func TestImportedDocument(t *testing.T) {
	t.Parallel()
	goldens(t, "openapi", parts(t, declare(t, nil).find(t, "rest-api").Inputs["body"]))
}

func TestDashboard(t *testing.T) {
	t.Parallel()
	d := declare(t, nil).find(t, "dashboard")
	golden(t, "dashboard.golden", indented(t, d.property("dashboardBody"))+"\n")
}
