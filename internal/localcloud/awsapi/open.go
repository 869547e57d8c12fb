package awsapi

import "context"

// Open is a Guard that lets every call pass, for tests of a single service.
type Open struct{}

// Admit admits.
func (Open) Admit(context.Context, Call) (loseResponse bool, err *Error) { return false, nil }
