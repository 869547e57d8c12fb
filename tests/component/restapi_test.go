package component_test

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/streaming-service/streaming-service/components"
	"github.com/streaming-service/streaming-service/protocol"
)

// node is a part of a JSON document.
type node map[string]any

func (n node) at(path ...string) any { return declared{Inputs: n}.property(path...) }

// restDocument is the document that API Gateway makes the REST API of.
func restDocument(t *testing.T, r *recorder) node {
	t.Helper()
	return parse(t, r.find(t, "rest-api").Inputs["body"].(string))
}

func parse(t *testing.T, text string) (n node) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &n); err != nil {
		t.Fatal(err)
	}
	return n
}

// calls are the methods of the document by path and method, with the function
// that answers and the security scheme.
func calls(t *testing.T, n node) map[string]string {
	t.Helper()
	found := map[string]string{}
	for path, item := range n["paths"].(map[string]any) {
		for name, operation := range item.(map[string]any) {
			o := declared{Inputs: operation.(map[string]any)}
			uri, _ := o.property("x-amazon-apigateway-integration", "uri").(string)
			function := strings.TrimSuffix(uri[strings.LastIndex(uri, "/functions/")+len("/functions/"):], "/invocations")
			function = strings.Replace(function, "/response-streaming-invocations", "", 1)
			access := "open"
			for _, requirement := range o.Inputs["security"].([]any) {
				access = strings.Join(slices.Collect(maps.Keys(requirement.(map[string]any))), ",")
			}
			found[strings.ToUpper(strings.TrimPrefix(name, "x-amazon-apigateway-"))+" "+path] = function + " " + access
		}
	}
	return found
}

// TestRESTMethods: every path has its operations, answers 404 and 405 through
// ANY, and preflights without a token.
func TestRESTMethods(t *testing.T) {
	t.Parallel()
	want := map[string]string{
		"POST /requests":               "arn:svc-quota idToken",
		"GET /requests/{requestId}":    "arn:svc-requests idToken",
		"DELETE /requests/{requestId}": "arn:svc-requests idToken",
		"GET /usage":                   "arn:svc-quota idToken",
		"POST /uploads":                "arn:svc-quota idToken",
		"GET /openapi.json":            "arn:svc-requests open",

		"POST /openai/v1/chat/completions": "arn:svc-completions authorizer",
		"GET /openai/v1/models":            "arn:svc-completions authorizer",
	}
	for _, path := range []string{"/", "/requests", "/requests/{requestId}", "/usage", "/uploads", "/openapi.json", "/openai/v1/chat/completions", "/openai/v1/models", "/{proxy+}"} {
		want["ANY-METHOD "+path], want["OPTIONS "+path] = "arn:svc-requests idToken", "arn:svc-requests open"
	}
	if got := calls(t, restDocument(t, declare(t, nil))); !reflect.DeepEqual(got, want) {
		t.Errorf("methods\n%v, want\n%v", indented(t, got), indented(t, want))
	}
}

// TestRESTMethodsOfKeys: they are there if personal keys are on.
func TestRESTMethodsOfKeys(t *testing.T) {
	t.Parallel()
	without := calls(t, restDocument(t, declare(t, nil)))
	with := calls(t, restDocument(t, declare(t, &args{Auth: &components.AuthSettings{PersonalKeys: new(true)}})))
	maps.DeleteFunc(with, func(call, _ string) bool { _, also := without[call]; return also })
	want := map[string]string{"POST /keys": "arn:svc-quota idToken", "GET /keys": "arn:svc-quota idToken", "DELETE /keys/{keyId}": "arn:svc-quota idToken"}
	for _, path := range []string{"/keys", "/keys/{keyId}"} {
		want["ANY-METHOD "+path], want["OPTIONS "+path] = "arn:svc-requests idToken", "arn:svc-requests open"
	}
	if !reflect.DeepEqual(with, want) {
		t.Errorf("keys add\n%v, want\n%v", indented(t, with), indented(t, want))
	}
}

