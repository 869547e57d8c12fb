package components

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// value is the value of a setting as far as it is known.
type value struct {
	v     any    // string, int, float64, bool, []string or map[string]string
	rule  string // key of its checks
	known bool   // false: an Output that has not resolved
	given bool   // by the user, rather than a default
}

// values are the settings by path, without those that have no value.
type values map[string]value

// get returns the value at path if there is one and it is known.
func (vs values) get(path string) (any, bool) {
	v := vs[path]
	return v.v, v.known
}

// number returns the number at path if there is one and it is known.
func (vs values) number(path string) (float64, bool) {
	switch v := vs[path].v.(type) {
	case int:
		return float64(v), true
	case float64:
		return v, true
	default:
		return 0, false
	}
}

// given reports whether the user set path, to whatever value.
func (vs values) given(path string) bool { return vs[path].given }

// named is path with its value, if that is known.
func (vs values) named(path string) string {
	if v, known := vs.get(path); known {
		return path + " (" + textOf(v) + ")"
	}
	return path
}

// problem is one broken rule.
type problem struct {
	path string // throttle.burstLimit
	rule string // must be >= 1
	got  any    // nil if the rule says it all
}

func (p problem) String() string {
	if p.got == nil {
		return p.path + " " + p.rule
	}
	if s, ok := p.got.(string); ok {
		return fmt.Sprintf("%s %s, got %q", p.path, p.rule, s)
	}
	return fmt.Sprintf("%s %s, got %v", p.path, p.rule, p.got)
}

// validate holds settings to every rule and reports all problems at once, one
// a line, in the order of their paths.
func validate(vs values) error {
	var problems []problem
	for path, v := range vs {
		if !v.known {
			continue
		}
		for _, c := range checks[v.rule] {
			if rule := c(v.v); rule != "" {
				problems = append(problems, problem{path, rule, v.v})
			}
		}
	}
	for _, rule := range crossRules {
		problems = append(problems, rule(vs)...)
	}
	if len(problems) == 0 {
		return nil
	}
	lines := make([]string, len(problems))
	for i, p := range problems {
		lines[i] = p.String()
	}
	slices.Sort(lines)
	return errors.New(strings.Join(slices.Compact(lines), "\n"))
}
