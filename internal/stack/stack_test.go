package stack_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"reflect"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"gopkg.in/yaml.v3"

	"github.com/streaming-service/streaming-service/internal/reference"
	"github.com/streaming-service/streaming-service/internal/stack"
)

const project = "streaming-service"

// recorder keeps the inputs of every resource by its name.
type recorder struct {
	mu      sync.Mutex
	inputs  map[string]map[string]any
	secrets map[string]bool
	exports map[string]any
}

func (r *recorder) Call(args pulumi.MockCallArgs) (resource.PropertyMap, error) {
	return resource.NewPropertyMapFromMap(map[string]any{
		"name": "eu-west-1", "partition": "aws", "dnsSuffix": "amazonaws.com", "accountId": "123456789012",
	}), nil
}

func (r *recorder) NewResource(args pulumi.MockResourceArgs) (string, resource.PropertyMap, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.inputs[args.Name] = args.Inputs.Mappable()
	r.secrets[args.Name] = args.Inputs.ContainsSecrets()
	outputs := args.Inputs.Copy()
	for _, property := range []resource.PropertyKey{
		"arn", "name", "url", "invokeArn", "invokeUrl", "executionArn", "apiEndpoint", "rootResourceId",
	} {
		if _, given := outputs[property]; !given {
			outputs[property] = resource.NewStringProperty(string(property) + ":" + args.Name)
		}
	}
	return args.Name + "-id", outputs, nil
}

type fakeBuilder struct{}

func (fakeBuilder) Build(_ context.Context, function, _ string) (string, error) { return function, nil }

// run runs the stack program with a configuration, by keys without the
// project.
func run(config map[string]string, secrets ...string) (*recorder, error) {
	r := &recorder{inputs: map[string]map[string]any{}, secrets: map[string]bool{}, exports: map[string]any{}}
	full := map[string]string{"aws:region": "eu-west-1"}
	for key, v := range config {
		full[project+":"+key] = v
	}
	for i := range secrets {
		secrets[i] = project + ":" + secrets[i]
	}
	err := pulumi.RunErr(func(ctx *pulumi.Context) error {
		if err := stack.Run(ctx, stack.WithFunctionBuilder(fakeBuilder{}), stack.WithConfig(full)); err != nil {
			return err
		}
		for name, v := range ctx.GetCurrentExportMap() {
			v.(pulumi.Output).ApplyT(func(v any) any {
				r.mu.Lock()
				defer r.mu.Unlock()
				r.exports[name] = v
				return v
			})
		}
		return nil
	}, pulumi.WithMocks(project, "test", r), func(info *pulumi.RunInfo) { info.Config, info.ConfigSecretKeys = full, secrets })
	return r, err
}

