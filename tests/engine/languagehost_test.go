package engine_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/pulumi/pulumi/pkg/v3/codegen/nodejs"
	"github.com/pulumi/pulumi/pkg/v3/codegen/python"
	"github.com/pulumi/pulumi/pkg/v3/codegen/schema"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/emptypb"
)

// generator stands in for a language host of the CLI, where `pulumi package
// gen-sdk` is concerned: it calls Pulumi's own code generator as that host
// does. The hosts themselves are Go modules that no proxy serves, and neither
// npm's nor PyPI's package of Pulumi holds them.
type generator struct {
	pulumirpc.UnimplementedLanguageRuntimeServer

	generate func(pkg *schema.Package, local bool) (map[string][]byte, error)
}

var generators = map[string]generator{
	"nodejs": {generate: func(pkg *schema.Package, local bool) (map[string][]byte, error) {
		return nodejs.GeneratePackage("pulumi", pkg, nil, nil, local, nil)
	}},
	"python": {generate: func(pkg *schema.Package, _ bool) (map[string][]byte, error) {
		return python.GeneratePackage("pulumi", pkg, nil, nil)
	}},
}

// serve serves the generator until the test ends and returns what
// PULUMI_DEBUG_LANGUAGES says about it.
func (g generator) serve(t *testing.T, language string) string {
	t.Helper()
	var config net.ListenConfig
	listener, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer()
	pulumirpc.RegisterLanguageRuntimeServer(server, &g)
	go func() { _ = server.Serve(listener) }() // ends with Stop
	t.Cleanup(server.Stop)
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	return language + ":" + port
}

// Handshake implements pulumirpc.LanguageRuntimeServer.
func (*generator) Handshake(context.Context, *pulumirpc.LanguageHandshakeRequest) (*pulumirpc.LanguageHandshakeResponse, error) {
	return &pulumirpc.LanguageHandshakeResponse{}, nil
}

// GetPluginInfo implements pulumirpc.LanguageRuntimeServer.
func (*generator) GetPluginInfo(context.Context, *emptypb.Empty) (*pulumirpc.PluginInfo, error) {
	return &pulumirpc.PluginInfo{Version: pulumiVersion}, nil
}

// GeneratePackage implements pulumirpc.LanguageRuntimeServer.
func (g *generator) GeneratePackage(_ context.Context, in *pulumirpc.GeneratePackageRequest) (*pulumirpc.GeneratePackageResponse, error) {
	var spec schema.PackageSpec
	if err := json.Unmarshal([]byte(in.GetSchema()), &spec); err != nil {
		return nil, fmt.Errorf("reading schema: %w", err)
	}
	pkg, err := schema.ImportSpec(spec, nil, schema.NewNullLoader(), schema.ValidationOptions{})
	if err != nil {
		return nil, fmt.Errorf("importing schema: %w", err)
	}
	files, err := g.generate(pkg, in.GetLocal())
	if err != nil {
		return nil, fmt.Errorf("generating SDK: %w", err)
	}
	for name, content := range files {
		path := filepath.Join(in.GetDirectory(), filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return nil, fmt.Errorf("placing %s: %w", name, err)
		}
		if err := os.WriteFile(path, content, 0o644); err != nil {
			return nil, fmt.Errorf("placing %s: %w", name, err)
		}
	}
	return &pulumirpc.GeneratePackageResponse{}, nil
}
