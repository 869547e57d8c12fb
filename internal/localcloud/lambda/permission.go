package lambda

import (
	"slices"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
)

// Permission is one statement of a function's resource policy.
type Permission struct {
	StatementID string
	Action      string // default lambda:InvokeFunction
	Principal   string // a service, such as apigateway.amazonaws.com
	SourceARN   string // ArnLike pattern; "": any source
}

// AddPermission adds a statement to the function's resource policy.
func (s *Service) AddPermission(function string, p Permission) error {
	f, err := s.find(function)
	if err != nil {
		return err
	}
	if p.Action == "" {
		p.Action = "lambda:InvokeFunction"
	}
	if p.Principal == "" {
		return invalidParameter("permission %s of function %s has no principal", p.StatementID, f.name)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if slices.ContainsFunc(f.permissions, func(other Permission) bool { return other.StatementID == p.StatementID }) {
		return conflict("The statement id (%s) provided already exists. Please provide a new statement id, or remove the existing statement.", p.StatementID)
	}
	f.permissions = append(f.permissions, p)
	return nil
}

// RemovePermission removes a statement.
func (s *Service) RemovePermission(function, statementID string) error {
	f, err := s.find(function)
	if err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	before := len(f.permissions)
	f.permissions = slices.DeleteFunc(f.permissions, func(p Permission) bool { return p.StatementID == statementID })
	if len(f.permissions) == before {
		return notFound("Statement %s is not found in resource policy.", statementID)
	}
	return nil
}

// permits reports whether a statement lets a service invoke the function on
// behalf of a source.
func (f *function) permits(principal, sourceARN string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.ContainsFunc(f.permissions, func(p Permission) bool {
		return (p.Principal == principal || p.Principal == "*") &&
			slices.Contains([]string{"lambda:InvokeFunction", "lambda:*", "*"}, p.Action) &&
			(p.SourceARN == "" || awsapi.MatchARN(p.SourceARN, sourceARN))
	})
}
