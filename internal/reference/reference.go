// Package reference reads the settings and outputs of StreamingService, with
// their documentation, from the source of the component. The settings page and
// the descriptions in the package's schema are made from it.
//
//go:generate go run ./generate
package reference

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"reflect"
	"regexp"
	"strconv"
	"strings"
)

// Struct is a struct of the component whose fields are settings or outputs.
type Struct struct {
	Name   string
	Doc    string
	Fields []Field
}

// Field is one setting or output.
type Field struct {
	Name string // as in programs and configuration: monthlyRequests
	Type string // string, integer, number, boolean, a list or map, or a struct's name
	// Output says that the value may be an Output of another resource.
	Output bool
	Doc    string // one paragraph
}

// Read parses the Go files of the component and returns its structs by name.
func Read(source fs.FS) (map[string]Struct, error) {
	files, err := fs.Glob(source, "*.go")
	if err != nil {
		return nil, fmt.Errorf("listing sources: %w", err)
	}
	structs := map[string]Struct{}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		text, err := fs.ReadFile(source, name)
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", name, err)
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, text, parser.ParseComments)
		if err != nil {
			return nil, fmt.Errorf("parsing %s: %w", name, err)
		}
		for _, s := range structsOf(file) {
			structs[s.Name] = s
		}
	}
	nameAsUsers(structs)
	return structs, nil
}

// fieldNames are what may be names of fields in Go: Auth.AllowedOrigins, MaxTokens.
// A name of one word is like any word, and WebSocket is AWS's.
var fieldNames = regexp.MustCompile(`\b[A-Z]\w*\.[A-Z]\w*\b|\b[A-Z][a-z]+[A-Z]\w*\b`)

// nameAsUsers has documentation name fields as programs in other languages and
// configuration do.
func nameAsUsers(structs map[string]Struct) {
	known := map[string]bool{}
	for _, s := range structs {
		for _, f := range s.Fields {
			known[f.Name] = true
			for _, inner := range structs[f.Type].Fields {
				known[f.Name+"."+inner.Name] = true
			}
		}
	}
	rename := func(doc string) string {
		return fieldNames.ReplaceAllStringFunc(doc, func(inGo string) string {
			if inGo == "WebSocket" {
				return inGo
			}
			topic, field, _ := strings.Cut(inGo, ".")
			if name := strings.TrimSuffix(lowerFirst(topic)+"."+lowerFirst(field), "."); known[name] {
				return name
			}
			return inGo
		})
	}
	for name, s := range structs {
		s.Doc = rename(s.Doc)
		for i := range s.Fields {
			s.Fields[i].Doc = rename(s.Fields[i].Doc)
		}
		structs[name] = s
	}
}

func lowerFirst(name string) string {
	return strings.ToLower(name[:min(1, len(name))]) + name[min(1, len(name)):]
}

func structsOf(file *ast.File) []Struct {
	var structs []Struct
	for _, declaration := range file.Decls {
		types, ok := declaration.(*ast.GenDecl)
		if !ok || types.Tok != token.TYPE {
			continue
		}
		for _, spec := range types.Specs {
			named := spec.(*ast.TypeSpec)
			body, ok := named.Type.(*ast.StructType)
			if !ok {
				continue
			}
			if fields := fieldsOf(body); len(fields) > 0 {
				structs = append(structs, Struct{Name: named.Name.Name, Doc: paragraph(types.Doc), Fields: fields})
			}
		}
	}
	return structs
}

func fieldsOf(body *ast.StructType) []Field {
	var fields []Field
	for _, f := range body.Fields.List {
		if f.Tag == nil || len(f.Names) != 1 {
			continue
		}
		tag, err := strconv.Unquote(f.Tag.Value)
		if err != nil {
			continue
		}
		name, _, _ := strings.Cut(reflect.StructTag(tag).Get("pulumi"), ",")
		if name == "" {
			continue
		}
		kind, output := typeOf(f.Type)
		doc := strings.Replace(paragraph(f.Doc), f.Names[0].Name, name, 1)
		fields = append(fields, Field{Name: name, Type: kind, Output: output, Doc: doc})
	}
	return fields
}

// pulumiTypes are the names that users know the SDK's types by.
var pulumiTypes = map[string]string{
	"StringPtrInput": "string", "IntPtrInput": "integer", "Float64PtrInput": "number", "BoolPtrInput": "boolean",
	"StringArrayInput": "list of strings", "StringMapInput": "map of strings",
	"StringOutput": "string", "StringMapOutput": "map of strings",
	"string": "string", "int": "integer", "bool": "boolean",
}

func typeOf(expr ast.Expr) (name string, output bool) {
	switch t := expr.(type) {
	case *ast.StarExpr:
		return typeOf(t.X)
	case *ast.SelectorExpr:
		return pulumiTypes[t.Sel.Name], true
	case *ast.MapType:
		element, _ := typeOf(t.Value)
		return "map of " + element, false
	case *ast.Ident:
		if known, ok := pulumiTypes[t.Name]; ok {
			return known, false
		}
		return t.Name, false
	default:
		return "", false
	}
}

func paragraph(comment *ast.CommentGroup) string {
	return strings.Join(strings.Fields(comment.Text()), " ")
}
