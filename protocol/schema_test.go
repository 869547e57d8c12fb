package protocol_test

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"pgregory.net/rapid"

	"github.com/streaming-service/streaming-service/protocol"
	"github.com/streaming-service/streaming-service/protocol/schema"
)

// node is the part of a schema that a Go type can be compared with.
type node struct {
	ID         string          `json:"$id"`
	Ref        string          `json:"$ref"`
	Defs       map[string]node `json:"$defs"`
	Properties map[string]node `json:"properties"`
	Items      *node           `json:"items"`
	Required   []string        `json:"required"`
	OneOf      []node          `json:"oneOf"`
	Enum       []any           `json:"enum"`
	Const      any             `json:"const"`
	Pattern    string          `json:"pattern"`
}

func TestSchemasAgreeWithTheGoTypes(t *testing.T) {
	t.Parallel()
	docs := readSchemas(t)
	for name, newValue := range wireTypes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			compareFields(t, docs, docs[name], docs[name], reflect.TypeOf(newValue()).Elem(), name)
		})
	}
}

// additions are fields that are always sent, but not by older services.
var additions = map[string]bool{"usage.budget": true, "submit-response.quota.budget": true}

// block is compared by itself, as it may hold others.
var block = reflect.TypeFor[protocol.Block]()

// compareFields checks that a struct and an object schema have the same
// fields, that exactly the fields without omitempty are required (unions
// aside, where each variant has its own), and so on downwards.
func compareFields(t *testing.T, docs map[string]node, root, object node, goType reflect.Type, path string) {
	t.Helper()
	properties, required := object.Properties, object.Required
	union := len(properties) == 0
	if union {
		properties = map[string]node{}
		for _, variant := range slices.AppendSeq(object.OneOf, maps.Values(object.Defs)) {
			maps.Copy(properties, resolve(t, docs, &root, variant).Properties)
		}
	}
	fields := map[string]reflect.StructField{}
	for field := range goType.Fields() {
		name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		if name == "-" {
			continue // part of another field
		}
		fields[name] = field
		if optional := options == "omitempty" || additions[path+"."+name]; !union && optional == slices.Contains(required, name) {
			t.Errorf("%s.%s: omitempty is %v, required is %v", path, name, optional, !optional)
		}
	}
	compareNames(t, path, slices.Collect(maps.Keys(fields)), slices.Collect(maps.Keys(properties)))
	for name, field := range fields {
		next := root
		property := resolve(t, docs, &next, properties[name])
		fieldType := field.Type
		if property.Items != nil {
			property, fieldType = resolve(t, docs, &next, *property.Items), fieldType.Elem()
		}
		if fieldType.Kind() == reflect.Pointer {
			fieldType = fieldType.Elem()
		}
		if fieldType.Kind() == reflect.Struct && fieldType != block {
			compareFields(t, docs, next, property, fieldType, path+"."+name)
		}
	}
}

// resolve follows a reference; root becomes the document it leads to.
func resolve(t *testing.T, docs map[string]node, root *node, n node) node {
	t.Helper()
	if n.Ref == "" {
		return n
	}
	file, pointer, _ := strings.Cut(strings.TrimPrefix(n.Ref, "urn:streaming-service:schema:"), "#")
	if file != "" {
		doc, ok := docs[file]
		if !ok {
			t.Fatalf("no schema %s", n.Ref)
		}
		*root = doc
	}
	if pointer == "" {
		return *root
	}
	def, ok := root.Defs[strings.TrimPrefix(pointer, "/$defs/")]
	if !ok {
		t.Fatalf("no definition %s", n.Ref)
	}
	return def
}

// TestPatternsAreWhatTheFunctionsCheck, for every character: blank is what Go
// trims, and the classes of regular expressions differ between languages.
func TestPatternsAreWhatTheFunctionsCheck(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("compares a million characters: skipped with -short")
	}
	definitions := readSchemas(t)["common"].Defs
	filled, keyName := regexp.MustCompile(definitions["filled"].Pattern), regexp.MustCompile(definitions["keyName"].Pattern)
	for r := rune(0); r <= unicode.MaxRune; r++ {
		text := string(r)
		if filled.MatchString(text) == (strings.TrimSpace(text) == "") {
			t.Errorf("%U: filled is %v", r, filled.MatchString(text))
		}
		if keyName.MatchString(text) == (strings.TrimSpace(text) == "" || unicode.IsControl(r)) || keyName.MatchString("a"+text+"b") == unicode.IsControl(r) {
			t.Errorf("%U: keyName is %v alone and %v between others", r, keyName.MatchString(text), keyName.MatchString("a"+text+"b"))
		}
	}
}

