package sqs

import (
	"fmt"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
)

// queryPrefix is of the codes that SQS's older protocol knew under another name.
const queryPrefix = "AWS.SimpleQueueService."

func queueDoesNotExist() *awsapi.Error {
	return &awsapi.Error{Status: 400, Code: "QueueDoesNotExist", QueryCode: queryPrefix + "NonExistentQueue", Message: "The specified queue does not exist."}
}

func queueNameExists() *awsapi.Error {
	return &awsapi.Error{Status: 400, Code: "QueueNameExists", QueryCode: "QueueAlreadyExists", Message: "A queue already exists with the same name and a different value for some attribute."}
}

func invalidAttribute(name string) *awsapi.Error {
	return &awsapi.Error{Status: 400, Code: "InvalidAttributeValue", Message: "Invalid value for the parameter " + name + "."}
}

func invalidParameter(message string) *awsapi.Error {
	return &awsapi.Error{Status: 400, Code: "InvalidParameterValueException", QueryCode: "InvalidParameterValue", Message: message}
}

func missingParameter(name string) *awsapi.Error {
	return &awsapi.Error{Status: 400, Code: "MissingRequiredParameterException", QueryCode: "MissingParameter", Message: "The request must contain the parameter " + name + "."}
}

func receiptInvalid(receipt string) *awsapi.Error {
	return &awsapi.Error{Status: 400, Code: "ReceiptHandleIsInvalid", Message: fmt.Sprintf("The input receipt handle %q is not a valid receipt handle.", receipt)}
}

func notInFlight() *awsapi.Error {
	return &awsapi.Error{Status: 400, Code: "MessageNotInflight", QueryCode: queryPrefix + "MessageNotInflight", Message: "The specified message isn't in flight."}
}

func overLimit() *awsapi.Error {
	return &awsapi.Error{Status: 403, Code: "OverLimit", QueryCode: "OverLimit", Message: "Too many messages are in flight."}
}

func invalidContents() *awsapi.Error {
	return &awsapi.Error{Status: 400, Code: "InvalidMessageContents", Message: "The message contains characters outside the allowed set."}
}

func batchError(code, message string) *awsapi.Error {
	return &awsapi.Error{Status: 400, Code: code, QueryCode: queryPrefix + code, Message: message}
}
