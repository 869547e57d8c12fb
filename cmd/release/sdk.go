package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// sdks writes the schema of this version and has Pulumi's CLI generate the SDKs
// from it.
func (r *release) sdks(ctx context.Context) error {
	schema := filepath.Join(r.dir, "schema.json")
	if err := version(filepath.Join(provider, "schema.json"), schema, r.version); err != nil {
		return err
	}
	for _, language := range r.languages {
		if err := tool(ctx, nil, "pulumi", "package", "gen-sdk", schema, "--language", language, "--out", filepath.Join(r.dir, "sdk")); err != nil {
			return err
		}
	}
	return nil
}

// version copies a schema as the provider of that version answers it.
func version(from, to, version string) error {
	content, err := os.ReadFile(from)
	if err != nil {
		return fmt.Errorf("reading the schema: %w", err)
	}
	var schema map[string]json.RawMessage
	if err := json.Unmarshal(content, &schema); err != nil {
		return fmt.Errorf("reading the schema: %w", err)
	}
	schema["version"], _ = json.Marshal(version) // a string always can be
	if content, err = json.MarshalIndent(schema, "", "  "); err != nil {
		return fmt.Errorf("writing the schema: %w", err)
	}
	if err := os.WriteFile(to, append(content, '\n'), 0o644); err != nil {
		return fmt.Errorf("writing the schema: %w", err)
	}
	return nil
}
