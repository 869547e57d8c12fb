package openapi

// Convert makes a schema of OpenAPI of one of a protocol without others.
func Convert(node map[string]any) (map[string]any, error) {
	c := converter{sources: map[string]source{}, components: object{}}
	return c.convert(source{name: "test", root: node}, node)
}