func mustRun(t *testing.T, config map[string]string, secrets ...string) *recorder {
	t.Helper()
	r, err := run(config, secrets...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *recorder) variable(function, name string) any {
	environment, _ := r.inputs["streaming-"+function]["environment"].(map[string]any)
	variables, _ := environment["variables"].(map[string]any)
	return variables[name]
}

func TestExports(t *testing.T) {
	t.Parallel()
	exports := mustRun(t, nil).exports
	functions, roles := map[string]string{}, map[string]string{}
	for _, name := range []string{"authorizer", "completions", "connection", "processor", "quota", "recovery", "requests"} {
		functions[name] = "arn:streaming-" + name
		roles[name] = "name:streaming-" + name + "-role"
	}
	want := map[string]any{
		"restUrl":               "invokeUrl:streaming-rest-stage",
		"openAiUrl":             "invokeUrl:streaming-rest-stage/openai/v1",
		"webSocketUrl":          "invokeUrl:streaming-websocket-stage",
		"region":                "eu-west-1",
		"userPoolId":            "streaming-user-pool-id",
		"userPoolClientId":      "streaming-user-pool-client-id",
		"signIn":                map[string]string{"mfa": "OFF", "passwordMinimumLength": "12", "selfSignUp": "false"},
		"identityPoolId":        "streaming-identity-pool-id",
		"queueUrl":              "url:streaming-queue",
		"deadLetterQueueUrl":    "url:streaming-dead-letter-queue",
		"quotaTableName":        "name:streaming-quota-table",
		"connectionsTableName":  "name:streaming-connections-table",
		"requestsTableName":     "name:streaming-requests-table",
		"uploadsBucketName":     "streaming-uploads-id",
		"functionArns":          functions,
		"functionRoleNames":     roles,
		"dashboardUrl":          "https://eu-west-1.console.aws.amazon.com/cloudwatch/home?region=eu-west-1#dashboards/dashboard/streaming-service-streaming-test",
		"restDomainTarget":      "",
		"webSocketDomainTarget": "",
		"siteUrl":               "",
		"siteDomainTarget":      "",
	}
	for name, v := range want {
		if !reflect.DeepEqual(exports[name], v) {
			t.Errorf("export %s is %v, want %v", name, exports[name], v)
		}
	}
	if len(exports) != len(want) {
		t.Errorf("there are %d exports, want %d", len(exports), len(want))
	}
}

func TestConfiguration(t *testing.T) {
	t.Parallel()
	r := mustRun(t, map[string]string{
		"quota":     `{"monthlyRequests":10,"monthlyTokens":"20","tiers":{"pro":{"monthlyRequests":30}}}`,
		"throttle":  `{"rateLimit":"2.5","userRateLimit":0.5,"burstLimit":3}`,
		"model":     `{"modelId":"a.b","allowedModelIds":["a.b","a.c"],"system":null,"guardrailId":"g","guardrailVersion":1,"allowSystem":"false"}`,
		"queue":     `{"sweepIntervalMinutes":7}`,
		"stageName": "v7",
		"tags":      `{"cost":12}`,
	})
	for _, test := range []struct{ function, name, want string }{
		{"quota", "QUOTA_TIERS", `{"default":{"monthlyRequests":10,"monthlyTokens":20},"groups":{"pro":{"monthlyRequests":30,"monthlyTokens":20}}}`},
		{"quota", "USER_RATE_LIMIT", "0.5"},
		{"quota", "ALLOWED_MODEL_IDS", "a.b,a.c"},
		{"quota", "ALLOW_SYSTEM", "false"},
		{"processor", "GUARDRAIL_VERSION", "1"},
	} {
		if got := r.variable(test.function, test.name); got != test.want {
			t.Errorf("%s of %s is %v, want %s", test.name, test.function, got, test.want)
		}
	}
	if got := r.variable("quota", "SYSTEM_PROMPT"); got != nil {
		t.Errorf("null is taken for the system prompt %v", got)
	}
	settings, _ := r.inputs["streaming-rest-method-settings"]["settings"].(map[string]any)
	if settings["throttlingRateLimit"] != 2.5 || settings["throttlingBurstLimit"] != 3.0 {
		t.Errorf("method settings are %v", settings)
	}
	if got := r.inputs["streaming-rest-stage"]["stageName"]; got != "v7" {
		t.Errorf("stage is %v", got)
	}
	if got := r.inputs["streaming-sweep"]["scheduleExpression"]; got != "rate(7 minutes)" {
		t.Errorf("sweep is %v", got)
	}
	if got, _ := r.inputs["streaming-queue"]["tags"].(map[string]any); got["cost"] != "12" {
		t.Errorf("tags are %v", got)
	}
}

func TestInvalidConfiguration(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		config map[string]string
		want   string
	}{
		{"unknown key", map[string]string{"quotas": `{}`}, "unknown config key quotas, did you mean quota?"},
		{"unknown nested key", map[string]string{"quota": `{"monthlyRequest":1}`}, "unknown config key quota.monthlyRequest, did you mean quota.monthlyRequests?"},
		{"case", map[string]string{"throttle": `{"websocketRateLimit":1}`}, "unknown config key throttle.websocketRateLimit, did you mean throttle.webSocketRateLimit?"},
		{"nothing alike", map[string]string{"streaming": `{"x":1}`}, "unknown config key streaming.x, valid are flushIntervalMs, onDisconnect, replayTtlHours"},
		{"unknown limit of a tier", map[string]string{"quota": `{"tiers":{"pro":{"requests":1}}}`}, "unknown config key quota.tiers.pro.requests, valid are monthlyBudget, monthlyRequests, monthlyTokens, precedence"},
		{"not an integer", map[string]string{"quota": `{"monthlyRequests":"many"}`}, `quota.monthlyRequests must be an integer, got "many"`},
		{"fraction", map[string]string{"quota": `{"monthlyRequests":1.5}`}, `quota.monthlyRequests must be an integer, got 1.5`},
		{"plain integer", map[string]string{"queue": `{"sweepIntervalMinutes":true}`}, `queue.sweepIntervalMinutes must be an integer, got true`},
		{"not a number", map[string]string{"throttle": `{"rateLimit":[1]}`}, `throttle.rateLimit must be a number, got [1]`},
		{"not a boolean", map[string]string{"observability": `{"tracing":"yes"}`}, `observability.tracing must be true or false, got "yes"`},
		{"not a list", map[string]string{"auth": `{"allowedOrigins":"https://a.example.com"}`}, `auth.allowedOrigins must be a list of strings, got "https://a.example.com"`},
		{"not a string in a list", map[string]string{"auth": `{"allowedOrigins":[{}]}`}, `auth.allowedOrigins[0] must be a string, got {}`},
		{"not an object", map[string]string{"quota": `12`}, `quota must be an object, got 12`},
		{"not JSON", map[string]string{"quota": `monthlyRequests`}, `quota must be an object, got "monthlyRequests"`},
		{"not a tier", map[string]string{"quota": `{"tiers":{"pro":5}}`}, `quota.tiers.pro must be an object, got 5`},
		{"all at once", map[string]string{"quota": `{"a":1,"monthlyTokens":{}}`, "zone": "x"},
			"quota.monthlyTokens must be an integer, got {}\nunknown config key quota.a, valid are monthlyBudget, monthlyRequests, monthlyTokens, serviceMonthlyBudget, tiers, timeZone\nunknown config key zone, valid are auth, domain, "},
		{"rules hold", map[string]string{"quota": `{"monthlyRequests":-5}`}, "quota.monthlyRequests must be >= 0, got -5"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r, err := run(test.config)
			if err == nil || !strings.Contains(err.Error(), "not valid:\n"+test.want) {
				t.Errorf("got error %v, want one with %q", err, test.want)
			}
			if len(r.inputs) > 1 {
				t.Errorf("%d resources were declared", len(r.inputs))
			}
		})
	}
}