func TestSchemaCodesAgreeWithTheConstants(t *testing.T) {
	t.Parallel()
	constants := constantsByType(t, "protocol.go", "frames.go")
	common := readSchemas(t)["common"].Defs
	notices := common["noticeCode"].Enum
	inSchema := slices.Concat(common["problemCode"].Enum, common["errorCode"].Enum, notices)
	compareNames(t, "codes", constants["Code"], compact(inSchema))
	compareNames(t, "statuses", constants["Status"], compact(common["status"].Enum))

	var frameTypes, actions []any
	for _, variant := range readSchemas(t)["frame"].Defs {
		frameTypes = append(frameTypes, variant.Properties["type"].Const)
	}
	for _, variant := range readSchemas(t)["client-frame"].Defs {
		actions = append(actions, variant.Properties["action"].Const)
	}
	compareNames(t, "frame types", constants["FrameType"], compact(frameTypes))
	compareNames(t, "actions", constants["Action"], compact(actions))
}

// TestConstructedFramesAreValid draws frames from the constructors, which is
// how the service makes every frame it sends.
func TestConstructedFramesAreValid(t *testing.T) {
	t.Parallel()
	compiled := compileSchemas(t)
	rapid.Check(t, func(t *rapid.T) {
		frame := drawFrame(t)
		data := frame.Encode()
		if err := validate(compiled["frame"], data); err != nil {
			t.Fatalf("%s: %v", data, err)
		}
		again, err := protocol.DecodeFrame(data)
		if err != nil || !reflect.DeepEqual(again, frame) {
			t.Fatalf("decoded %+v, %v; want %+v", again, err, frame)
		}
		resume := protocol.Resume(requestID, rapid.IntRange(0, 4).Draw(t, "attempt"), rapid.IntRange(-1, 9).Draw(t, "after"))
		for _, f := range []protocol.ClientFrame{resume, protocol.Cancel(requestID), protocol.Ping()} {
			if err := validate(compiled["client-frame"], f.Encode()); err != nil {
				t.Fatalf("%s: %v", f.Encode(), err)
			}
		}
	})
}

func drawFrame(t *rapid.T) protocol.Frame {
	attempt, seq := rapid.IntRange(1, 4).Draw(t, "attempt"), rapid.IntRange(1, 1000).Draw(t, "seq")
	text := rapid.StringN(1, 50, -1).Draw(t, "text")
	usage := protocol.TokenUsage{
		InputTokens:  rapid.Int64Range(0, 1e6).Draw(t, "in"),
		OutputTokens: rapid.Int64Range(0, 1e6).Draw(t, "out"),
		Estimated:    rapid.Bool().Draw(t, "estimated"),
	}
	failure := protocol.RequestError{Code: protocol.CodeModelError, Message: text, Retryable: rapid.Bool().Draw(t, "retryable")}
	return rapid.SampledFrom([]protocol.Frame{
		protocol.StartFrame(requestID, attempt, text),
		protocol.DeltaFrame(requestID, attempt, seq, text),
		protocol.ReasoningFrame(requestID, attempt, seq, text, ""),
		protocol.ReasoningFrame(requestID, attempt, seq, "", text),
		protocol.RedactedFrame(requestID, attempt, seq, []byte(text)),
		protocol.ToolUseFrame(requestID, attempt, seq, "tooluse_1", "get_weather", protocol.Encode(map[string]string{"city": text})),
		protocol.DoneFrame(requestID, attempt, seq, text, usage),
		protocol.ErrorFrame(requestID, attempt, seq-1, failure),
		protocol.NoticeFrame(protocol.CodeInvalidMessage, text),
		protocol.PongFrame(),
	}).Draw(t, "frame")
}

func readSchemas(t *testing.T) map[string]node {
	t.Helper()
	docs := map[string]node{}
	entries, err := schema.Files.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		data, err := schema.Files.ReadFile(entry.Name())
		if err != nil {
			t.Fatal(err)
		}
		var doc node
		if err := json.Unmarshal(data, &doc); err != nil {
			t.Fatalf("%s: %v", entry.Name(), err)
		}
		if doc.ID != schemaID(entry.Name()) {
			t.Errorf("%s: $id is %q", entry.Name(), doc.ID)
		}
		docs[strings.TrimSuffix(entry.Name(), ".schema.json")] = doc
	}
	return docs
}

// constantsByType returns the values of the package's string constants by the
// name of their type.
func constantsByType(t *testing.T, files ...string) map[string][]string {
	t.Helper()
	values := map[string][]string{}
	for _, file := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok || spec.Type == nil || len(spec.Values) != 1 {
				return true
			}
			typeName, isIdent := spec.Type.(*ast.Ident)
			literal, isLiteral := spec.Values[0].(*ast.BasicLit)
			if isIdent && isLiteral {
				value, err := strconv.Unquote(literal.Value)
				if err != nil {
					t.Fatal(err)
				}
				values[typeName.Name] = append(values[typeName.Name], value)
			}
			return true
		})
	}
	return values
}

func compact(values []any) []string {
	var names []string
	for _, value := range values {
		names = append(names, value.(string))
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func compareNames(t *testing.T, what string, inGo, inSchema []string) {
	t.Helper()
	slices.Sort(inGo)
	slices.Sort(inSchema)
	if !slices.Equal(inGo, inSchema) {
		t.Errorf("%s:\n    Go %q\nschema %q", what, inGo, inSchema)
	}
}
