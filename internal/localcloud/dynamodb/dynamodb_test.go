package dynamodb_test

import (
	"context"
	"net/http/httptest"
	"strconv"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
	"github.com/streaming-service/streaming-service/internal/localcloud/dynamodb"
)

// table is the table of the tests, with keys pk and sk.
const table = "requests"

func newService(t testing.TB, options ...dynamodb.Option) *dynamodb.Service {
	t.Helper()
	service := dynamodb.New(awsapi.Open{}, options...)
	createTables(t, service)
	return service
}

func createTables(t testing.TB, service *dynamodb.Service) {
	t.Helper()
	for _, name := range []string{table, "quota"} {
		arn, err := service.CreateTable(dynamodb.Spec{Name: name, HashKey: dynamodb.Key{Name: "pk"}, RangeKey: dynamodb.Key{Name: "sk"}})
		if err != nil {
			t.Fatal(err)
		}
		if want := "arn:aws:dynamodb:us-east-1:000000000000:table/" + name; arn != want {
			t.Fatalf("got ARN %s, want %s", arn, want)
		}
	}
}

func clientOf(t testing.TB, service *dynamodb.Service) *sdk.Client {
	t.Helper()
	server := httptest.NewServer(service)
	t.Cleanup(server.Close)
	return sdk.New(sdk.Options{
		Region: "us-east-1", BaseEndpoint: aws.String(server.URL), RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("local", "local", ""),
	})
}

// item writes attribute values shortly: strings as S, ints as N.
func item(pairs ...any) map[string]types.AttributeValue {
	built := map[string]types.AttributeValue{}
	for i := 0; i < len(pairs); i += 2 {
		built[pairs[i].(string)] = value(pairs[i+1])
	}
	return built
}

func value(v any) types.AttributeValue {
	switch v := v.(type) {
	case string:
		return &types.AttributeValueMemberS{Value: v}
	case int:
		return &types.AttributeValueMemberN{Value: itoa(v)}
	case bool:
		return &types.AttributeValueMemberBOOL{Value: v}
	case []string:
		return &types.AttributeValueMemberSS{Value: v}
	case map[string]types.AttributeValue:
		return &types.AttributeValueMemberM{Value: v}
	case []types.AttributeValue:
		return &types.AttributeValueMemberL{Value: v}
	}
	given, _ := v.(types.AttributeValue) // nil: the attribute is to be gone
	return given
}

func itoa(n int) string { return strconv.Itoa(n) }

func put(t testing.TB, client *sdk.Client, pairs ...any) {
	t.Helper()
	if _, err := client.PutItem(context.Background(), &sdk.PutItemInput{TableName: aws.String(table), Item: item(pairs...)}); err != nil {
		t.Fatal(err)
	}
}

func get(t testing.TB, client *sdk.Client, pk, sk string) map[string]types.AttributeValue {
	t.Helper()
	out, err := client.GetItem(context.Background(), &sdk.GetItemInput{TableName: aws.String(table), Key: item("pk", pk, "sk", sk), ConsistentRead: aws.Bool(true)})
	if err != nil {
		t.Fatal(err)
	}
	return out.Item
}
