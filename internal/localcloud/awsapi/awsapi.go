// Package awsapi is what the services of the local cloud share: how a call is
// described, who may refuse it, and how an error travels in each AWS protocol.
package awsapi

import (
	"context"
	"fmt"
	"net/http"
	"strings"
)

// Account of the local cloud.
const (
	AccountID = "000000000000"
	Region    = "us-east-1"
	Partition = "aws"
	DNSSuffix = "amazonaws.com"
)

// Call is one call of an AWS API as the services hand it to the Guard.
type Call struct {
	Service     string // endpoint prefix: dynamodb, sqs, s3, bedrock-runtime, execute-api, cognito-idp
	Operation   string // UpdateItem
	AccessKeyID string // of the SigV4 credential; "" on unsigned calls
	Permissions []Permission
	Body        []byte // of the request, for accounting by request id
}

// Permission is one IAM action on one resource that a call needs.
type Permission struct {
	Action   string            // dynamodb:UpdateItem
	Resource string            // ARN
	Context  map[string]string // condition keys, such as bedrock:InferenceProfileArn
	PolicyOf string            // ARN whose resource-based policy decides; "": Resource's own
}

// Guard stands in front of every service: it counts the call, refuses what the
// caller's role does not allow, and injects the configured faults.
type Guard interface {
	// Admit returns nil or the error that the service answers instead of
	// acting. loseResponse tells the service to act and then drop the
	// connection without an answer.
	Admit(ctx context.Context, call Call) (loseResponse bool, err *Error)
}

// Error is an error as an AWS service answers it.
type Error struct {
	Status    int    // HTTP status
	Code      string // ConditionalCheckFailedException
	Message   string
	QueryCode string         // of x-amzn-query-error where it differs from Code: AWS.SimpleQueueService.NonExistentQueue
	Members   map[string]any // further members of the body, such as Item or CancellationReasons
}

func (e *Error) Error() string { return fmt.Sprintf("%s: %s", e.Code, e.Message) }

// AccessDenied is what a service answers to a caller whose role lacks action.
func AccessDenied(principal, action, resource string) *Error {
	return &Error{
		Status:  http.StatusBadRequest,
		Code:    "AccessDeniedException",
		Message: fmt.Sprintf("User: %s is not authorized to perform: %s on resource: %s", principal, action, resource),
	}
}

// AccessKeyID returns the access key of a request signed with SigV4, or "".
func AccessKeyID(r *http.Request) string {
	_, rest, ok := strings.Cut(r.Header.Get("Authorization"), "Credential=")
	if !ok {
		return ""
	}
	id, _, _ := strings.Cut(rest, "/")
	return id
}

// ARN builds an ARN of the local account and Region.
func ARN(service, resource string) string {
	return "arn:" + Partition + ":" + service + ":" + Region + ":" + AccountID + ":" + resource
}
