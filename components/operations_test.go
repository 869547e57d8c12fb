package components_test

import (
	"encoding/json"
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/streaming-service/streaming-service/components"
	"github.com/streaming-service/streaming-service/internal/openapi"
	"github.com/streaming-service/streaming-service/protocol/schema"
)

var update = flag.Bool("update", false, "write protocol/openapi.json instead of comparing with it")

// TestOpenAPIDocumentIsCurrent: what clients read is what API Gateway imports.
func TestOpenAPIDocumentIsCurrent(t *testing.T) {
	t.Parallel()
	const path = "../protocol/openapi.json"
	got, err := components.RESTAPIDocument.Public()
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Errorf("%s is not that of the operations: run go test ./components -run TestOpenAPI -args -update and review the change", path)
	}
}

// TestExamplesAreValid: readers copy them.
func TestExamplesAreValid(t *testing.T) {
	t.Parallel()
	schemas, checked := compileSchemas(t), 0
	check := func(operation string, of openapi.Schema, examples map[string]any) {
		for name, example := range examples {
			ref, _ := of["$ref"].(string)
			compiled, ok := schemas[ref]
			if !ok {
				continue // any object
			}
			encoded, err := json.Marshal(example)
			if err != nil {
				t.Fatal(err)
			}
			value, err := jsonschema.UnmarshalJSON(strings.NewReader(string(encoded)))
			if err == nil {
				err = compiled.Validate(value)
			}
			if err != nil {
				t.Errorf("example %s of %s: %v", name, operation, err)
			}
			checked++
		}
	}
	for _, o := range components.RESTAPIDocument.Operations {
		if o.Request != nil {
			check(o.ID, o.Request.Schema, o.Request.Examples)
		}
		for _, r := range o.AllResponses() {
			check(o.ID, r.Schema, r.Examples)
		}
	}
	if checked < 20 {
		t.Errorf("only %d examples were checked", checked)
	}
}

// compileSchemas returns the schemas of the protocol by what the document calls
// them.
func compileSchemas(t *testing.T) map[string]*jsonschema.Schema {
	t.Helper()
	compiler, ids := jsonschema.NewCompiler(), map[string]string{}
	entries, err := schema.Files.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		file, err := schema.Files.Open(entry.Name())
		if err != nil {
			t.Fatal(err)
		}
		doc, err := jsonschema.UnmarshalJSON(file)
		if err != nil {
			t.Fatal(err)
		}
		id := doc.(map[string]any)["$id"].(string)
		if err := compiler.AddResource(id, doc); err != nil {
			t.Fatal(err)
		}
		ids[openapi.Ref(strings.TrimSuffix(entry.Name(), ".schema.json"))["$ref"].(string)] = id
	}
	compiled := map[string]*jsonschema.Schema{}
	for ref, id := range ids {
		if compiled[ref], err = compiler.Compile(id); err != nil {
			t.Fatal(err)
		}
	}
	return compiled
}
