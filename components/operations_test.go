package components_test

import (
	"flag"
	"os"
	"testing"

	"github.com/streaming-service/streaming-service/components"
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
