package openapi

import "strings"

// modelKeywords are those that models of API Gateway have for sure. An unknown
// one fails the whole import ("Unsupported keyword(s)"), and the developer guide
// lists more that are not supported (api-gateway-known-issues). Bodies are
// validated in the functions, so that models lose nothing by having less.
var modelKeywords = map[string]bool{
	"$ref": true, "title": true, "description": true, "type": true, "enum": true, "properties": true, "required": true, "items": true,
	"minimum": true, "maximum": true, "minLength": true, "maxLength": true,
}

// importable are the components with what models can say.
func importable(components object) object {
	models := object{}
	for name, schema := range components {
		models[name] = model(schema)
	}
	return models
}

// model keeps of a schema what a model can say. A value that may be null has no
// type then.
func model(described any) object {
	schema, ok := described.(object)
	if !ok {
		return object{} // true: anything
	}
	if all, ok := schema["allOf"].([]any); ok {
		if only, ok := all[0].(object); ok && len(all) == 1 && only["$ref"] != nil {
			return object{"$ref": only["$ref"]}
		}
	}
	m := object{}
	for keyword, value := range schema {
		if modelKeywords[keyword] {
			m[keyword] = value
		}
	}
	if schema["nullable"] == true {
		for _, keyword := range []string{"type", "enum", "minimum", "maximum", "minLength", "maxLength"} {
			delete(m, keyword)
		}
	}
	if properties, ok := m["properties"].(object); ok {
		m["properties"] = importable(properties)
	}
	if items, ok := m["items"]; ok {
		m["items"] = model(items)
	}
	return m
}

// importableOperation leaves out examples, which an import may refuse, links,
// and bodies that no model describes.
func importableOperation(operation object) {
	if body, ok := operation["requestBody"].(object); ok {
		importableContent(body)
	}
	for _, response := range operation["responses"].(object) {
		importableContent(response.(object))
		delete(response.(object), "links")
		headers, _ := response.(object)["headers"].(object)
		for _, header := range headers {
			h := header.(object)
			h["schema"] = model(h["schema"])
		}
	}
	parameters, _ := operation["parameters"].([]any)
	for _, parameter := range parameters {
		p := parameter.(object)
		p["schema"] = object{"type": "string"}
	}
}

func importableContent(part object) {
	content, _ := part["content"].(object)
	for mediaType, described := range content {
		schema := described.(object)["schema"].(object)
		if ref, _ := schema["$ref"].(string); !strings.HasPrefix(ref, refPrefix) {
			delete(content, mediaType)
			continue
		}
		content[mediaType] = object{"schema": schema}
	}
	if len(content) == 0 {
		delete(part, "content")
	}
}
