package main

import (
	"context"
	"fmt"

	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi-go-provider/infer"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/streaming-service/streaming-service/components"
	"github.com/streaming-service/streaming-service/internal/functionbuild"
)

const (
	packageName = "streaming"
	repository  = "github.com/streaming-service/streaming-service"
	// downloads are the archives of the repository's releases, as Pulumi asks
	// for them by name, version and platform.
	downloads = "github://api.github.com/streaming-service/streaming-service"
)

// newProvider infers the package from the Go component. Its types live in
// the module "index", which Pulumi leaves out of their names.
func newProvider() (p.Provider, error) {
	var plugin place
	provider, err := infer.NewProviderBuilder().
		WithDisplayName("StreamingService").
		WithDescription("A serverless LLM service on AWS that streams answers to signed-in users within hard quotas.").
		WithKeywords("pulumi", "aws", "bedrock", "llm", "streaming", "category/cloud", "kind/component").
		WithPublisher("streaming-service").
		WithHomepage("https://" + repository).
		WithRepository("https://" + repository).
		WithGoImportPath(repository + "/sdk/go/streaming").
		WithPluginDownloadURL(downloads).
		WithLicense("Apache-2.0").
		WithNamespace("streaming-service").
		WithModuleMap(map[tokens.ModuleName]tokens.ModuleName{"components": "index"}).
		WithComponents(infer.ComponentF(plugin.construct)).
		Build()
	if err != nil {
		return p.Provider{}, fmt.Errorf("inferring the schema: %w", err)
	}
	provider.Handshake = plugin.handshake
	return described(provider), nil
}

// place is where Pulumi keeps the plugin. It starts the program elsewhere, in
// the directory of the user's.
type place struct{ root string }

func (l *place) handshake(_ context.Context, req p.HandshakeRequest) (p.HandshakeResponse, error) {
	if req.RootDirectory != nil {
		l.root = *req.RootDirectory
	}
	return p.HandshakeResponse{}, nil
}

// construct is NewStreamingService with the functions that this binary holds,
// or those of its source if it holds none.
func (l *place) construct(ctx *pulumi.Context, name string, args *components.StreamingServiceArgs, opts ...pulumi.ResourceOption) (*components.StreamingService, error) {
	args.FunctionBuilder = functionbuild.New(functionbuild.WithPluginRoot(l.root))
	if embedded {
		args.FunctionBuilder = archives{}
	}
	return components.NewStreamingService(ctx, name, args, opts...)
}