// TestSecret: what is a secret in the configuration stays one in the state,
// and out of error messages.
func TestSecret(t *testing.T) {
	t.Parallel()
	r := mustRun(t, map[string]string{"model": `{"system":"hush"}`}, "model")
	if !r.secrets["streaming-quota"] {
		t.Error("the quota function holds the prompt but no secret")
	}
	if r.secrets["streaming-authorizer"] {
		t.Error("the authorizer, which has no prompt, holds secrets")
	}
	_, err := run(map[string]string{"model": `{"maxTokens":"hush"}`}, "model")
	if err == nil || strings.Contains(err.Error(), "hush") || !strings.Contains(err.Error(), "model.maxTokens must be an integer, got [secret]") {
		t.Errorf("got error %v", err)
	}
}

// TestProjectFile: the schema of the configuration in Pulumi.yaml names every
// key, and its defaults are those of the component.
func TestProjectFile(t *testing.T) {
	t.Parallel()
	content, err := os.ReadFile("../../Pulumi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Name   string
		Config map[string]struct {
			Type, Description string
			Default           any
		}
	}
	if err := yaml.Unmarshal(content, &file); err != nil {
		t.Fatal(err)
	}
	if file.Name != project {
		t.Errorf("the project is named %s", file.Name)
	}
	config := map[string]string{}
	for key, declared := range file.Config {
		if declared.Description == "" || declared.Type == "" {
			t.Errorf("%s has no type or no description", key)
		}
		config[key] = configText(t, declared.Default)
	}
	for topic, settings := range topics(t) {
		for _, setting := range settings {
			if described := file.Config[topic].Description; !regexp.MustCompile(`\b` + setting.Name + `\b`).MatchString(described) {
				t.Errorf("Pulumi.yaml does not name %s.%s: %s", topic, setting.Name, described)
			}
		}
	}
	with, without := mustRun(t, config), mustRun(t, nil)
	for name := range without.inputs {
		delete(with.inputs[name], "tags") // empty ones
		if !reflect.DeepEqual(with.inputs[name], without.inputs[name]) {
			t.Errorf("with the defaults of Pulumi.yaml, %s is\n%v\nwithout\n%v", name, with.inputs[name], without.inputs[name])
		}
	}
	_, err = run(map[string]string{"-": ""})
	if err == nil {
		t.Fatal("an unknown key is accepted")
	}
	_, list, _ := strings.Cut(err.Error(), "valid are ")
	list, _, _ = strings.Cut(list, "\n")
	for key := range strings.SplitSeq(strings.TrimSpace(list), ", ") {
		if _, ok := file.Config[key]; !ok {
			t.Errorf("Pulumi.yaml does not declare %s", key)
		}
	}
}

