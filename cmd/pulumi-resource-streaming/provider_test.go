package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"testing"

	"github.com/blang/semver"
	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi-go-provider/integration"
	"github.com/pulumi/pulumi/pkg/v3/codegen/schema"

	"github.com/streaming-service/streaming-service/components"
)

var update = flag.Bool("update", false, "rewrite schema.json")

const golden = "schema.json"

func TestSchemaMatchesGolden(t *testing.T) {
	t.Parallel()
	var got bytes.Buffer
	if err := json.Indent(&got, []byte(schemaText(t)), "", "  "); err != nil {
		t.Fatal(err)
	}
	got.WriteByte('\n')
	if *update {
		if err := os.WriteFile(golden, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Bytes(), want) {
		t.Error("the schema changed; if that is wanted, run go test . -update and read the diff as your users will")
	}
}

func TestSchemaDescribesEverything(t *testing.T) {
	t.Parallel()
	var spec schema.PackageSpec
	if err := json.Unmarshal([]byte(schemaText(t)), &spec); err != nil {
		t.Fatal(err)
	}
	service, ok := spec.Resources[components.Type]
	if !ok {
		t.Fatalf("schema has no %s", components.Type)
	}
	if !service.IsComponent {
		t.Errorf("%s is not a component in the schema", components.Type)
	}
	for name, property := range service.InputProperties {
		if property.Description == "" {
			t.Errorf("input %s has no description", name)
		}
	}
	for name, property := range service.Properties {
		if property.Description == "" {
			t.Errorf("output %s has no description", name)
		}
	}
	for token, settings := range spec.Types {
		for name, property := range settings.Properties {
			if property.Description == "" {
				t.Errorf("%s.%s has no description", token, name)
			}
		}
	}
}

func schemaText(t *testing.T) string {
	t.Helper()
	provider, err := newProvider()
	if err != nil {
		t.Fatal(err)
	}
	server, err := integration.NewServer(t.Context(), packageName, semver.MustParse(version), integration.WithProvider(provider))
	if err != nil {
		t.Fatal(err)
	}
	response, err := server.GetSchema(p.GetSchemaRequest{})
	if err != nil {
		t.Fatal(err)
	}
	return response.Schema
}
