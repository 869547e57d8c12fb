package reference

import (
	"fmt"
	"strings"
)

// Names of the component's own structs.
const (
	args      = "StreamingServiceArgs"
	component = "StreamingService"
)

// Page renders the settings and outputs as Markdown.
func Page(structs map[string]Struct) string {
	var page strings.Builder
	page.WriteString("# Settings and outputs\n\nGenerated from the documentation in `components/` by `go generate ./internal/reference`; do not edit.\n\n" +
		"Every setting is optional. In a stack's configuration a setting is the key of its topic and its path, as in\n" +
		"`pulumi config set --path quota.monthlyRequests 500`; in a program it is the field of the same name. Settings marked\n" +
		"*plain* decide which resources exist and cannot be Outputs of other resources.\n")
	for _, topic := range structs[args].Fields {
		if nested, ok := structs[topic.Type]; ok {
			fmt.Fprintf(&page, "\n## %s\n\n%s\n\n", topic.Name, strings.Replace(nested.Doc, nested.Name, "These", 1))
			writeFields(&page, topic.Name+".", nested.Fields, structs)
		}
	}
	page.WriteString("\n## Top level\n\n")
	writeFields(&page, "", withoutTopics(structs), structs)
	page.WriteString("\n## Outputs\n\n| output | type | |\n|---|---|---|\n")
	for _, output := range structs[component].Fields {
		fmt.Fprintf(&page, "| `%s` | %s | %s |\n", output.Name, output.Type, cell(output))
	}
	return page.String()
}

func withoutTopics(structs map[string]Struct) []Field {
	var top []Field
	for _, f := range structs[args].Fields {
		if _, topic := structs[f.Type]; !topic {
			top = append(top, f)
		}
	}
	return top
}

func writeFields(page *strings.Builder, prefix string, fields []Field, structs map[string]Struct) {
	page.WriteString("| setting | type | |\n|---|---|---|\n")
	for _, f := range fields {
		kind := f.Type
		if !f.Output {
			kind += ", *plain*"
		}
		element := strings.TrimPrefix(f.Type, "map of ")
		nested, isMap := structs[element]
		if isMap {
			kind = "map, *plain* keys"
		}
		fmt.Fprintf(page, "| `%s%s` | %s | %s |\n", prefix, f.Name, kind, cell(f))
		for _, inner := range nested.Fields {
			fmt.Fprintf(page, "| `%s%s.<name>.%s` | %s | %s |\n", prefix, f.Name, inner.Name, inner.Type, cell(inner))
		}
	}
}

// cell is the documentation of a field without its own name in front.
func cell(f Field) string {
	doc := strings.TrimSpace(strings.TrimPrefix(f.Doc, f.Name))
	doc = strings.TrimPrefix(strings.TrimPrefix(doc, "is "), "are ")
	if doc == "" {
		return doc
	}
	return strings.ReplaceAll(strings.ToUpper(doc[:1])+doc[1:], "|", "\\|")
}

// Descriptions returns the documentation of every type and property as
// "Struct" and "Struct.property".
func Descriptions(structs map[string]Struct) map[string]string {
	descriptions := map[string]string{}
	for name, s := range structs {
		descriptions[name] = s.Doc
		for _, f := range s.Fields {
			descriptions[name+"."+f.Name] = f.Doc
		}
	}
	return descriptions
}