// topics are the settings of the component by the key of their topic.
func topics(t *testing.T) map[string][]reference.Field {
	t.Helper()
	structs, err := reference.Read(os.DirFS("../../components"))
	if err != nil {
		t.Fatal(err)
	}
	settings := map[string][]reference.Field{}
	for _, field := range structs["StreamingServiceArgs"].Fields {
		if topic, ok := structs[field.Type]; ok {
			settings[field.Name] = topic.Fields
		}
	}
	if len(settings) < 10 {
		t.Fatalf("found the topics %v, want all of them", settings)
	}
	return settings
}

// TestDevStack: the configuration in the repository is valid, holds no secret
// and protects nothing.
func TestDevStack(t *testing.T) {
	t.Parallel()
	content, err := os.ReadFile("../../Pulumi.dev.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Config map[string]any }
	if err := yaml.Unmarshal(content, &file); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(content), "secure:") {
		t.Error("the dev stack holds a secret")
	}
	config := map[string]string{}
	for key, v := range file.Config {
		if name, ok := strings.CutPrefix(key, project+":"); ok {
			config[name] = configText(t, v)
		}
	}
	r := mustRun(t, config)
	if r.inputs["streaming-quota-table"]["deletionProtectionEnabled"] != false {
		t.Error("the tables of the dev stack are protected from deletion")
	}
}

func configText(t *testing.T, v any) string {
	t.Helper()
	if text, ok := v.(string); ok {
		return text
	}
	encoded, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(encoded)
}

// TestOtherNamespaces: keys of other projects and providers are left alone.
func TestOtherNamespaces(t *testing.T) {
	t.Parallel()
	err := pulumi.RunErr(stack.Program(stack.WithFunctionBuilder(fakeBuilder{}), stack.WithConfig(map[string]string{"aws:profile": "x", "other:quotas": "y"})),
		pulumi.WithMocks(project, "test", &recorder{inputs: map[string]map[string]any{}, secrets: map[string]bool{}}))
	if err != nil {
		t.Error(err)
	}
}

// TestProcessConfiguration: without WithConfig the keys are those that the CLI
// hands to the process.
func TestProcessConfiguration(t *testing.T) {
	t.Setenv(pulumi.EnvConfig, `{"`+project+`:quotaa":"{}"}`)
	err := pulumi.RunErr(stack.Program(stack.WithFunctionBuilder(fakeBuilder{})),
		pulumi.WithMocks(project, "test", &recorder{inputs: map[string]map[string]any{}, secrets: map[string]bool{}}))
	if err == nil || !strings.Contains(err.Error(), "unknown config key quotaa, did you mean quota?") {
		t.Errorf("got error %v", err)
	}
}

type failingBuilder struct{}

func (failingBuilder) Build(context.Context, string, string) (string, error) {
	return "", errors.New("no compiler")
}

func TestFailingBuild(t *testing.T) {
	t.Parallel()
	err := pulumi.RunErr(stack.Program(stack.WithFunctionBuilder(failingBuilder{}), stack.WithConfig(map[string]string{})),
		pulumi.WithMocks(project, "test", &recorder{inputs: map[string]map[string]any{}, secrets: map[string]bool{}}))
	if err == nil || !strings.Contains(err.Error(), "no compiler") {
		t.Errorf("got error %v", err)
	}
}
