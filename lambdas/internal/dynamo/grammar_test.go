package dynamo_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// grammar parses the expressions of DynamoDB as its documentation defines them,
// and refuses forms that only an emulator accepts.
type grammar struct {
	tokens []string
	paths  []string // written by the update
}

var tokenPattern = regexp.MustCompile(`\s*(#[A-Za-z]+|:[A-Za-z]+|[A-Za-z_]+|<=|>=|<>|[=<>(),+\-]|\S)`)

func tokenize(expression string) (tokens []string) {
	for _, m := range tokenPattern.FindAllStringSubmatch(expression, -1) {
		tokens = append(tokens, m[1])
	}
	return tokens
}

func parseUpdate(expression string) error {
	g := &grammar{tokens: tokenize(expression)}
	return g.run(g.update)
}

func parseCondition(expression string) error {
	g := &grammar{tokens: tokenize(expression)}
	return g.run(g.or)
}

func (g *grammar) run(rule func()) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%v", r)
		}
	}()
	rule()
	if len(g.tokens) > 0 {
		return fmt.Errorf("unexpected %q", g.tokens[0])
	}
	return nil
}

func (g *grammar) peek() string {
	if len(g.tokens) == 0 {
		return ""
	}
	return g.tokens[0]
}

func (g *grammar) next() string {
	token := g.peek()
	if token == "" {
		panic("unexpected end")
	}
	g.tokens = g.tokens[1:]
	return token
}

func (g *grammar) want(token string) {
	if got := g.next(); got != token {
		panic(fmt.Sprintf("%q instead of %q", got, token))
	}
}

func (g *grammar) accept(tokens ...string) bool {
	if !slices.Contains(tokens, g.peek()) || g.peek() == "" {
		return false
	}
	g.next()
	return true
}

func (g *grammar) path() string {
	p := g.next()
	if !strings.HasPrefix(p, "#") {
		panic(fmt.Sprintf("name %q is not aliased", p))
	}
	return p
}

func (g *grammar) value() {
	if v := g.next(); !strings.HasPrefix(v, ":") {
		panic(fmt.Sprintf("%q is no value", v))
	}
}

func (g *grammar) update() {
	seen := map[string]bool{}
	for g.peek() != "" {
		clause := g.next()
		if seen[clause] {
			panic("second " + clause)
		}
		seen[clause] = true
		action, ok := map[string]func(){"SET": g.set, "ADD": g.addOrDelete, "DELETE": g.addOrDelete, "REMOVE": g.remove}[clause]
		if !ok {
			panic(fmt.Sprintf("clause %q", clause))
		}
		for action(); g.accept(","); action() {
		}
	}
	if len(seen) == 0 {
		panic("empty")
	}
}

func (g *grammar) remove() { g.written(g.path()) }

func (g *grammar) written(path string) {
	if slices.Contains(g.paths, path) {
		panic("two writes of " + path)
	}
	g.paths = append(g.paths, path)
}

func (g *grammar) addOrDelete() {
	g.written(g.path())
	g.value()
}

func (g *grammar) set() {
	g.written(g.path())
	g.want("=")
	g.operand()
	if g.accept("+", "-") {
		g.operand()
	}
}

func (g *grammar) operand() {
	switch token := g.peek(); {
	case strings.HasPrefix(token, ":"):
		g.value()
	case token == "if_not_exists":
		g.next()
		g.want("(")
		g.path()
		g.want(",")
		g.operand()
		g.want(")")
	default:
		g.path()
	}
}

func (g *grammar) or() {
	for g.and(); g.accept("OR"); g.and() {
	}
}

func (g *grammar) and() {
	for g.condition(); g.accept("AND"); g.condition() {
	}
}

func (g *grammar) condition() {
	switch g.peek() {
	case "NOT":
		g.next()
		g.condition()
	case "(":
		g.next()
		if g.peek() == "(" && g.closes() {
			panic("redundant parentheses")
		}
		g.or()
		g.want(")")
	case "attribute_exists", "attribute_not_exists":
		g.next()
		g.want("(")
		g.path()
		g.want(")")
	case "contains", "begins_with":
		g.next()
		g.want("(")
		g.path()
		g.want(",")
		g.value()
		g.want(")")
	default:
		g.comparison()
	}
}

// closes reports whether the group that begins here is all of its outer group.
func (g *grammar) closes() bool {
	depth := 0
	for i, token := range g.tokens {
		switch token {
		case "(":
			depth++
		case ")":
			if depth--; depth == 0 {
				return i+1 < len(g.tokens) && g.tokens[i+1] == ")"
			}
		}
	}
	return false
}

func (g *grammar) comparison() {
	g.side()
	switch operator := g.next(); operator {
	case "=", "<>", "<", "<=", ">", ">=":
		g.side()
	case "BETWEEN":
		g.side()
		g.want("AND")
		g.side()
	default:
		panic(fmt.Sprintf("operator %q", operator))
	}
}

func (g *grammar) side() {
	if strings.HasPrefix(g.peek(), ":") {
		g.value()
		return
	}
	g.path()
}

func TestGrammarRefusesWhatDynamoDBRefuses(t *testing.T) {
	t.Parallel()
	updates := map[string]bool{
		"SET #a = :b":                         true,
		"SET #a = #a + :b, #c = :d ADD #e :f": true,
		"SET #a = if_not_exists(#a, :zero) + :one DELETE #b :c": true,
		"SET #a = #a + :b - :c":                                 false,
		"SET #a = :b, #a = :c":                                  false,
		"SET #a = :b SET #c = :d":                               false,
		"SET a = :b":                                            false,
		"REMOVE #a, #b":                                         true,
		"REMOVE #a, #a":                                         false,
		"ADD #a #b":                                             false,
		"":                                                      false,
	}
	for expression, valid := range updates {
		if err := parseUpdate(expression); (err == nil) != valid {
			t.Errorf("%s: %v", expression, err)
		}
	}
	conditions := map[string]bool{
		"#a = :b AND (#c < :d OR attribute_not_exists(#c))": true,
		"contains(#a, :b)":         true,
		"#a BETWEEN :b AND :c":     true,
		"#a + :b <= :c":            false,
		"status = :b":              false,
		"((#a = :b))":              false,
		"(#a = :b) AND (#c = :d)":  true,
		"attribute_not_exists(:a)": false,
		"#a = :b AND":              false,
	}
	for expression, valid := range conditions {
		if err := parseCondition(expression); (err == nil) != valid {
			t.Errorf("%s: %v", expression, err)
		}
	}
}
