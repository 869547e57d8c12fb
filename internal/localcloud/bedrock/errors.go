package bedrock

import (
	"net/http"
	"strings"
	"unicode"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
)

// exception is an error of ConverseStream.
type exception struct {
	status  int
	message string
	members map[string]any
}

// exceptions are the errors of ConverseStream by their names in the event
// stream (Smithy model of bedrock-runtime).
var exceptions = map[string]exception{
	"accessDeniedException":       {http.StatusForbidden, "You don't have access to the model with the specified model ID.", nil},
	"internalServerException":     {http.StatusInternalServerError, "The system encountered an unexpected error during processing. Try your request again.", nil},
	"modelErrorException":         {http.StatusFailedDependency, "The request failed due to an error while processing the model.", map[string]any{"originalStatusCode": 500, "resourceName": "model"}},
	"modelNotReadyException":      {http.StatusTooManyRequests, "Model is not ready for inference. Wait and try your request again.", nil},
	"modelStreamErrorException":   {http.StatusFailedDependency, "Model produced an unexpected error. Please try again.", map[string]any{"originalStatusCode": 500, "originalMessage": "the model failed"}},
	"modelTimeoutException":       {http.StatusRequestTimeout, "The request took too long to process. Processing time exceeded the model timeout length.", nil},
	"resourceNotFoundException":   {http.StatusNotFound, "Could not resolve the foundation model from the provided model identifier.", nil},
	"serviceUnavailableException": {http.StatusServiceUnavailable, "Bedrock is unable to process your request.", nil},
	"throttlingException":         {http.StatusTooManyRequests, "Too many requests, please wait before trying again.", nil},
	"validationException":         {http.StatusBadRequest, "The model returned the following errors: Malformed input request, please reformat your input and try again.", nil},
}

// canonical returns the name as in the event stream: ThrottlingException,
// throttling and throttlingException are one.
func canonical(name string) string {
	if name == "" {
		return ""
	}
	if !strings.HasSuffix(name, "Exception") {
		name += "Exception"
	}
	first := []rune(name)
	first[0] = unicode.ToLower(first[0])
	return string(first)
}

// httpError is the exception as answered instead of a stream.
func httpError(name string) *awsapi.Error {
	e := exceptions[name]
	return &awsapi.Error{Status: e.status, Code: strings.ToUpper(name[:1]) + name[1:], Message: e.message, Members: e.members}
}

func validation(message string) *awsapi.Error {
	return &awsapi.Error{Status: http.StatusBadRequest, Code: "ValidationException", Message: message}
}

// writeError answers an error; what the guard refuses is a 403 in this protocol.
func writeError(w http.ResponseWriter, e *awsapi.Error) {
	if e.Code == "AccessDeniedException" {
		denied := *e
		denied.Status = http.StatusForbidden
		e = &denied
	}
	awsapi.RestJSON.WriteError(w, e)
}
