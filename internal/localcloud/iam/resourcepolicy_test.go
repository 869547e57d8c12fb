package iam_test

import (
	"strings"
	"testing"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
	"github.com/streaming-service/streaming-service/internal/localcloud/iam"
)

const queue = "arn:aws:sqs:us-east-1:000000000000:jobs"

func TestResourcePolicy(t *testing.T) {
	t.Parallel()
	const allowed = `"Effect":"Allow","Action":"sqs:SendMessage","Resource":"` + queue + `"`
	send := awsapi.Permission{Action: "sqs:SendMessage", Resource: queue}
	about := func(effect, principal, more string) string {
		return statement(`"Effect":"` + effect + `","Principal":` + principal + `,"Action":"sqs:*","Resource":"` + queue + `"` + more)
	}
	for _, test := range []struct {
		name, identity, resource string
		operator                 bool
		want                     string // "" is allowed; else part of the message
	}{
		{"none", allowed, "", false, ""},
		{"plain HTTP denied, TLS played", allowed, about("Deny", `"*"`, `,"Condition":{"Bool":{"aws:SecureTransport":"false"}}`), false, ""},
		{"TLS denied", allowed, about("Deny", `{"AWS":"*"}`, `,"Condition":{"Bool":{"aws:SecureTransport":["true"]}}`), false, "explicit deny in a resource-based policy"},
		{"everybody denied", allowed, about("Deny", `"*"`, ""), false, "explicit deny in a resource-based policy"},
		{"operator denied", allowed, about("Deny", `"*"`, ""), true, "explicit deny in a resource-based policy"},
		{"operator and TLS", allowed, about("Deny", `"*"`, `,"Condition":{"Bool":{"aws:SecureTransport":"false"}}`), true, ""},
		{"role denied", allowed, about("Deny", `{"AWS":"`+iam.RoleARN("worker")+`"}`, ""), false, "explicit deny in a resource-based policy"},
		{"other role denied", allowed, about("Deny", `{"AWS":"`+iam.RoleARN("other")+`"}`, ""), false, ""},
		{"other role denied, operator", allowed, about("Deny", `{"AWS":"`+iam.RoleARN("other")+`"}`, ""), true, ""},
		{"allowed by the resource alone", `"Effect":"Allow","Action":"sqs:DeleteMessage","Resource":"*"`, about("Allow", `{"AWS":"`+iam.RoleARN("worker")+`"}`, ""), false, ""},
		{"denied by the role", `"Effect":"Deny","Action":"sqs:*","Resource":"*"`, about("Allow", `"*"`, ""), false, "explicit deny in an identity-based policy"},
		{"key in a role's policy", allowed + `,"Condition":{"Bool":{"aws:SecureTransport":"false"}}`, "", false, "no identity-based policy"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			service, key := newRole(t, statement(test.identity))
			if test.operator {
				key = "operator"
			}
			if test.resource != "" {
				if err := service.PutResourcePolicy(queue, test.resource); err != nil {
					t.Fatal(err)
				}
			}
			refusal := service.Allowed(key, send)
			if (refusal == nil) != (test.want == "") || refusal != nil && !strings.Contains(refusal.Message, test.want) {
				t.Errorf("got %v, want %q", refusal, test.want)
			}
			service.DeleteResourcePolicy(queue)
			if test.operator && service.Allowed(key, send) != nil {
				t.Error("refused without the policy")
			}
		})
	}
}

func TestResourcePolicyIsChecked(t *testing.T) {
	t.Parallel()
	for name, policy := range map[string]string{
		"no principal":   statement(`"Effect":"Deny","Action":"sqs:*","Resource":"` + queue + `"`),
		"other resource": statement(`"Effect":"Deny","Principal":"*","Action":"sqs:*","Resource":"` + queue + `2"`),
		"no resource":    statement(`"Effect":"Deny","Principal":"*","Action":"sqs:*"`),
		"no action":      statement(`"Effect":"Deny","Principal":"*","Action":"sqs:Sent","Resource":"` + queue + `"`),
		"no JSON":        "{",
	} {
		if err := iam.New().PutResourcePolicy(queue, policy); err == nil || !strings.Contains(err.Error(), "MalformedPolicyDocument") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
