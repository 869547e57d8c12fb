package awsconfig_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/streaming-service/streaming-service/lambdas/internal/awsconfig"
)

// promptQueue answers at once.
type promptQueue struct{}

func (promptQueue) Do(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("{}"))}, nil
}

// BenchmarkCall is what a call of AWS takes in a goroutine of its own, as most
// are made, without the network.
func BenchmarkCall(b *testing.B) {
	runtime := map[string]string{"AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "secret"}
	client := sqs.NewFromConfig(awsconfig.Load(func(name string) string { return runtime[name] }), func(o *sqs.Options) { o.HTTPClient = promptQueue{} })
	url := "http://queue"
	b.ReportAllocs()
	for b.Loop() {
		called := make(chan error)
		go func() {
			_, err := client.DeleteMessage(b.Context(), &sqs.DeleteMessageInput{QueueUrl: &url, ReceiptHandle: &url})
			called <- err
		}()
		if err := <-called; err != nil {
			b.Fatal(err)
		}
	}
}
