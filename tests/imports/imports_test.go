// Package imports_test holds the rules of who may import what.
package imports_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/streaming-service/streaming-service/"

// rule forbids imports that start with one of bad to the packages under from,
// except those under but.
type rule struct {
	from []string
	but  []string
	bad  []string
	why  string
}

var rules = []rule{
	{
		from: []string{"lambdas", "protocol", "client", "web", "internal/allowlist", "internal/environment", "internal/modelfamily"},
		bad:  []string{"github.com/pulumi/"},
		why:  "what runs on AWS or in a user's program must not carry the deployment engine",
	},
	{
		from: []string{"components", "protocol", "client", "web", "main.go", "internal/stack", "internal/allowlist", "internal/environment", "internal/functionbuild", "internal/modelfamily"},
		bad:  []string{"github.com/aws/aws-sdk-go-v2", "github.com/aws/aws-lambda-go"},
		why:  "declaring the service needs no AWS client, and clients speak its contract alone",
	},
	{
		from: []string{"lambdas/internal"},
		but:  []string{"lambdas/internal/awsconfig", "lambdas/internal/bedrock", "lambdas/internal/deployment", "lambdas/internal/directory", "lambdas/internal/dynamo", "lambdas/internal/objects", "lambdas/internal/queue", "lambdas/internal/sockets", "lambdas/internal/start/lifecycle"},
		bad:  []string{"github.com/aws/aws-sdk-go-v2"},
		why:  "only adapters, and what wires them, know the AWS SDK",
	},
	{
		from: []string{"lambdas/internal/life"},
		bad:  []string{"github.com/aws/", module + "lambdas/internal/"},
		why:  "the domain knows no adapter and no event",
	},
	{
		from: []string{"lambdas", "protocol", "client", "cmd/quota", "internal/allowlist", "internal/environment", "internal/modelfamily"},
		bad:  []string{"github.com/evanw/esbuild", module + "web"},
		why:  "a function or a user's program has no use for the page's sources and their bundler",
	},
	{
		from: []string{"cmd", "components", "internal", "main.go", "web"},
		but:  []string{"web/build"},
		bad:  []string{"github.com/evanw/esbuild"},
		why:  "one package makes the page",
	},
	{
		from: []string{"components", "lambdas", "protocol", "client", "web", "internal"},
		bad:  []string{module + "cmd/"},
		why:  "commands are built from packages, never the other way round",
	},
	{
		from: []string{"components", "main.go", "internal", "lambdas", "protocol", "client", "web"},
		bad:  []string{"github.com/pulumi/pulumi-go-provider", "github.com/pulumi/pulumi/pkg/"},
		why:  "a Go program must not compile what only programs in other languages need",
	},
	{
		from: []string{"components", "lambdas", "protocol", "client", "web", "internal/stack", "internal/functionbuild"},
		but:  []string{"lambdas/internal/dynamo/dynamotest"}, // imported by tests only
		bad:  []string{module + "internal/localcloud"},
		why:  "the service must not know where it runs",
	},
	{
		from: []string{"internal/localcloud"},
		but:  []string{"internal/localcloud/localcloudtest"},
		bad:  []string{module + "components", module + "internal/localservice", module + "internal/stack", module + "lambdas", module + "protocol", module + "web"},
		why:  "the local cloud runs any program, and knows this service only as its localcloud.Program",
	},
}

func TestImportRules(t *testing.T) {
	t.Parallel()
	seen := map[string]int{}
	for file, imports := range sources(t) {
		for i, r := range rules {
			if !under(file, r.from) || under(file, r.but) {
				continue
			}
			seen[strconv.Itoa(i)]++
			for _, path := range imports {
				if under(path, r.bad) {
					t.Errorf("%s imports %s: %s", file, path, r.why)
				}
			}
		}
	}
	for i, r := range rules {
		if seen[strconv.Itoa(i)] == 0 {
			t.Errorf("rule %d (%v) matches no file", i, r.from)
		}
	}
}

func TestProtocolImportsOnlyTheStandardLibrary(t *testing.T) {
	t.Parallel()
	for file, imports := range sources(t) {
		if !under(file, []string{"protocol"}) {
			continue
		}
		for _, path := range imports {
			if strings.Contains(strings.SplitN(path, "/", 2)[0], ".") {
				t.Errorf("%s imports %s: protocol must cost its users nothing", file, path)
			}
		}
	}
}

// sources maps each non-test Go file, by its path from the module's root, to
// what it imports.
func sources(t *testing.T) map[string][]string {
	t.Helper()
	const root = "../.."
	files := map[string][]string{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "testdata" || d.Name() == "node_modules" || strings.HasPrefix(d.Name(), ".") && path != root) {
			return fs.SkipDir
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		name := filepath.ToSlash(rel)
		files[name] = []string{}
		for _, spec := range parsed.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			files[name] = append(files[name], imported)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func under(path string, prefixes []string) bool {
	for _, prefix := range prefixes {
		if path == prefix || strings.HasPrefix(path, strings.TrimSuffix(prefix, "/")+"/") || strings.HasSuffix(prefix, "/") && strings.HasPrefix(path, prefix) {
			return true
		}
	}
	return false
}