// TestRESTPermissions: API Gateway may call a function for its own operations
// alone.
func TestRESTPermissions(t *testing.T) {
	t.Parallel()
	r := declare(t, nil)
	for role, want := range map[string][2]string{
		"submit-permission":        {"svc-quota-name", "arn:execute:svc-rest-api/v1/POST/requests"},
		"usage-permission":         {"svc-quota-name", "arn:execute:svc-rest-api/v1/GET/usage"},
		"create-upload-permission": {"svc-quota-name", "arn:execute:svc-rest-api/v1/POST/uploads"},
		"requests-permission":      {"svc-requests-name", "arn:execute:svc-rest-api/v1/*/*"},

		"chat-completions-permission": {"svc-completions-name", "arn:execute:svc-rest-api/v1/POST/openai/v1/chat/completions"},
		"models-permission":           {"svc-completions-name", "arn:execute:svc-rest-api/v1/GET/openai/v1/models"},
		"rest-authorizer-permission":  {"svc-authorizer-name", "arn:execute:svc-rest-api/authorizers/*"},
	} {
		d := r.find(t, role)
		if got := [2]any{d.Inputs["function"], d.Inputs["sourceArn"]}; got != [2]any{want[0], want[1]} {
			t.Errorf("%s is %v, want %v", role, got, want)
		}
	}
	allowed := 0
	for _, d := range r.ofType("aws:lambda/permission:Permission") {
		if source, _ := d.Inputs["sourceArn"].(string); strings.Contains(source, "rest-api") {
			allowed++
		}
	}
	if allowed != 7 {
		t.Errorf("%d permissions for the REST API, want 7", allowed)
	}
}

// TestBodiesArriveAsTheyAre: API Gateway would repair a body that it takes for
// text, and the function could not refuse it.
func TestBodiesArriveAsTheyAre(t *testing.T) {
	t.Parallel()
	if got := restDocument(t, declare(t, nil)).at("x-amazon-apigateway-binary-media-types"); !reflect.DeepEqual(got, []any{"*/*"}) {
		t.Errorf("binary media types %v", got)
	}
}

// TestImportedAndServedDocumentsAreOne: they have the same operations, which
// answer the same. What a setting adds is in the served one anyway.
func TestImportedAndServedDocumentsAreOne(t *testing.T) {
	t.Parallel()
	imported, served := restDocument(t, declare(t, everything())), parse(t, string(protocol.OpenAPI))
	for path, item := range served["paths"].(map[string]any) {
		for method, operation := range item.(map[string]any) {
			here := declared{Inputs: operation.(map[string]any)}
			there, ok := imported.at("paths", path, method).(map[string]any)
			if !ok {
				t.Errorf("%s %s is not imported", method, path)
				continue
			}
			for _, same := range []string{"operationId", "summary", "security", "tags"} {
				if !reflect.DeepEqual(here.Inputs[same], there[same]) {
					t.Errorf("%s of %s %s is %v, served as %v", same, method, path, there[same], here.Inputs[same])
				}
			}
			if got, want := slices.Sorted(maps.Keys(there["responses"].(map[string]any))), slices.Sorted(maps.Keys(here.Inputs["responses"].(map[string]any))); !slices.Equal(got, want) {
				t.Errorf("%s %s answers %v, served as %v", method, path, got, want)
			}
		}
	}
	if strings.Contains(string(protocol.OpenAPI), "x-amazon") {
		t.Error("the served document names what is AWS's")
	}
}

// TestTheDocumentIsDeterministic: otherwise every update would redeploy.
func TestTheDocumentIsDeterministic(t *testing.T) {
	t.Parallel()
	first := declare(t, everything()).find(t, "rest-api").Inputs["body"]
	for range 5 {
		if again := declare(t, everything()).find(t, "rest-api").Inputs["body"]; again != first {
			t.Fatal("the document changes by itself")
		}
	}
}

// TestEveryOperationHasAFunction of the service.
func TestEveryOperationHasAFunction(t *testing.T) {
	t.Parallel()
	for call, got := range calls(t, restDocument(t, declare(t, nil))) {
		name, _, _ := strings.Cut(strings.TrimPrefix(got, "arn:svc-"), " ")
		if !slices.Contains(components.Functions(), name) {
			t.Errorf("%s is answered by %s", call, got)
		}
	}
}
