package awsconfig_test

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/streaming-service/streaming-service/lambdas/internal/awsconfig"
)

func load(t *testing.T, values map[string]string) (dynamodbURL, sqsURL string) {
	t.Helper()
	cfg := awsconfig.Load(func(name string) string { return values[name] })
	if u := dynamodb.NewFromConfig(cfg).Options().BaseEndpoint; u != nil {
		dynamodbURL = *u
	}
	if u := sqs.NewFromConfig(cfg).Options().BaseEndpoint; u != nil {
		sqsURL = *u
	}
	return dynamodbURL, sqsURL
}

func TestEndpoints(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name          string
		values        map[string]string
		dynamodb, sqs string
	}{
		{"in AWS", nil, "", ""},
		{"for all", map[string]string{"AWS_ENDPOINT_URL": "http://all"}, "http://all", "http://all"},
		{"for one", map[string]string{"AWS_ENDPOINT_URL_SQS": "http://sqs"}, "", "http://sqs"},
		{"for one and the rest", map[string]string{"AWS_ENDPOINT_URL": "http://all", "AWS_ENDPOINT_URL_SQS": "http://sqs"}, "http://all", "http://sqs"},
		{"ignored", map[string]string{"AWS_ENDPOINT_URL": "http://all", "AWS_ENDPOINT_URL_SQS": "http://sqs", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"}, "", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if d, s := load(t, test.values); d != test.dynamodb || s != test.sqs {
				t.Errorf("endpoints %q and %q, want %q and %q", d, s, test.dynamodb, test.sqs)
			}
		})
	}
}

func TestRegionAndCredentials(t *testing.T) {
	t.Parallel()
	values := map[string]string{"AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_SESSION_TOKEN": "token"}
	cfg := awsconfig.Load(func(name string) string { return values[name] })
	c, err := cfg.Credentials.Retrieve(t.Context())
	if err != nil || c.AccessKeyID != "id" || c.SecretAccessKey != "secret" || c.SessionToken != "token" || cfg.Region != "eu-west-1" {
		t.Errorf("region %s, credentials %+v, %v", cfg.Region, c, err)
	}
	if _, err := awsconfig.Load(func(string) string { return "" }).Credentials.Retrieve(t.Context()); err == nil {
		t.Error("no error without credentials")
	}
}

// A burst of calls once closed all but 16 of its connections, to open them again
// for the next.
func TestConnectionsAreUsedAgain(t *testing.T) {
	t.Parallel()
	var opened atomic.Int32
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		time.Sleep(time.Millisecond)
		_, _ = io.WriteString(w, "{}")
	}))
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			opened.Add(1)
		}
	}
	server.Start()
	t.Cleanup(server.Close)
	client := sqs.NewFromConfig(awsconfig.Load(func(string) string { return "x" }), func(o *sqs.Options) { o.BaseEndpoint = &server.URL })
	for range 5 {
		var burst sync.WaitGroup
		for range 100 {
			burst.Go(func() {
				if _, err := client.DeleteMessage(t.Context(), &sqs.DeleteMessageInput{QueueUrl: &server.URL, ReceiptHandle: &server.URL}); err != nil {
					t.Error(err)
				}
			})
		}
		burst.Wait()
	}
	if n := opened.Load(); n > 125 { // a connection is free a moment after its answer
		t.Errorf("%d connections for bursts of 100 calls", n)
	}
}
