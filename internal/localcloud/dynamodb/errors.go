package dynamodb

import (
	"errors"
	"strings"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
	"github.com/streaming-service/streaming-service/internal/localcloud/dynamodb/attribute"
)

func invalid(message string) *awsapi.Error {
	return &awsapi.Error{Status: 400, Code: "ValidationException", Message: message}
}

func tableNotFound(string) *awsapi.Error {
	return &awsapi.Error{Status: 400, Code: "ResourceNotFoundException", Message: "Cannot do operations on a non-existent table"}
}

func conditionFailed(old attribute.Item) *awsapi.Error {
	refusal := &awsapi.Error{Status: 400, Code: "ConditionalCheckFailedException", Message: "The conditional request failed"}
	if old != nil {
		refusal.Members = map[string]any{"Item": old}
	}
	return refusal
}

func conflicting() *awsapi.Error {
	return &awsapi.Error{Status: 400, Code: "TransactionConflictException", Message: "Transaction is ongoing for the item"}
}

// undecodable is the answer to a body that is not a request: AWS's validation of
// values, an unknown parameter, or plain bad JSON.
func undecodable(err error) *awsapi.Error {
	if badValue, ok := errors.AsType[*attribute.Invalid](err); ok {
		return invalid(badValue.Message)
	}
	if _, name, unknown := strings.Cut(err.Error(), "unknown field "); unknown {
		return invalid("the local cloud does not know parameter " + name)
	}
	return &awsapi.Error{Status: 400, Code: "SerializationException", Message: "the body is not a valid request: " + err.Error()}
}
