package iam

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
)

// PutResourcePolicy declares or replaces the policy of a resource, such as a
// queue. It holds for every caller, the operator too.
func (s *Service) PutResourcePolicy(arn, policy string) error {
	parsed, err := parseResourcePolicy([]byte(policy), arn)
	if err != nil {
		return fmt.Errorf("putting policy of %s: %w", arn, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.resources[arn] = parsed
	return nil
}

// DeleteResourcePolicy removes the policy of a resource.
func (s *Service) DeleteResourcePolicy(arn string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.resources, arn)
}

func parseResourcePolicy(text []byte, arn string) (document, error) {
	parsed, err := parse(text)
	if err != nil {
		return parsed, err
	}
	for i, s := range parsed.Statement {
		switch {
		case len(s.Principal) == 0:
			return parsed, fmt.Errorf("MalformedPolicyDocument: statement %d: a resource-based policy needs a Principal", i)
		case !s.about(arn):
			return parsed, fmt.Errorf("MalformedPolicyDocument: statement %d: resource %v is not the one that has the policy", i, s.Resource)
		}
	}
	return parsed, nil
}

// about tells whether a statement is about nothing but the resource that has
// its policy and, for a bucket, what is in it.
func (s *statement) about(arn string) bool {
	for _, pattern := range s.Resource {
		if !awsapi.MatchARN(pattern, arn) && !strings.HasPrefix(pattern, arn+"/") {
			return false
		}
	}
	return len(s.Resource) > 0
}

// policyAbout is the resource-based policy that decides about a permission.
func (s *Service) policyAbout(p awsapi.Permission) document {
	if p.PolicyOf != "" {
		return s.resources[p.PolicyOf]
	}
	return s.resources[p.Resource]
}

// AllowedService decides whether an AWS service, such as
// cloudfront.amazonaws.com, may do p: only the policy of the resource can allow
// it.
func (s *Service) AllowedService(principal string, p awsapi.Permission) *awsapi.Error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	p = withGlobalKeys(p)
	about := document{Statement: slices.DeleteFunc(slices.Clone(s.policyAbout(p).Statement), func(s statement) bool {
		return !s.Principal.includes("Service", principal)
	})}
	if about.effect(p) == effectAllow {
		return nil
	}
	return awsapi.AccessDenied(principal, p.Action, p.Resource)
}

// everywhere are the condition keys of every call. Functions and clients reach
// the local cloud by plain HTTP, where they would reach AWS by TLS, so it plays
// TLS.
var everywhere = map[string]string{"aws:SecureTransport": "true"}

func withGlobalKeys(p awsapi.Permission) awsapi.Permission {
	context := maps.Clone(everywhere)
	maps.Copy(context, p.Context)
	p.Context = context
	return p
}

// effectFor is what the statements say that are about a principal; "" is the
// operator, whom only a policy for everybody names.
func (d document) effectFor(principal string, p awsapi.Permission) effect {
	about := document{Statement: slices.DeleteFunc(slices.Clone(d.Statement), func(s statement) bool {
		return !s.Principal.includes("AWS", principal) && !s.Principal.includes("AWS", "*")
	})}
	return about.effect(p)
}

func deniedByResource(p awsapi.Permission, caller string) *awsapi.Error {
	refusal := awsapi.AccessDenied(caller, p.Action, p.Resource)
	refusal.Message += " with an explicit deny in a resource-based policy"
	return refusal
}
