package localcloud_test

import (
	"context"
	"sync"
	"testing"

	"github.com/streaming-service/streaming-service/internal/functionbuild"
	"github.com/streaming-service/streaming-service/internal/localcloud"
)

// builtOnce builds each function once for all clouds of this package.
type builtOnce struct {
	inner localcloud.Builder

	mu   sync.Mutex
	zips map[string]string
}

var functions = &builtOnce{inner: functionbuild.New(functionbuild.ForHost(), functionbuild.WithSource("../..")), zips: map[string]string{}}

// Build implements localcloud.Builder.
func (b *builtOnce) Build(ctx context.Context, function, architecture string) (string, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if zip, ok := b.zips[function]; ok {
		return zip, nil
	}
	zip, err := b.inner.Build(ctx, function, architecture)
	if err == nil {
		b.zips[function] = zip
	}
	return zip, err
}

// options are those of a cloud for a test, with overrides of the stack.
func options(t *testing.T, overrides ...string) localcloud.Options {
	t.Helper()
	return localcloud.Options{Addr: "127.0.0.1:0", Builder: functions, Overrides: overrides}
}
