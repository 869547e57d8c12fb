package engine_test

import (
	"context"
	"errors"
	"net"
	"sync"
	"testing"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"

	"github.com/streaming-service/streaming-service/internal/localcloud"
	"github.com/streaming-service/streaming-service/internal/localservice"
)

// cloud is a local cloud with its provider as the engine sees it.
type cloud struct {
	*localcloud.Cloud
	*failures
	providerPort string
}

// startCloud runs a cloud until the test ends.
func startCloud(t testing.TB) *cloud {
	t.Helper()
	local, err := localcloud.New(localservice.Program(), localcloud.Options{Addr: "127.0.0.1:0", Root: root})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := local.Close(); err != nil {
			t.Errorf("closing the cloud: %v", err)
		}
	})
	c := &cloud{Cloud: local, failures: &failures{}}
	address, err := local.StartForEngine(t.Context(), grpc.ChainUnaryInterceptor(c.intercept))
	if err != nil {
		t.Fatal(err)
	}
	if _, c.providerPort, err = net.SplitHostPort(address); err != nil {
		t.Fatal(err)
	}
	return c
}

// failures makes changes fail and counts what reaches the cloud.
type failures struct {
	mu      sync.Mutex
	failing map[string]bool // by logical name
	writes  int             // creations, updates and deletions that were no previews
}

var errInjected = errors.New("InternalFailure: the test lets this change fail")

// fail lets every change of these resources fail, and of no others.
func (f *failures) fail(names ...string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.failing = map[string]bool{}
	for _, name := range names {
		f.failing[name] = true
	}
}

// changes returns how many changes the engine has made.
func (f *failures) changes() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.writes
}

func (f *failures) intercept(ctx context.Context, request any, _ *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
	urn := ""
	switch r := request.(type) {
	case *pulumirpc.CreateRequest:
		if !r.GetPreview() {
			urn = r.GetUrn()
		}
	case *pulumirpc.UpdateRequest:
		if !r.GetPreview() {
			urn = r.GetUrn()
		}
	case *pulumirpc.DeleteRequest:
		urn = r.GetUrn()
	}
	if urn != "" && f.fails(nameOf(urn)) {
		return nil, errInjected
	}
	return handle(ctx, request)
}

// fails counts a change and tells whether it is to fail.
func (f *failures) fails(name string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.writes++
	return f.failing[name]
}
