package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"strings"

	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi/pkg/v3/codegen/schema"

	"github.com/streaming-service/streaming-service/components"
)

// descriptions are the component's doc comments, as internal/reference
// generates them. The component itself must not depend on the inference
// library, which would put them there.
//
//go:embed descriptions.json
var descriptions []byte

// described adds the descriptions to the schema that provider answers.
func described(provider p.Provider) p.Provider {
	inferred := provider.GetSchema
	provider.GetSchema = func(ctx context.Context, req p.GetSchemaRequest) (p.GetSchemaResponse, error) {
		response, err := inferred(ctx, req)
		if err != nil {
			return response, err
		}
		response.Schema, err = describe(response.Schema)
		return response, err
	}
	return provider
}

func describe(text string) (string, error) {
	var spec schema.PackageSpec
	if err := json.Unmarshal([]byte(text), &spec); err != nil {
		return "", fmt.Errorf("reading the inferred schema: %w", err)
	}
	docs := map[string]string{}
	if err := json.Unmarshal(descriptions, &docs); err != nil {
		return "", fmt.Errorf("reading the descriptions: %w", err)
	}
	for token, t := range spec.Types {
		name := token[strings.LastIndex(token, ":")+1:]
		t.Description = docs[name]
		describeProperties(t.Properties, name, docs)
		spec.Types[token] = t
	}
	service := spec.Resources[components.Type]
	service.Description = docs["StreamingService"]
	describeProperties(service.Properties, "StreamingService", docs)
	describeProperties(service.InputProperties, "StreamingServiceArgs", docs)
	spec.Resources[components.Type] = service
	described, err := json.Marshal(spec)
	if err != nil {
		return "", fmt.Errorf("writing the schema: %w", err)
	}
	return string(described), nil
}

func describeProperties(properties map[string]schema.PropertySpec, owner string, docs map[string]string) {
	for name, property := range properties {
		property.Description = docs[owner+"."+name]
		properties[name] = property
	}
}
