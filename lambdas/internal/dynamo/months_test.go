package dynamo_test

import (
	"context"
	"net/http/httptest"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsdynamodb "github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
	"github.com/streaming-service/streaming-service/internal/localcloud/dynamodb"
	"github.com/streaming-service/streaming-service/lambdas/internal/dynamo"
	"github.com/streaming-service/streaming-service/lambdas/internal/dynamo/dynamotest"
	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/protocol"
)

// TestForgetMonth runs on the local cloud's DynamoDB: minidyn ignores REMOVE.
func TestForgetMonth(t *testing.T) {
	t.Parallel()
	db := onLocalCloud(t)
	a := admission("u", life.NewRequestID(), nil)
	if err := db.Admit(ctx, a, life.Account{UserID: "u"}); err != nil {
		t.Fatal(err)
	}
	forget := func(period string) life.Account {
		t.Helper()
		if err := db.ForgetMonth(ctx, "u", period); err != nil {
			t.Fatal(err)
		}
		account, err := db.Account(ctx, "u")
		if err != nil {
			t.Fatal(err)
		}
		return account
	}
	if account := forget(period); account.Months[period].Held != a.Record.Estimate {
		t.Errorf("with an open request: %+v", account)
	}
	ended, err := db.EndUnowned(ctx, a.Record.Key, life.End{Status: protocol.StatusSucceeded, Usage: &protocol.TokenUsage{InputTokens: 7}}, start)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Settle(ctx, ended); err != nil {
		t.Fatal(err)
	}
	if account := forget("1999-12"); account.Months[period].Tokens != 7 {
		t.Errorf("after a month that never was: %+v", account)
	}
	if account := forget(period); len(account.Months) != 0 {
		t.Errorf("settled: %+v", account)
	}
}

// onLocalCloud is a store on the local cloud's DynamoDB.
func onLocalCloud(t *testing.T) *dynamo.Store {
	t.Helper()
	service := dynamodb.New(awsapi.Open{})
	for _, name := range []string{dynamotest.Tables.Quota, dynamotest.Tables.Requests, dynamotest.Tables.Connections} {
		if _, err := service.CreateTable(dynamodb.Spec{Name: name, HashKey: dynamodb.Key{Name: "pk"}, RangeKey: dynamodb.Key{Name: "sk"}}); err != nil {
			t.Fatal(err)
		}
	}
	web := httptest.NewServer(service)
	t.Cleanup(web.Close)
	return dynamo.New(awsdynamodb.New(awsdynamodb.Options{
		Region: "us-east-1", BaseEndpoint: &web.URL,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "local", SecretAccessKey: "local"}, nil
		}),
	}), dynamotest.Tables)
}
