package engine_test

import (
	"context"
	"sync"
	"testing"

	sdk "github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/streaming-service/streaming-service/internal/stack"
)

// TestTransforms: Pulumi's own transforms, which its engine runs, reach the
// children of the service.
func TestTransforms(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes half a minute")
	}
	s := startCloud(t).newStack(t, "transforms")
	const waitSeconds = 7
	var seen sync.Map // names
	s.use(func(ctx *sdk.Context) error {
		err := ctx.RegisterResourceTransform(func(_ context.Context, child *sdk.ResourceTransformArgs) *sdk.ResourceTransformResult {
			seen.Store(child.Name, nil)
			if child.Name == s.service+"-queue" {
				child.Props["receiveWaitTimeSeconds"] = sdk.Int(waitSeconds)
			}
			return &sdk.ResourceTransformResult{Props: child.Props, Opts: child.Opts}
		})
		if err != nil {
			return err
		}
		return stack.Run(ctx, stack.WithFunctionBuilder(functions))
	})
	made := s.up("up").creates
	kept := s.kept()
	if got := kept.named(t, s.service+"-queue").Outputs["receiveWaitTimeSeconds"]; got != float64(waitSeconds) {
		t.Errorf("the queue waits %v s, want the transform's %d", got, waitSeconds)
	}
	if got := kept.named(t, s.service+"-dead-letter-queue").Outputs["receiveWaitTimeSeconds"]; got == float64(waitSeconds) {
		t.Error("the transform of one queue changed another")
	}
	for _, name := range made {
		if _, ok := seen.Load(name); !ok {
			t.Errorf("the transform did not see %s", name)
		}
	}
	s.stream("ada@example.com")
	s.destroy("destroy")
}
