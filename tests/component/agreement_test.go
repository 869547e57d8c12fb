package component_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/streaming-service/streaming-service/components"
)

const root = "../.."

// TestMetrics: alarms and dashboard draw metrics that the functions write.
func TestMetrics(t *testing.T) {
	t.Parallel()
	written := map[string]bool{}
	for _, name := range constants(t, filepath.Join(root, "lambdas", "internal", "metrics", "metrics.go")) {
		written[name] = true
	}
	for _, d := range declare(t, everything()).ofType("aws:cloudwatch/metricAlarm:MetricAlarm") {
		if metric, _ := d.Inputs["metricName"].(string); d.Inputs["namespace"] == components.MetricsNamespace && !written[metric] {
			t.Errorf("%s watches %s, which nothing writes", d.Name, metric)
		}
	}
	body, _ := declare(t, nil).find(t, "dashboard").Inputs["dashboardBody"].(string)
	drawn := regexp.MustCompile(`"StreamingService","(\w+)"|MetricName=\\"(\w+)\\"`).FindAllStringSubmatch(body, -1)
	if len(drawn) < 10 {
		t.Errorf("found only %d metrics of the service in the dashboard", len(drawn))
	}
	for _, match := range drawn {
		if name := match[1] + match[2]; !written[name] {
			t.Errorf("the dashboard draws %s, which nothing writes", name)
		}
	}
}

// TestProjectsOfAnAccountAreApart: services of one name in stacks of one name
// must not overwrite each other's dashboard or add up their metrics.
func TestProjectsOfAnAccountAreApart(t *testing.T) {
	t.Parallel()
	r := declare(t, nil)
	const want = project + "-" + service + "-test"
	if got := r.find(t, "dashboard").Inputs["dashboardName"]; got != want {
		t.Errorf("the dashboard is named %v, want %s", got, want)
	}
	if got := r.find(t, "quota").property("environment", "variables", "SERVICE_NAME"); got != want {
		t.Errorf("metrics are those of %v, want %s", got, want)
	}
}

// TestRunbooks: every alarm says what it means and what to do.
func TestRunbooks(t *testing.T) {
	t.Parallel()
	alarms := declare(t, everything()).ofType("aws:cloudwatch/metricAlarm:MetricAlarm")
	if len(alarms) != 22 {
		t.Errorf("there are %d alarms, want 22", len(alarms))
	}
	for _, d := range alarms {
		text, _ := d.Inputs["alarmDescription"].(string)
		if len(text) < 100 || len(text) > 1024 {
			t.Errorf("the description of %s has %d characters, want a runbook of 100 to 1024", d.Name, len(text))
		}
		if strings.Contains(d.Name, "authorizer") {
			t.Errorf("%s: anybody with a bad token can raise it", d.Name)
		}
	}
}

// TestDeadLettersInFlightCount: the recovery function takes a message as soon as
// it is visible and, when it fails, hides it for six minutes. An alarm on visible
// messages alone would never be raised.
func TestDeadLettersInFlightCount(t *testing.T) {
	t.Parallel()
	d := declare(t, everything()).find(t, "dead-letters-alarm")
	queries, _ := d.Inputs["metricQueries"].([]any)
	watched := map[any]any{}
	for _, q := range queries {
		query, _ := q.(map[string]any)
		metric, _ := query["metric"].(map[string]any)
		watched[query["id"]] = metric["metricName"]
		if query["expression"] != nil && query["expression"] != "m1 + m2" {
			t.Errorf("the expression is %v", query["expression"])
		}
	}
	if len(queries) != 3 || watched["m1"] != "ApproximateNumberOfMessagesVisible" || watched["m2"] != "ApproximateNumberOfMessagesNotVisible" {
		t.Errorf("the alarm watches %v", watched)
	}
}

// TestProviderVersion: the version named for untyped resources, and to an engine
// by the local cloud, is the one in go.mod.
func TestProviderVersion(t *testing.T) {
	t.Parallel()
	mod, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	if line := "github.com/pulumi/pulumi-aws/sdk/v6 v" + components.ProviderVersion + "\n"; !strings.Contains(string(mod), line) {
		t.Errorf("go.mod does not require %s", line)
	}
}

// TestDocumentation: every setting says in its comment what it defaults to.
func TestDocumentation(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, file := range []string{"args.go", "args_operation.go"} {
		inspect(t, filepath.Join(root, "components", file), func(n ast.Node) {
			spec, ok := n.(*ast.TypeSpec)
			if !ok {
				return
			}
			for _, field := range spec.Type.(*ast.StructType).Fields.List {
				name := spec.Name.Name + "." + field.Names[0].Name
				seen[name] = true
				if text := field.Doc.Text(); !strings.HasPrefix(text, field.Names[0].Name+" ") || !strings.Contains(text, "Default:") {
					t.Errorf("%s has no comment that begins with its name and states the default", name)
				}
			}
		})
	}
	for field := range reflect.TypeFor[components.StreamingServiceArgs]().Fields() {
		if name := "StreamingServiceArgs." + field.Name; !seen[name] {
			t.Errorf("%s was not found", name)
		}
	}
}

// constants returns the string constants of a file by name.
func constants(t *testing.T, path string) map[string]string {
	t.Helper()
	found := map[string]string{}
	inspect(t, path, func(n ast.Node) {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || len(spec.Values) != 1 {
			return
		}
		if value, ok := spec.Values[0].(*ast.BasicLit); ok && value.Kind == token.STRING {
			found[spec.Names[0].Name] = strings.Trim(value.Value, `"`)
		}
	})
	return found
}

func inspect(t *testing.T, path string, visit func(ast.Node)) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(n ast.Node) bool { visit(n); return true })
}
