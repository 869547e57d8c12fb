package environment_test

import (
	"os"
	"slices"
	"testing"

	"github.com/streaming-service/streaming-service/internal/environment"
)

// Every function has a program in lambdas/, and every program there is a
// function that has variables, each once.
func TestFunctionsAreTheProgramsOfLambdas(t *testing.T) {
	t.Parallel()
	entries, err := os.ReadDir("../../lambdas")
	if err != nil {
		t.Fatal(err)
	}
	var programs []string
	for _, entry := range entries {
		if _, err := os.Stat("../../lambdas/" + entry.Name() + "/main.go"); err == nil {
			programs = append(programs, entry.Name())
		}
	}
	if got := environment.Functions(); !slices.Equal(got, programs) {
		t.Errorf("functions are %v, programs %v", got, programs)
	}
	for _, function := range environment.Functions() {
		variables := slices.Sorted(slices.Values(environment.Of(function)))
		if len(variables) == 0 || len(slices.Compact(slices.Clone(variables))) != len(variables) {
			t.Errorf("variables of %s are %v, want some and each once", function, variables)
		}
	}
}
