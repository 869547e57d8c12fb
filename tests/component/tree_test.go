package component_test

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/streaming-service/streaming-service/components"
)

var update = flag.Bool("update", false, "write the golden files instead of comparing with them")

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
		d := r.resources[name]
		fmt.Fprintf(&b, "%s %s < %s\n", d.Type, d.Name, d.Parent)
	}
	return b.String()
}

// TestInputs guards every property of every resource.
func TestInputs(t *testing.T) {
	t.Parallel()
	golden(t, "inputs-default.golden", inputs(t, declare(t, nil)))
	golden(t, "inputs-everything.golden", inputs(t, declare(t, everything())))
}

func inputs(t *testing.T, r *recorder) string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(r.resources)) {
		d := r.resources[name]
		if d.Type == "aws:iam/rolePolicy:RolePolicy" || d.Type == "aws:sqs/queuePolicy:QueuePolicy" || d.Type == "aws:s3/bucketPolicy:BucketPolicy" || d.Type == "aws:cloudwatch/dashboard:Dashboard" {
			continue // have files of their own
		}
		if withDocument := map[string]string{"aws:apigateway/restApi:RestApi": "body", "aws:apigateway/deployment:Deployment": "triggers"}[d.Type]; withDocument != "" {
			d.Inputs = maps.Clone(d.Inputs)
			delete(d.Inputs, withDocument) // likewise, and TestRedeploy
		}
		fmt.Fprintf(&b, "%s %s", d.Type, d.Name)
		if d.Protect {
			b.WriteString(" protected")
		}
		if d.Retain {
			b.WriteString(" retained")
		}
		fmt.Fprintf(&b, "\n%s\n", indented(t, d.Inputs))
	}
	return b.String()
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
	golden(t, "openapi.golden", indented(t, declare(t, nil).find(t, "rest-api").Inputs["body"])+"\n")
}

func TestDashboard(t *testing.T) {
	t.Parallel()
	d := declare(t, nil).find(t, "dashboard")
	golden(t, "dashboard.golden", indented(t, d.property("dashboardBody"))+"\n")
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs (run with -update and review the change):\n%s", path, diff(string(want), got))
	}
}

// diff lists the lines that only one of two texts has.
func diff(want, got string) string {
	var b strings.Builder
	missing(&b, "- ", want, got)
	missing(&b, "+ ", got, want)
	return b.String()
}

func missing(b *strings.Builder, sign, text, from string) {
	have := map[string]bool{}
	for line := range strings.Lines(from) {
		have[line] = true
	}
	for line := range strings.Lines(text) {
		if !have[line] {
			b.WriteString(sign + line)
		}
	}
}
