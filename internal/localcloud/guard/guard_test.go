package guard_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
	"github.com/streaming-service/streaming-service/internal/localcloud/faults"
	"github.com/streaming-service/streaming-service/internal/localcloud/guard"
	"github.com/streaming-service/streaming-service/internal/localcloud/iam"
	"github.com/streaming-service/streaming-service/internal/localcloud/usage"
)

// cloud is a guard of a role that may send to one queue.
type cloud struct {
	*guard.Guard
	faults *faults.Injector
	meter  *usage.Meter
	key    string
}

func newCloud(t testing.TB) cloud {
	t.Helper()
	roles := iam.New()
	arn, err := roles.CreateRole("r", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}`)
	if err == nil {
		err = roles.PutRolePolicy("r", "p", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sqs:SendMessage","Resource":"arn:aws:sqs:us-east-1:000000000000:jobs"}]}`)
	}
	if err != nil {
		t.Fatal(err)
	}
	key, _, _ := roles.Credentials(arn)
	injector, meter := faults.New(1), usage.New()
	return cloud{guard.New(roles, injector, meter), injector, meter, key}
}

func (c cloud) call(service, key, action string) awsapi.Call {
	return awsapi.Call{Service: service, Operation: "Op", AccessKeyID: key, Permissions: []awsapi.Permission{{Action: action, Resource: "arn:aws:sqs:us-east-1:000000000000:jobs"}}}
}

func TestAuthorisation(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	tests := []struct {
		name   string
		call   awsapi.Call
		code   string
		status int
	}{
		{"allowed", c.call("sqs", c.key, "sqs:SendMessage"), "", 0},
		{"operator", c.call("sqs", "local", "sqs:PurgeQueue"), "", 0},
		{"denied in SQS", c.call("sqs", c.key, "sqs:PurgeQueue"), "AccessDeniedException", 403},
		{"denied in DynamoDB", c.call("dynamodb", c.key, "dynamodb:GetItem"), "AccessDeniedException", 400},
		{"denied in Bedrock", c.call("bedrock-runtime", c.key, "bedrock:InvokeModel"), "AccessDeniedException", 403},
		{"unsigned", c.call("dynamodb", "", "dynamodb:GetItem"), "MissingAuthenticationTokenException", 400},
		{"unsigned where allowed", awsapi.Call{Service: "cognito-idp", Operation: "SignUp"}, "", 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, refusal := c.Admit(context.Background(), test.call)
			switch {
			case test.code == "" && refusal != nil:
				t.Errorf("got %v, want admitted", refusal)
			case test.code != "" && (refusal == nil || refusal.Code != test.code || refusal.Status != test.status):
				t.Errorf("got %+v, want %d %s", refusal, test.status, test.code)
			}
		})
	}
}

func TestEveryPermissionIsNeeded(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	call := c.call("sqs", c.key, "sqs:SendMessage")
	call.Permissions = append(call.Permissions, awsapi.Permission{Action: "sqs:SendMessage", Resource: "arn:aws:sqs:us-east-1:000000000000:other"})
	if _, refusal := c.Admit(context.Background(), call); refusal == nil {
		t.Error("want a refusal for the second permission")
	}
}

func TestFaultsAndCounts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t)
		if err := c.faults.Set([]faults.Rule{{Service: "sqs", LatencyMs: 200}, {Service: "sqs", AfterCommit: true, Times: 1}, {Service: "sqs", Error: "InternalError", Status: 500}}); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		lose, refusal := c.Admit(context.Background(), c.call("sqs", c.key, "sqs:SendMessage"))
		if took := time.Since(start); took != 200*time.Millisecond || !lose || refusal == nil || refusal.Status != 500 {
			t.Errorf("got %t, %v after %v", lose, refusal, took)
		}
		ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
		defer cancel()
		if _, refusal := c.Admit(ctx, c.call("sqs", c.key, "sqs:SendMessage")); refusal == nil || refusal.Code != "ServiceUnavailable" {
			t.Errorf("a caller that left got %v", refusal)
		}
		total := c.meter.Total()
		if total.Calls["sqs"]["Op"] != 2 || total.Errors["sqs"]["Op:InternalError"] != 1 || total.Counters[usage.QueueRequests] != 2 {
			t.Errorf("got %+v", total)
		}
	})
}
