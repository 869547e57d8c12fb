package localcloud

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// writeProject makes a Pulumi project with two stacks.
func writeProject(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range map[string]string{
		"Pulumi.yaml":        "name: streaming-service\nruntime: go\nconfig:\n  aws:region:\n    value: us-east-1\n  stageName:\n    type: string\n    default: v1\n  limit:\n    type: integer\n    default: 3\n",
		"Pulumi.dev.yaml":    "config:\n  streaming-service:quota:\n    monthlyRequests: 100\n    tiers:\n      pro:\n        monthlyRequests: 1000\n  streaming-service:stageName: dev\n",
		"Pulumi.sealed.yaml": "config:\n  streaming-service:token:\n    secure: AAABAC\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestLoadConfig(t *testing.T) {
	t.Parallel()
	root := writeProject(t)
	for _, test := range []struct {
		name      string
		overrides []string
		key, want string
	}{
		{"object", nil, "streaming-service:quota", `{"monthlyRequests":100,"tiers":{"pro":{"monthlyRequests":1000}}}`},
		{"stack over default", nil, "streaming-service:stageName", "dev"},
		{"default", nil, "streaming-service:limit", "3"},
		{"default of another namespace", nil, "aws:region", "us-east-1"},
		{"override in an object", []string{"quota.monthlyRequests=10"}, "streaming-service:quota", `{"monthlyRequests":10,"tiers":{"pro":{"monthlyRequests":1000}}}`},
		{"override deep", []string{"quota.tiers.pro.monthlyRequests=5"}, "streaming-service:quota", `{"monthlyRequests":100,"tiers":{"pro":{"monthlyRequests":5}}}`},
		{"override of an absent object", []string{"throttle.rateLimit=1.5", "throttle.burstLimit=2"}, "streaming-service:throttle", `{"burstLimit":2,"rateLimit":"1.5"}`},
		{"override in a list", []string{"auth.allowedOrigins[0]=http://a=b"}, "streaming-service:auth", `{"allowedOrigins":["http://a=b"]}`},
		{"override of a text", []string{"stageName=v2"}, "streaming-service:stageName", "v2"},
		{"the last override wins", []string{"stageName=v2", "stageName=v3"}, "streaming-service:stageName", "v3"},
		{"override of another namespace", []string{"aws:region=eu-west-1"}, "aws:region", "eu-west-1"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			config, err := loadConfig(root, "dev", test.overrides)
			if err != nil {
				t.Fatal(err)
			}
			if got := config.Values[test.key]; got != test.want {
				t.Errorf("%s is %s, want %s", test.key, got, test.want)
			}
			if config.Project != "streaming-service" {
				t.Errorf("project %q", config.Project)
			}
		})
	}
}

func TestLoadConfigRefuses(t *testing.T) {
	t.Parallel()
	root := writeProject(t)
	for _, test := range []struct {
		name, root, stack, override, want string
		usage                             bool
	}{
		{name: "unknown stack", root: root, stack: "prod", want: "there is no Pulumi.prod.yaml in"},
		{name: "no project", root: t.TempDir(), stack: "dev", want: "Pulumi.yaml"},
		{name: "encrypted value", root: root, stack: "sealed", want: "streaming-service:token is encrypted"},
		{name: "override without a value", root: root, stack: "dev", override: "quota", want: "-c quota: want path=value", usage: true},
		{name: "override without a path", root: root, stack: "dev", override: "=1", want: "want path=value", usage: true},
		{name: "malformed path", root: root, stack: "dev", override: `quota["x=1`, want: "-c quota", usage: true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var overrides []string
			if test.override != "" {
				overrides = []string{test.override}
			}
			_, err := loadConfig(test.root, test.stack, overrides)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("got error %v, want one with %q", err, test.want)
			}
			var usage *UsageError
			if errors.As(err, &usage) != test.usage {
				t.Errorf("error %v: usage error is %t, want %t", err, !test.usage, test.usage)
			}
		})
	}
}

func TestFindRoot(t *testing.T) {
	t.Parallel()
	root := writeProject(t)
	below := filepath.Join(root, "a", "b")
	if err := os.MkdirAll(below, 0o750); err != nil {
		t.Fatal(err)
	}
	if got, err := findRoot(below); err != nil || got != root {
		t.Errorf("got %q, %v, want %q", got, err, root)
	}
	if got, err := findRoot(t.TempDir()); err == nil {
		t.Errorf("got %q outside of a project", got)
	}
}
