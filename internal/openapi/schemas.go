package openapi

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/streaming-service/streaming-service/protocol/schema"
)

// Schema is a schema of OpenAPI 3.0.
type Schema object

const (
	schemaURN = "urn:streaming-service:schema:"
	refPrefix = "#/components/schemas/"
	common    = "common"
)

// Ref is the schema of a file in protocol/schema, named without .schema.json,
// or of one of its definitions: common#/$defs/requestId.
func Ref(name string) Schema {
	file, def, _ := strings.Cut(name, "#/$defs/")
	return Schema{"$ref": refPrefix + componentName(file, def)}
}

// componentName is the name of a component. API Gateway takes letters and
// digits only.
func componentName(file, def string) string {
	var name strings.Builder
	if file != common || def == "" {
		for part := range strings.SplitSeq(file, "-") {
			name.WriteString(capital(part))
		}
	}
	name.WriteString(capital(def))
	return name.String()
}

func capital(s string) string {
	if s == "" {
		return ""
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// schemas are the components that the operations refer to, made of the JSON
// Schemas of the protocol.
func (a API) schemas() (object, error) {
	sources, err := readSources()
	if err != nil {
		return nil, err
	}
	c := converter{sources: sources, components: object{}}
	for _, s := range a.referenced() {
		if err := c.find(s); err != nil {
			return nil, err
		}
	}
	return c.components, nil
}

// referenced are the schemas that the operations name.
func (a API) referenced() []Schema {
	var schemas []Schema
	for _, p := range a.PathParameters {
		schemas = append(schemas, p.Schema)
	}
	for _, o := range a.Operations {
		for _, p := range o.Parameters {
			schemas = append(schemas, p.Schema)
		}
		if o.Request != nil {
			schemas = append(schemas, o.Request.Schema)
		}
		for _, r := range o.AllResponses() {
			schemas = append(schemas, r.Schema)
			schemas = slices.AppendSeq(schemas, maps.Values(r.Other))
		}
	}
	return schemas
}

// source is a file of protocol/schema.
type source struct {
	name string // without .schema.json
	root object
}

func readSources() (map[string]source, error) {
	entries, err := schema.Files.ReadDir(".")
	if err != nil {
		return nil, fmt.Errorf("reading schemas: %w", err)
	}
	sources := map[string]source{}
	for _, entry := range entries {
		data, err := schema.Files.ReadFile(entry.Name())
		if err != nil {
			return nil, fmt.Errorf("reading schema %s: %w", entry.Name(), err)
		}
		s := source{name: strings.TrimSuffix(entry.Name(), ".schema.json")}
		if err := json.Unmarshal(data, &s.root); err != nil {
			return nil, fmt.Errorf("reading schema %s: %w", entry.Name(), err)
		}
		sources[s.name] = s
	}
	return sources, nil
}

// converter makes components of JSON Schemas (draft 2020-12), following their
// references.
type converter struct {
	sources    map[string]source
	components object
}

// find converts what a schema of the table refers to.
func (c *converter) find(s Schema) error {
	ref, ok := s["$ref"].(string)
	if !ok {
		return nil
	}
	for name, src := range c.sources {
		defs, _ := src.root["$defs"].(object)
		if refPrefix+componentName(name, "") == ref {
			_, err := c.component(src, "", src.root)
			return err
		}
		for def, node := range defs {
			if refPrefix+componentName(name, def) == ref {
				_, err := c.component(src, def, node.(object))
				return err
			}
		}
	}
	return fmt.Errorf("there is no schema for %s", ref)
}

// component converts a schema unless that is done already, and returns its name.
func (c *converter) component(src source, def string, node object) (string, error) {
	name := componentName(src.name, def)
	if _, done := c.components[name]; done {
		return name, nil
	}
	c.components[name] = object{} // for schemas that refer to themselves
	converted, err := c.convert(src, node)
	if err != nil {
		return "", fmt.Errorf("schema %s: %w", name, err)
	}
	c.components[name] = converted
	return name, nil
}

// reference follows a $ref of a source.
func (c *converter) reference(src source, ref string) (string, error) {
	file, pointer, _ := strings.Cut(strings.TrimPrefix(ref, schemaURN), "#")
	if file != "" {
		src = c.sources[file]
	}
	def, isDef := strings.CutPrefix(pointer, "/$defs/")
	node := src.root
	if isDef {
		defs, _ := src.root["$defs"].(object)
		node, _ = defs[def].(object)
	}
	if node == nil {
		return "", fmt.Errorf("reference %s leads nowhere", ref)
	}
	return c.component(src, def, node)
}

// The keywords of JSON Schema by what becomes of them.
var (
	kept = []string{
		"title", "description", "enum", "pattern", "format", "default", "minimum", "maximum", "multipleOf",
		"minLength", "maxLength", "minItems", "maxItems", "uniqueItems", "minProperties", "maxProperties",
	}
	// OpenAPI 3.0 has no conditions: they stay in the JSON Schemas.
	left = []string{"$schema", "$id", "$defs", "if", "then", "else"}
)

// convert makes a schema of OpenAPI 3.0. A keyword that it does not know is an
// error, so that none is lost unnoticed.
func (c *converter) convert(src source, node object) (out object, err error) {
	out = object{}
	for keyword, value := range node {
		switch {
		case slices.Contains(left, keyword):
		case slices.Contains(kept, keyword):
			out[keyword] = value
		case keyword == "type":
			setType(out, value)
		case keyword == "const":
			out["enum"] = []any{value}
		case keyword == "required":
			if names, _ := value.([]any); len(names) > 0 {
				out[keyword] = names
			}
		case keyword == "properties":
			out[keyword], err = c.each(src, value.(object))
		case keyword == "items", keyword == "additionalProperties":
			out[keyword], err = c.nested(src, value)
		case keyword == "oneOf", keyword == "anyOf", keyword == "allOf":
			err = c.variants(src, out, keyword, value.([]any))
		case keyword == "$ref":
			var name string
			name, err = c.reference(src, value.(string))
			out["$ref"] = refPrefix + name
		default:
			err = fmt.Errorf("keyword %s has no counterpart in OpenAPI %s", keyword, Version)
		}
		if err != nil {
			return nil, err
		}
	}
	return withType(besideRef(out)), nil
}

// setType turns a type that may be null into OpenAPI's nullable.
func setType(out object, value any) {
	types, several := value.([]any)
	if !several {
		out["type"] = value
		return
	}
	for _, t := range types {
		if t == "null" {
			out["nullable"] = true
		} else {
			out["type"] = t
		}
	}
}

// besideRef keeps what stands beside a $ref, which OpenAPI 3.0 would ignore.
func besideRef(out object) object {
	ref, ok := out["$ref"]
	if !ok || len(out) == 1 {
		return out
	}
	delete(out, "$ref")
	out["allOf"] = []any{object{"$ref": ref}}
	return out
}

// withType gives enumerations the type of their values, which generators need.
func withType(out object) object {
	values, ok := out["enum"].([]any)
	if _, typed := out["type"]; !ok || typed || len(values) == 0 {
		return out
	}
	switch values[0].(type) {
	case string:
		out["type"] = "string"
	case bool:
		out["type"] = "boolean"
	case float64:
		out["type"] = "number"
	}
	if slices.Contains(values, nil) {
		out["nullable"] = true
	}
	return out
}

func (c *converter) each(src source, properties object) (object, error) {
	converted := object{}
	for name, node := range properties {
		schema, err := c.nested(src, node)
		if err != nil {
			return nil, fmt.Errorf("property %s: %w", name, err)
		}
		converted[name] = schema
	}
	return converted, nil
}

// nested converts a schema, which may be true or false.
func (c *converter) nested(src source, node any) (any, error) {
	schema, ok := node.(object)
	if !ok {
		return node, nil
	}
	return c.convert(src, schema)
}

// variants converts the members of oneOf and its kin. A member that was only a
// condition is left out.
func (c *converter) variants(src source, out object, keyword string, members []any) error {
	var converted []any
	for _, member := range members {
		schema, err := c.nested(src, member)
		if err != nil {
			return err
		}
		if s, ok := schema.(object); !ok || len(s) > 0 {
			converted = append(converted, schema)
		}
	}
	if len(converted) > 0 {
		out[keyword] = converted
	}
	return nil
}
