package gateway

import (
	"maps"
	"regexp"
	"slices"
)

// What names and values of stage variables may hold (API Gateway, resource Stage
// of the API reference).
var (
	variableName  = regexp.MustCompile(`^\w+$`)
	variableValue = regexp.MustCompile(`^[A-Za-z0-9 \-._~:/?#&=,]+$`)
)

// StageVariables returns what API Gateway says to the variables of a stage that
// it refuses, and else "".
func StageVariables(variables map[string]string) string {
	for _, name := range slices.Sorted(maps.Keys(variables)) {
		value := variables[name]
		switch {
		case !variableName.MatchString(name):
			return "Invalid stage variable name: " + name + ".  Please use names with only word characters."
		case !variableValue.MatchString(value):
			return "Invalid stage variable value: " + value + ".  Please use values with alphanumeric characters and the symbols ' ', -', '.', '_', ':', '/', '?', '&', '=', and ','."
		}
	}
	return ""
}
