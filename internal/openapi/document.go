package openapi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"
)

// object is a JSON object. Encoding sorts its members, so equal documents are
// equal texts.
type object = map[string]any

// securitySchemes describe for clients what each kind of access asks for.
var securitySchemes = map[Access]object{
	UserPool: {
		"type": "http", "scheme": "bearer", "bearerFormat": "JWT",
		"description": "The ID token of a user of the service's Cognito user pool. The prefix Bearer may be left out.",
	},
	Authorizer: {
		"type": "http", "scheme": "bearer",
		"description": "A personal key, or the ID token of a user.",
	},
}

// Public is the document for clients. The address of the service is where the
// document was found.
func (a API) Public() ([]byte, error) {
	schemas, err := a.schemas()
	if err != nil {
		return nil, err
	}
	doc := a.document(schemas)
	doc["servers"] = []any{object{"url": ".", "description": "The service that serves this document"}}
	doc["tags"] = a.tags()
	schemes := object{}
	for _, o := range a.Operations {
		if o.Access != Open {
			schemes[string(o.Access)] = securitySchemes[o.Access]
		}
	}
	doc["components"].(object)["securitySchemes"] = schemes
	return encode(doc, "  ")
}

// document is what both forms have in common.
func (a API) document(schemas object) object {
	paths := object{}
	for _, o := range a.Operations {
		item, ok := paths[o.Path].(object)
		if !ok {
			item = object{}
			paths[o.Path] = item
		}
		item[strings.ToLower(o.Method)] = a.operation(o)
	}
	return object{
		"openapi":    Version,
		"info":       object{"title": a.Title, "version": a.Version, "description": a.Description},
		"paths":      paths,
		"components": object{"schemas": schemas},
	}
}

func (a API) tags() []any {
	var tags []any
	seen := map[string]bool{}
	for _, o := range a.Operations {
		if !seen[o.Tag] {
			tags = append(tags, object{"name": o.Tag})
		}
		seen[o.Tag] = true
	}
	return tags
}

func (a API) operation(o Operation) object {
	responses := object{}
	for _, r := range o.AllResponses() {
		responses[strconv.Itoa(r.Status)] = r.object()
	}
	operation := object{
		"operationId": o.ID,
		"summary":     o.Summary,
		"tags":        []any{o.Tag},
		"responses":   responses,
		"security":    o.Access.requirements(),
	}
	if o.Description != "" {
		operation["description"] = o.Description
	}
	if parameters := a.parameters(o); len(parameters) > 0 {
		operation["parameters"] = parameters
	}
	if o.Request != nil {
		operation["requestBody"] = object{
			"required": true, "description": o.Request.Description,
			"content": object{mediaTypeJSON: content(o.Request.Schema, o.Request.Examples)},
		}
	}
	return operation
}

func (a Access) requirements() []any {
	if a == Open {
		return []any{}
	}
	return []any{object{string(a): []any{}}}
}

func (a API) parameters(o Operation) []any {
	parameters := a.pathParameters(o.Path)
	for _, p := range o.Parameters {
		parameters = append(parameters, p.object())
	}
	return parameters
}

func (a API) pathParameters(path string) []any {
	var parameters []any
	for part := range strings.SplitSeq(path, "/") {
		if name, ok := strings.CutPrefix(part, "{"); ok {
			p := a.PathParameters[strings.TrimSuffix(strings.TrimSuffix(name, "}"), "+")]
			p.Name, p.In, p.Required = strings.TrimSuffix(strings.TrimSuffix(name, "}"), "+"), "path", true
			parameters = append(parameters, p.object())
		}
	}
	return parameters
}

func (p Parameter) object() object {
	schema := p.Schema
	if schema == nil {
		schema = Schema{"type": "string"}
	}
	parameter := object{"name": p.Name, "in": p.In, "required": p.Required, "schema": object(schema)}
	if p.Description != "" {
		parameter["description"] = p.Description
	}
	return parameter
}

const mediaTypeJSON = "application/json"

func (r Response) object() object {
	response := object{"description": r.Description}
	if len(r.Headers) > 0 {
		headers := object{}
		for _, h := range r.Headers {
			headers[h.Name] = object{"description": h.Description, "required": h.Always, "schema": object(h.Schema)}
		}
		response["headers"] = headers
	}
	if r.Schema != nil {
		mediaType := r.MediaType
		if mediaType == "" {
			mediaType = mediaTypeJSON
		}
		bodies := object{mediaType: content(r.Schema, r.Examples)}
		for other, schema := range r.Other {
			bodies[other] = content(schema, nil)
		}
		response["content"] = bodies
	}
	if len(r.Links) > 0 {
		links := object{}
		for operation, name := range r.Links {
			links[operation] = object{"operationId": operation, "parameters": object{name: "$response.body#/" + name}}
		}
		response["links"] = links
	}
	return response
}

func content(schema Schema, examples map[string]any) object {
	c := object{"schema": object(schema)}
	if len(examples) > 0 {
		named := object{}
		for name, value := range examples {
			named[name] = object{"value": value}
		}
		c["examples"] = named
	}
	return c
}

// encode writes the document in ASCII, since the parsers of YAML that read it
// refuse control characters, and without HTML escapes, which only JavaScript in
// a page would need.
func encode(doc object, indent string) ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", indent)
	if err := encoder.Encode(doc); err != nil {
		return nil, fmt.Errorf("encoding OpenAPI document: %w", err)
	}
	return escaped(b.String()), nil
}

// escaped is JSON without any character beyond printable ASCII.
func escaped(text string) []byte {
	var out []byte
	for _, r := range text {
		if r < '\x7f' {
			out = append(out, byte(r))
			continue
		}
		for _, unit := range utf16.AppendRune(nil, r) {
			out = fmt.Appendf(out, `\u%04x`, unit)
		}
	}
	return out
}
