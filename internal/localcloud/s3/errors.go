package s3

import (
	"encoding/xml"
	"net/http"
	"strconv"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
)

// failure is an error as S3 answers it.
type failure struct {
	status        int
	code, message string
	members       []member // further elements of the body
}

type member struct {
	XMLName xml.Name
	Text    string `xml:",chardata"`
}

func fail(status int, code, message string) *failure {
	return &failure{status: status, code: code, message: message}
}

// with adds an element to the body.
func (f *failure) with(name, text string) *failure {
	f.members = append(f.members, member{xml.Name{Local: name}, text})
	return f
}

func (f *failure) Error() string { return f.code + ": " + f.message }

func accessDenied() *failure { return fail(http.StatusForbidden, "AccessDenied", "Access Denied") }

func noSuchKey(key string) *failure {
	return fail(http.StatusNotFound, "NoSuchKey", "The specified key does not exist.").with("Key", key)
}

func noSuchBucket(bucketName string) *failure {
	return fail(http.StatusNotFound, "NoSuchBucket", "The specified bucket does not exist").with("BucketName", bucketName)
}

func notImplemented(what string) *failure {
	return fail(http.StatusNotImplemented, "NotImplemented", what+" has no counterpart in the local cloud.")
}

// inS3Form gives a refusal of the guard the code that S3 has for it.
func inS3Form(refusal *awsapi.Error) *failure {
	switch refusal.Code {
	case "AccessDeniedException":
		return fail(http.StatusForbidden, "AccessDenied", refusal.Message)
	case "MissingAuthenticationTokenException":
		return accessDenied()
	case "UnrecognizedClientException":
		return invalidAccessKeyID("")
	}
	return fail(refusal.Status, refusal.Code, refusal.Message)
}

// write answers a failure. A HEAD has no body: its caller learns the status
// alone.
func (f *failure) write(w http.ResponseWriter, r *http.Request) {
	id := awsapi.NewRequestID()
	body, err := xml.Marshal(struct {
		XMLName   xml.Name `xml:"Error"`
		Code      string
		Message   string
		Members   []member
		Resource  string
		RequestID string `xml:"RequestId"`
	}{Code: f.code, Message: f.message, Members: f.members, Resource: r.URL.Path, RequestID: id})
	if err != nil {
		body = nil
	}
	body = append([]byte(xml.Header), body...)
	h := w.Header()
	h.Set("x-amz-request-id", id)
	h.Set("Content-Type", "application/xml")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(f.status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body)
	}
}
