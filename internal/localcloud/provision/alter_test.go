package provision_test

import (
	"log/slog"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/streaming-service/streaming-service/internal/localcloud/provision"
)

func TestAlterChangesAndLeavesOutResources(t *testing.T) {
	t.Parallel()
	services := newServices(t)
	graph, err := provision.Run(t.Context(), provision.New(services), provision.Program{
		Project: "streaming-service", Stack: "dev",
		Body: func(ctx *pulumi.Context) error {
			gone := register(t, ctx, tokenQueue, "gone", pulumi.Map{"name": pulumi.String("gone")})
			register(t, ctx, tokenQueue, "renamed", pulumi.Map{"name": pulumi.String("before")})
			ctx.Export("gone", gone.Name)
			return nil
		},
		Alter: func(r provision.Resource, inputs resource.PropertyMap) bool {
			if r.Name == "renamed" {
				inputs["name"] = resource.NewStringProperty("after")
			}
			return r.Name != "gone"
		},
	}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{"gone": false, "before": false, "after": true} {
		if _, err := services.Queues.Attributes("arn:aws:sqs:us-east-1:000000000000:" + name); (err == nil) != want {
			t.Errorf("queue %s: error %v, want it to be there: %t", name, err, want)
		}
	}
	if got := graph.Outputs()["gone"]; got != "gone" {
		t.Errorf("what refers to the queue that is left out reads %v", got)
	}
}
