package restapi

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

const extensionPrefix = "x-amazon-apigateway-"

// extensions are those that an import knows, by where they stand. The name of
// a path, method or scheme is *.
var extensions = map[string][]string{
	"":                             {"gateway-responses", "request-validators", "request-validator", "binary-media-types"},
	"paths.*":                      {"any-method"},
	"paths.*.*":                    {"integration", "request-validator"},
	"components.securitySchemes.*": {"authtype", "authorizer"},
}

// checkExtensions refuses an extension that nothing here follows. API Gateway
// has more, and ignores those that it does not have.
func checkExtensions(body string) error {
	var doc map[string]any
	if err := json.Unmarshal([]byte(body), &doc); err != nil {
		return badRequest("Invalid OpenAPI input: %v", err)
	}
	return checkExtensionsAt(doc, nil)
}

func checkExtensionsAt(node any, place []string) error {
	switch node := node.(type) {
	case []any:
		for _, member := range node {
			if err := checkExtensionsAt(member, append(place, "[]")); err != nil {
				return err
			}
		}
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(node)) {
			extension, ok := strings.CutPrefix(name, extensionPrefix)
			if ok && !slices.Contains(extensions[pattern(place)], extension) {
				return badRequest("Invalid OpenAPI input: %s at %s has no counterpart in the local cloud", name, spell(place))
			}
			if ok && extension != "any-method" {
				continue // its members are checked where it is read
			}
			if err := checkExtensionsAt(node[name], append(place, name)); err != nil {
				return err
			}
		}
	}
	return nil
}

func pattern(place []string) string {
	parts := slices.Clone(place)
	for i := range parts {
		if i > 0 && (parts[0] == "paths" || i > 1) {
			parts[i] = "*"
		}
	}
	return strings.Join(parts, ".")
}

func spell(place []string) string {
	if len(place) == 0 {
		return "the root"
	}
	return strings.Join(place, ".")
}
