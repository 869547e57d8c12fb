package imports_test

import (
	"maps"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/streaming-service/streaming-service/internal/environment"
)

// clients are the clients of AWS that each function links: what starts cold must
// not carry what it does not use.
var clients = map[string][]string{
	environment.FunctionAuthorizer:  {"cognitoidentityprovider", "dynamodb"},
	environment.FunctionCompletions: {"bedrockruntime", "dynamodb", "sqs"},
	environment.FunctionConnection:  {"dynamodb", "sqs"},
	environment.FunctionProcessor:   {"bedrockruntime", "dynamodb", "sqs"},
	environment.FunctionQuota:       {"dynamodb", "sqs"},
	environment.FunctionRecovery:    {"dynamodb", "sqs"},
	environment.FunctionRequests:    {"dynamodb", "sqs"},
}

func TestFunctionsLinkOnlyTheClientsThatTheyUse(t *testing.T) {
	t.Parallel()
	const sdk = "github.com/aws/aws-sdk-go-v2/"
	for _, function := range environment.Functions() {
		out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", "../../lambdas/"+function).Output()
		if err != nil {
			t.Fatal(err)
		}
		linked := map[string]bool{}
		for dependency := range strings.FieldsSeq(string(out)) {
			if dependency == sdk+"config" {
				t.Errorf("%s links %s: the credentials of a function are in its environment", function, dependency)
			}
			if client, ok := strings.CutPrefix(dependency, sdk+"service/"); ok && !strings.Contains(client, "/") {
				linked[client] = true
			}
		}
		if got := slices.Sorted(maps.Keys(linked)); !slices.Equal(got, clients[function]) {
			t.Errorf("%s links the clients %v, want %v", function, got, clients[function])
		}
	}
}
