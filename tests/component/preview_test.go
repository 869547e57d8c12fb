package component_test

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/streaming-service/streaming-service/components"
)

// BenchmarkPreview measures a preview of the component under mocks.
func BenchmarkPreview(b *testing.B) {
	for b.Loop() {
		if _, err := run(func(ctx *pulumi.Context) error {
			_, err := components.NewStreamingService(ctx, service, withFake(nil))
			return err
		}); err != nil {
			b.Fatal(err)
		}
	}
}
