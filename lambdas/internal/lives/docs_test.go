package lives_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	ruleRow     = regexp.MustCompile(`(?m)^\| (\d+) \| (\w+: .*` + "`Test" + `.*) \|$`)
	testOfRow   = regexp.MustCompile("`(Test\\w+)`")
	guardsARule = regexp.MustCompile(`guards rules? [0-9 and]+ of docs/life\.md\.\nfunc (Test\w+)\(`)
)

// docs/life.md names the tests that guard each rule, and each of them says so.
func TestEveryRuleHasItsTests(t *testing.T) {
	t.Parallel()
	doc, err := os.ReadFile("../../../docs/life.md")
	if err != nil {
		t.Fatal(err)
	}
	guards, named := guardsOfRules(t), map[string]bool{}
	rows := ruleRow.FindAllStringSubmatch(string(doc), -1)
	if len(rows) != 15 {
		t.Fatalf("%d rules have tests, want 15", len(rows))
	}
	for _, row := range rows {
		for _, name := range testOfRow.FindAllStringSubmatch(row[2], -1) {
			if !guards[name[1]] {
				t.Errorf("rule %s: no test %s says that it guards one", row[1], name[1])
			}
			named[name[1]] = true
		}
	}
	for name := range guards {
		if !named[name] {
			t.Errorf("docs/life.md does not name %s", name)
		}
	}
}

func guardsOfRules(t *testing.T) map[string]bool {
	t.Helper()
	guards := map[string]bool{}
	err := filepath.WalkDir("..", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		source, err := os.ReadFile(path)
		for _, match := range guardsARule.FindAllStringSubmatch(string(source), -1) {
			guards[match[1]] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return guards
}
