package iam

import (
	"strings"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
)

type effect int

const (
	effectNone effect = iota
	effectAllow
	effectDeny
)

func (d document) effect(p awsapi.Permission) effect {
	result := effectNone
	for i := range d.Statement {
		if !d.Statement[i].matches(p) {
			continue
		}
		if d.Statement[i].Effect == "Deny" {
			return effectDeny
		}
		result = effectAllow
	}
	return result
}

func (s *statement) matches(p awsapi.Permission) bool {
	return s.matchesAction(p.Action) && s.matchesResource(p.Resource) && conditionsHold(s.Condition, p.Context)
}

func (s *statement) matchesAction(action string) bool {
	if len(s.NotAction) > 0 {
		return !anyMatches(s.NotAction, action, matchesFold)
	}
	return anyMatches(s.Action, action, matchesFold)
}

func (s *statement) matchesResource(resource string) bool {
	if len(s.NotResource) > 0 {
		return !anyMatches(s.NotResource, resource, matchesARN)
	}
	return anyMatches(s.Resource, resource, matchesARN)
}

// trusts tells whether a trust policy lets a principal perform an action of sts.
func (d document) trusts(kind, name, action string, keys map[string]string) bool {
	trusted := false
	for i := range d.Statement {
		s := &d.Statement[i]
		if !s.Principal.includes(kind, name) || !s.matchesAction(action) || !conditionsHold(s.Condition, keys) {
			continue
		}
		if s.Effect == "Deny" {
			return false
		}
		trusted = true
	}
	return trusted
}

func (p principals) includes(kind, name string) bool {
	for _, candidate := range p[kind] {
		if candidate == name {
			return true
		}
	}
	return p["*"] != nil
}

func anyMatches(patterns texts, value string, matches func(pattern, value string) bool) bool {
	for _, pattern := range patterns {
		if matches(pattern, value) {
			return true
		}
	}
	return false
}

func matchesFold(pattern, value string) bool {
	return glob(strings.ToLower(pattern), strings.ToLower(value))
}

// matchesARN matches each of an ARN's six parts on its own: a wildcard does not
// reach over a colon before the resource part.
func matchesARN(pattern, arn string) bool {
	if pattern == "*" {
		return true
	}
	patterns, parts := strings.SplitN(pattern, ":", 6), strings.SplitN(arn, ":", 6)
	if len(patterns) != len(parts) {
		return false
	}
	for i := range parts {
		if !glob(patterns[i], parts[i]) {
			return false
		}
	}
	return true
}

// glob matches * (any text) and ? (any one byte).
func glob(pattern, text string) bool {
	star, retry := -1, 0
	p, t := 0, 0
	for t < len(text) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, retry = p, t
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == text[t]):
			p++
			t++
		case star >= 0:
			retry++
			p, t = star+1, retry
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}
