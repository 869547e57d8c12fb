// Command generate writes docs/settings.md and the descriptions of the
// multi-language package. It runs in the folder of internal/reference.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"

	"github.com/streaming-service/streaming-service/internal/reference"
)

func main() {
	if err := generate("../.."); err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
}

func generate(root string) error {
	structs, err := reference.Read(os.DirFS(root + "/components"))
	if err != nil {
		return err
	}
	var descriptions bytes.Buffer
	encoder := json.NewEncoder(&descriptions)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(reference.Descriptions(structs)); err != nil {
		return fmt.Errorf("encoding descriptions: %w", err)
	}
	for path, content := range map[string][]byte{
		"docs/settings.md": []byte(reference.Page(structs)),
		"cmd/pulumi-resource-streaming/descriptions.json": descriptions.Bytes(),
	} {
		if err := os.WriteFile(root+"/"+path, content, 0o644); err != nil {
			return fmt.Errorf("writing: %w", err)
		}
	}
	return nil
}
