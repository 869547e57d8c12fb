package awsapi_test

import (
	"hash/crc32"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
)

func TestWriteError(t *testing.T) {
	t.Parallel()
	missing := &awsapi.Error{Status: 400, Code: "QueueDoesNotExist", QueryCode: "AWS.SimpleQueueService.NonExistentQueue", Message: "no <queue>"}
	tests := []struct {
		name     string
		protocol awsapi.Protocol
		err      *awsapi.Error
		body     string
		headers  map[string]string
	}{
		{"SQS", awsapi.SQS, missing, `{"__type":"com.amazonaws.sqs#QueueDoesNotExist","message":"no <queue>"}`,
			map[string]string{"Content-Type": "application/x-amz-json-1.0", "X-Amzn-Query-Error": "AWS.SimpleQueueService.NonExistentQueue;Sender"}},
		{"SQS server fault", awsapi.SQS, &awsapi.Error{Status: 500, Code: "InternalError"}, `{"__type":"com.amazonaws.sqs#InternalError","message":""}`,
			map[string]string{"X-Amzn-Query-Error": "InternalError;Receiver"}},
		{"DynamoDB with members", awsapi.DynamoDB, &awsapi.Error{Status: 400, Code: "ConditionalCheckFailedException", Message: "m", Members: map[string]any{"Item": 1}},
			`{"Item":1,"__type":"com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException","message":"m"}`, map[string]string{"X-Amzn-Query-Error": ""}},
		{"Cognito", awsapi.JSON11, &awsapi.Error{Status: 400, Code: "NotAuthorizedException", Message: "m"}, `{"__type":"NotAuthorizedException","message":"m"}`,
			map[string]string{"Content-Type": "application/x-amz-json-1.1"}},
		{"connections", awsapi.RestJSON, &awsapi.Error{Status: 410, Code: "GoneException"}, `{"__type":"GoneException","message":""}`, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			recorder := httptest.NewRecorder()
			test.protocol.WriteError(recorder, test.err)
			if recorder.Code != test.err.Status || recorder.Body.String() != test.body {
				t.Errorf("got %d %s, want %s", recorder.Code, recorder.Body, test.body)
			}
			headers := recorder.Header()
			if headers.Get("X-Amzn-ErrorType") != test.err.Code || len(headers.Get("X-Amzn-RequestId")) != 36 {
				t.Errorf("got headers %v", headers)
			}
			for name, want := range test.headers {
				if headers.Get(name) != want {
					t.Errorf("header %s: got %q, want %q", name, headers.Get(name), want)
				}
			}
		})
	}
}

func TestChecksum(t *testing.T) {
	t.Parallel()
	recorder := httptest.NewRecorder()
	awsapi.DynamoDB.WriteResult(recorder, map[string]string{"text": "<a&b>"})
	if recorder.Body.String() != `{"text":"<a&b>"}` {
		t.Errorf("got %s", recorder.Body)
	}
	if got, want := recorder.Header().Get("X-Amz-Crc32"), strconv.Itoa(int(crc32.ChecksumIEEE(recorder.Body.Bytes()))); got != want {
		t.Errorf("got checksum %s, want %s", got, want)
	}
}

func TestDrop(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { awsapi.Drop(w) }))
	defer server.Close()
	response, err := http.Post(server.URL, "text/plain", strings.NewReader("x")) //nolint:noctx // a test against its own server
	if err == nil {
		_ = response.Body.Close()
		t.Errorf("got %s, want a lost connection", response.Status)
	}
}

func TestReadBody(t *testing.T) {
	t.Parallel()
	read := func(n int) (int, *awsapi.Error) {
		body, refusal := awsapi.ReadBody(httptest.NewRequest("POST", "/", strings.NewReader(strings.Repeat("x", n))), 10)
		return len(body), refusal
	}
	if n, refusal := read(10); n != 10 || refusal != nil {
		t.Errorf("got %d bytes and %v", n, refusal)
	}
	if _, refusal := read(11); refusal == nil || refusal.Status != http.StatusRequestEntityTooLarge {
		t.Errorf("got %v, want 413", refusal)
	}
}

func TestRequestParts(t *testing.T) {
	t.Parallel()
	r := httptest.NewRequest("POST", "/", nil)
	if got := awsapi.AccessKeyID(r); got != "" {
		t.Errorf("unsigned: got %q", got)
	}
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=ASIA1/20261124/us-east-1/sqs/aws4_request, SignedHeaders=host, Signature=ab")
	r.Header.Set("X-Amz-Target", "AmazonSQS.SendMessage")
	if got := awsapi.AccessKeyID(r); got != "ASIA1" {
		t.Errorf("got %q", got)
	}
	if operation, ok := awsapi.Target(r, "AmazonSQS"); operation != "SendMessage" || !ok {
		t.Errorf("got %s, %t", operation, ok)
	}
	if _, ok := awsapi.Target(r, "DynamoDB_20120810"); ok {
		t.Error("another service's target was accepted")
	}
}
