package awsconfig_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
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

type foreignClient struct{ aws.HTTPClient }

func TestSizedKeepsAForeignClient(t *testing.T) {
	t.Parallel()
	own, foreign := awsconfig.HTTPClient(1), &foreignClient{}
	if got := awsconfig.Sized(own, 2); got == nil || got == own {
		t.Errorf("own client: got %v", got)
	}
	if got := awsconfig.Sized(foreign, 2); got != aws.HTTPClient(foreign) {
		t.Errorf("foreign client: got %v", got)
	}
}
