package sqs_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
	"github.com/streaming-service/streaming-service/internal/localcloud/sqs"
)

func call(service *sqs.Service, operation, body string) *httptest.ResponseRecorder {
	request := httptest.NewRequest("POST", "/", strings.NewReader(body))
	request.Header.Set("X-Amz-Target", "AmazonSQS."+operation)
	recorder := httptest.NewRecorder()
	service.ServeHTTP(recorder, request)
	return recorder
}

func FuzzService(f *testing.F) {
	const url = "http://127.0.0.1:8080/000000000000/jobs"
	f.Add("SendMessage", `{"QueueUrl":"`+url+`","MessageBody":"{\"v\":1}","DelaySeconds":1,"MessageAttributes":{"a":{"DataType":"Binary","BinaryValue":"AQI="}}}`)
	f.Add("SendMessageBatch", `{"QueueUrl":"`+url+`","Entries":[{"Id":"a","MessageBody":"x"}]}`)
	f.Add("ReceiveMessage", `{"QueueUrl":"`+url+`","MaxNumberOfMessages":10,"VisibilityTimeout":0,"AttributeNames":["All"],"MessageAttributeNames":["a.*"]}`)
	f.Add("DeleteMessage", `{"QueueUrl":"`+url+`","ReceiptHandle":"YSAxIGI="}`)
	f.Add("ChangeMessageVisibility", `{"QueueUrl":"`+url+`","ReceiptHandle":"YSAxIGI=","VisibilityTimeout":43200}`)
	f.Add("SetQueueAttributes", `{"QueueUrl":"`+url+`","Attributes":{"RedrivePolicy":"{\"deadLetterTargetArn\":\"arn:aws:sqs:us-east-1:000000000000:jobs\",\"maxReceiveCount\":1}"}}`)
	f.Fuzz(func(t *testing.T, operation, body string) {
		if strings.Contains(body, "WaitTime") { // would only wait
			return
		}
		service := sqs.New(awsapi.Open{})
		if _, _, err := service.CreateQueue(sqs.Spec{Name: "jobs"}); err != nil {
			t.Fatal(err)
		}
		call(service, "SendMessage", `{"QueueUrl":"jobs","MessageBody":"x"}`)
		if answer := call(service, operation, body); answer.Code >= http.StatusInternalServerError {
			t.Errorf("%s %s answered %d %s", operation, body, answer.Code, answer.Body)
		}
	})
}

func BenchmarkSendReceiveDelete(b *testing.B) {
	service := sqs.New(awsapi.Open{})
	if _, _, err := service.CreateQueue(sqs.Spec{Name: "jobs"}); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		call(service, "SendMessage", `{"QueueUrl":"jobs","MessageBody":"{\"v\":1}"}`)
		received := call(service, "ReceiveMessage", `{"QueueUrl":"jobs"}`).Body.String()
		_, rest, _ := strings.Cut(received, `"ReceiptHandle":"`)
		receipt, _, _ := strings.Cut(rest, `"`)
		if answer := call(service, "DeleteMessage", `{"QueueUrl":"jobs","ReceiptHandle":"`+receipt+`"}`); answer.Code != http.StatusOK {
			b.Fatal(answer.Body)
		}
	}
}
