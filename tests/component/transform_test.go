package component_test

import (
	"strings"
	"testing"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/dynamodb"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/sqs"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/streaming-service/streaming-service/components"
)

// TestTransform: a transform sees every child once, by its role, and what it
// changes is what is declared; everything else stays as it is.
func TestTransform(t *testing.T) {
	t.Parallel()
	plain := declare(t, everything())
	args := everything()
	seen := map[string]string{}
	args.Transform = func(child *components.Child) {
		if _, twice := seen[child.Role]; twice {
			t.Errorf("%s was given twice", child.Role)
		}
		seen[child.Role] = child.Type
		switch a := child.Args.(type) {
		case *sqs.QueueArgs:
			if child.Role == "queue" {
				a.ReceiveWaitTimeSeconds = pulumi.Int(20)
			}
		case *dynamodb.TableArgs:
			child.Options = append(child.Options, pulumi.Protect(true))
		}
	}
	changed := declare(t, args)

	if len(seen) != len(plain.resources)-1 { // all but the service
		t.Errorf("the transform saw %d resources, want %d", len(seen), len(plain.resources)-1)
	}
	for name, before := range plain.resources {
		after := changed.resources[name]
		role := strings.TrimPrefix(name, service+"-")
		if name != service && seen[role] != before.Type {
			t.Errorf("%s was given as %q, want %s", role, seen[role], before.Type)
		}
		switch {
		case role == "queue":
			if got := after.Inputs["receiveWaitTimeSeconds"]; got != 20.0 {
				t.Errorf("the queue waits %v s, want 20", got)
			}
			delete(after.Inputs, "receiveWaitTimeSeconds")
		case before.Type == "aws:dynamodb/table:Table":
			if !after.Protect {
				t.Errorf("%s is not protected", name)
			}
			after.Protect = before.Protect
		}
		if got, want := indented(t, after), indented(t, before); got != want {
			t.Errorf("the transform changed %s:\n%s\nwant\n%s", name, got, want)
		}
	}
}

// TestPulumiTransformations: the resource option of Pulumi's own reaches the
// children too, and comes with the Transform of the arguments.
func TestPulumiTransformations(t *testing.T) {
	t.Parallel()
	args := &components.StreamingServiceArgs{Transform: func(child *components.Child) {
		if queue, ok := child.Args.(*sqs.QueueArgs); ok {
			queue.DelaySeconds = pulumi.Int(1)
		}
	}}
	own := func(registered *pulumi.ResourceTransformationArgs) *pulumi.ResourceTransformationResult {
		if queue, ok := registered.Props.(*sqs.QueueArgs); ok {
			queue.MaxMessageSize = pulumi.Int(65_536)
		}
		return &pulumi.ResourceTransformationResult{Props: registered.Props, Opts: registered.Opts}
	}
	r, err := run(func(ctx *pulumi.Context) error {
		_, err := components.NewStreamingService(ctx, service, withFake(args), pulumi.Transformations([]pulumi.ResourceTransformation{own}))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, role := range []string{"queue", "dead-letter-queue"} {
		if queue := r.find(t, role); queue.Inputs["maxMessageSize"] != 65_536.0 || queue.Inputs["delaySeconds"] != 1.0 {
			t.Errorf("%s is declared with %v", role, queue.Inputs)
		}
	}
}
