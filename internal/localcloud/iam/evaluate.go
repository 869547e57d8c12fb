package iam

import (
	"slices"
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
		return !anyMatches(s.NotResource, resource, awsapi.MatchARN)
	}
	return anyMatches(s.Resource, resource, awsapi.MatchARN)
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
	if slices.Contains(p[kind], name) {
		return true
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
	return awsapi.Glob(strings.ToLower(pattern), strings.ToLower(value))
}
