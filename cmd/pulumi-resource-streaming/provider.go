package main

import (
	"fmt"

	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi-go-provider/infer"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/streaming-service/streaming-service/components"
)

const packageName = "streaming"

// newProvider infers the package from the Go component. Its types live in
// the module "index", which Pulumi leaves out of their names.
func newProvider() (p.Provider, error) {
	provider, err := infer.NewProviderBuilder().
		WithDisplayName("StreamingService").
		WithDescription("A serverless LLM service on AWS that streams answers to signed-in users within hard quotas.").
		WithKeywords("aws", "bedrock", "llm", "streaming", "category/cloud", "kind/component").
		WithLicense("Apache-2.0").
		WithNamespace("streaming-service").
		WithModuleMap(map[tokens.ModuleName]tokens.ModuleName{"components": "index"}).
		WithComponents(infer.ComponentF(construct)).
		Build()
	if err != nil {
		return p.Provider{}, fmt.Errorf("inferring the schema: %w", err)
	}
	return described(provider), nil
}

// construct is NewStreamingService with the functions that this binary holds,
// if it holds any and the program names no others.
func construct(ctx *pulumi.Context, name string, args *components.StreamingServiceArgs, opts ...pulumi.ResourceOption) (*components.StreamingService, error) {
	if args.FunctionArchiveDir == "" && embedded {
		args.FunctionBuilder = archives{}
	}
	return components.NewStreamingService(ctx, name, args, opts...)
}
