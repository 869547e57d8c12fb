package protocol_test

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/streaming-service/streaming-service/protocol"
	"github.com/streaming-service/streaming-service/protocol/schema"
)

// wireTypes maps the name of each schema to a new value of its Go type.
var wireTypes = map[string]func() any{
	"submit-request":         func() any { return new(protocol.SubmitRequest) },
	"submit-response":        func() any { return new(protocol.SubmitResponse) },
	"cancel-response":        func() any { return new(protocol.CancelResponse) },
	"usage":                  func() any { return new(protocol.Usage) },
	"request-state":          func() any { return new(protocol.RequestState) },
	"content-block":          func() any { return new(protocol.Block) },
	"problem":                func() any { return new(protocol.Problem) },
	"create-key-request":     func() any { return new(protocol.CreateKeyRequest) },
	"create-key-response":    func() any { return new(protocol.CreateKeyResponse) },
	"create-upload-request":  func() any { return new(protocol.CreateUploadRequest) },
	"create-upload-response": func() any { return new(protocol.CreateUploadResponse) },
	"key-list":               func() any { return new(protocol.KeyList) },
	"frame":                  func() any { return new(protocol.Frame) },
	"client-frame":           func() any { return new(protocol.ClientFrame) },
}

func TestGoldenFilesRoundTrip(t *testing.T) {
	t.Parallel()
	schemas := compileSchemas(t)
	seen := map[string]int{}
	eachExample(t, "testdata/golden", func(t *testing.T, typeName string, data []byte) {
		seen[typeName]++
		value := wireTypes[typeName]()
		dec := json.NewDecoder(bytes.NewReader(data))
		dec.DisallowUnknownFields()
		if err := dec.Decode(value); err != nil {
			t.Fatal(err)
		}
		var want bytes.Buffer
		if err := json.Compact(&want, data); err != nil {
			t.Fatal(err)
		}
		if got := protocol.Encode(value); !bytes.Equal(got, want.Bytes()) {
			t.Errorf("encoded again:\n got %s\nwant %s", got, want.Bytes())
		}
		if err := validate(schemas[typeName], data); err != nil {
			t.Errorf("against its schema: %v", err)
		}
	})
	for name := range wireTypes {
		if seen[name] == 0 {
			t.Errorf("no golden file for %s", name)
		}
	}
}

// TestOlderBodiesAreValid: what a service of before some field sends is still
// understood.
func TestOlderBodiesAreValid(t *testing.T) {
	t.Parallel()
	schemas := compileSchemas(t)
	eachExample(t, "testdata/older", func(t *testing.T, typeName string, data []byte) {
		if err := validate(schemas[typeName], data); err != nil {
			t.Errorf("against its schema: %v", err)
		}
		if err := json.Unmarshal(data, wireTypes[typeName]()); err != nil {
			t.Error(err)
		}
	})
}

// TestOlderClientReadsEveryProblem: clients are compiled with the types of their
// day. Those from before budgets took limits for whole numbers, and could not
// read a refusal that has dollars there: neither its code nor its Retry-After.
func TestOlderClientReadsEveryProblem(t *testing.T) {
	t.Parallel()
	eachExample(t, "testdata/golden", func(t *testing.T, typeName string, data []byte) {
		var problem struct {
			Code  protocol.Code `json:"code"`
			Quota string        `json:"quota"`
			Limit *int64        `json:"limit"`
			Used  *int64        `json:"used"`
		}
		if typeName != "problem" {
			return
		}
		if err := json.Unmarshal(data, &problem); err != nil || problem.Code == "" {
			t.Errorf("read %+v, %v", problem, err)
		}
		if problem.Code == protocol.CodeQuotaExceeded && (problem.Limit == nil || problem.Used == nil) {
			t.Errorf("a quota is exceeded without limit and used, which were always there: %s", data)
		}
	})
}

func TestSchemasRefuse(t *testing.T) {
	t.Parallel()
	schemas := compileSchemas(t)
	eachExample(t, "testdata/invalid", func(t *testing.T, typeName string, data []byte) {
		if err := validate(schemas[typeName], data); err == nil {
			t.Error("accepted")
		}
	})
}

// eachExample runs f on every dir/<type>/<case>.json.
func eachExample(t *testing.T, dir string, f func(t *testing.T, typeName string, data []byte)) {
	t.Helper()
	files, err := filepath.Glob(dir + "/*/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no examples in %s: %v", dir, err)
	}
	for _, file := range files {
		typeName := filepath.Base(filepath.Dir(file))
		t.Run(typeName+"/"+strings.TrimSuffix(filepath.Base(file), ".json"), func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if wireTypes[typeName] == nil {
				t.Fatalf("no wire type %s", typeName)
			}
			f(t, typeName, data)
		})
	}
}

// compileSchemas returns the schema of each wire type by name.
func compileSchemas(t *testing.T) map[string]*jsonschema.Schema {
	t.Helper()
	compiler := jsonschema.NewCompiler()
	names, err := fs.Glob(schema.Files, "*.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		data, err := schema.Files.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if err := compiler.AddResource(schemaID(name), doc); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	schemas := map[string]*jsonschema.Schema{}
	for _, name := range names {
		compiled, err := compiler.Compile(schemaID(name))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		schemas[strings.TrimSuffix(name, ".schema.json")] = compiled
	}
	return schemas
}

func schemaID(file string) string {
	return "urn:streaming-service:schema:" + strings.TrimSuffix(file, ".schema.json")
}

func validate(s *jsonschema.Schema, data []byte) error {
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		return err
	}
	return s.Validate(value)
}

func TestIsCut(t *testing.T) {
	t.Parallel()
	for reason, want := range map[string]bool{
		"end_turn": false, "stop_sequence": false, "guardrail_intervened": false, "": false,
		"max_tokens": true, "model_context_window_exceeded": true, "deadline": true,
	} {
		if got := protocol.IsCut(reason); got != want {
			t.Errorf("IsCut(%q) = %v", reason, got)
		}
	}
}
