package dynamodb_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
	"github.com/streaming-service/streaming-service/internal/localcloud/dynamodb"
)

// recorder is a guard that keeps what it was asked and answers as its fields say.
type recorder struct {
	mu      sync.Mutex
	asked   []string
	lose    bool
	refusal *awsapi.Error
}

func (r *recorder) Admit(_ context.Context, call awsapi.Call) (bool, *awsapi.Error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked = nil
	for _, p := range call.Permissions {
		r.asked = append(r.asked, strings.TrimPrefix(p.Action, "dynamodb:")+" "+p.Resource[strings.LastIndex(p.Resource, "/")+1:])
	}
	return r.lose, r.refusal
}

func (r *recorder) answer(lose bool, refusal *awsapi.Error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lose, r.refusal = lose, refusal
}

func (r *recorder) actions() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Sorted(slices.Values(r.asked))
}

func TestPermissions(t *testing.T) {
	t.Parallel()
	guard := &recorder{}
	service := dynamodb.New(guard)
	createTables(t, service)
	client, ctx := clientOf(t, service), context.Background()
	key := item("pk", "p", "sk", "s")
	tests := []struct {
		name string
		call func() error
		want []string
	}{
		{"GetItem", func() error {
			_, err := client.GetItem(ctx, &sdk.GetItemInput{TableName: aws.String(table), Key: key})
			return err
		}, []string{"GetItem requests"}},
		{"TransactWriteItems", func() error {
			_, err := client.TransactWriteItems(ctx, admission("a", 3))
			return err
		}, []string{"ConditionCheckItem quota", "PutItem requests", "UpdateItem quota"}},
		{"TransactGetItems", func() error {
			_, err := client.TransactGetItems(ctx, &sdk.TransactGetItemsInput{TransactItems: []types.TransactGetItem{{Get: &types.Get{TableName: aws.String(table), Key: key}}}})
			return err
		}, []string{"GetItem requests"}},
		{"BatchGetItem of two tables", func() error {
			keys := types.KeysAndAttributes{Keys: []map[string]types.AttributeValue{key}}
			_, err := client.BatchGetItem(ctx, &sdk.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{table: keys, "quota": keys}})
			return err
		}, []string{"BatchGetItem quota", "BatchGetItem requests"}},
		{"Query by ARN", func() error {
			_, err := client.Query(ctx, &sdk.QueryInput{TableName: aws.String(dynamodb.ARN(table)), KeyConditionExpression: aws.String("pk = :p"), ExpressionAttributeValues: item(":p", "p")})
			return err
		}, []string{"Query requests"}},
		{"ListTables", func() error {
			_, err := client.ListTables(ctx, &sdk.ListTablesInput{})
			return err
		}, []string{"ListTables *"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if err := test.call(); err != nil {
				t.Fatal(err)
			}
			if got := guard.actions(); !slices.Equal(got, test.want) {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}

func TestRefusedCallDoesNothing(t *testing.T) {
	t.Parallel()
	guard := &recorder{}
	service := dynamodb.New(guard)
	createTables(t, service)
	client := clientOf(t, service)
	guard.answer(false, awsapi.AccessDenied("me", "dynamodb:PutItem", dynamodb.ARN(table)))
	_, err := client.PutItem(context.Background(), &sdk.PutItemInput{TableName: aws.String(table), Item: item("pk", "p", "sk", "s")})
	wantAPIError(t, err, "AccessDeniedException", "User: me is not authorized to perform: dynamodb:PutItem on resource: arn:aws:dynamodb:us-east-1:000000000000:table/requests")
	guard.answer(false, nil)
	if got := get(t, client, "p", "s"); got != nil {
		t.Errorf("a refused call wrote %v", got)
	}
}

// TestLostResponse acts and drops the connection: the caller cannot know.
func TestLostResponse(t *testing.T) {
	t.Parallel()
	guard := &recorder{}
	service := dynamodb.New(guard)
	createTables(t, service)
	client := clientOf(t, service)
	guard.answer(true, nil)
	_, err := client.PutItem(context.Background(), &sdk.PutItemInput{TableName: aws.String(table), Item: item("pk", "p", "sk", "s")})
	if err == nil || !strings.Contains(err.Error(), "EOF") {
		t.Errorf("got %v, want a lost connection", err)
	}
	guard.answer(false, nil)
	wantItem(t, get(t, client, "p", "s"), item("pk", "p", "sk", "s"))
}

func TestBadRequests(t *testing.T) {
	t.Parallel()
	service := newService(t)
	tests := []struct{ name, operation, body, want string }{
		{"no JSON", "GetItem", `{`, "SerializationException"},
		{"not UTF-8", "GetItem", "{\"TableName\":\"\xff\"}", "SerializationException"},
		{"two documents", "ListTables", `{}{}`, "SerializationException"},
		{"unknown operation", "ExecuteStatement", `{}`, "UnknownOperationException"},
		{"untyped value", "PutItem", `{"TableName":"requests","Item":{"pk":{}}}`, "ValidationException"},
		{"two types", "PutItem", `{"TableName":"requests","Item":{"pk":{"S":"a","N":"1"}}}`, "ValidationException"},
		{"false NULL", "PutItem", `{"TableName":"requests","Item":{"pk":{"NULL":false}}}`, "ValidationException"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			status, answer := call(service, test.operation, test.body)
			if status != http.StatusBadRequest || !strings.Contains(answer, test.want) {
				t.Errorf("got %d %s, want 400 %s", status, answer, test.want)
			}
		})
	}
}

func FuzzService(f *testing.F) {
	f.Add("PutItem", `{"TableName":"requests","Item":{"pk":{"S":"p"},"sk":{"S":"s"},"l":{"L":[{"N":"1"},{"M":{"a":{"NULL":true}}}]},"g":{"NS":["1","2"]}}}`)
	f.Add("UpdateItem", `{"TableName":"requests","Key":{"pk":{"S":"p"},"sk":{"S":"s"}},"UpdateExpression":"SET l[0] = l[0] + :v REMOVE l[1].a ADD n :v DELETE g :g","ExpressionAttributeValues":{":v":{"N":"1e3"},":g":{"NS":["1"]}},"ReturnValues":"UPDATED_NEW"}`)
	f.Add("Query", `{"TableName":"requests","KeyConditionExpression":"pk = :p AND begins_with(sk, :s)","FilterExpression":"size(g) > :n OR contains(l, :n)","ExpressionAttributeValues":{":p":{"S":"p"},":s":{"S":""},":n":{"N":"-1.5"}},"ProjectionExpression":"l[0], g","ScanIndexForward":false}`)
	f.Add("TransactWriteItems", `{"ClientRequestToken":"t","TransactItems":[{"Delete":{"TableName":"requests","Key":{"pk":{"S":"p"},"sk":{"S":"s"}},"ConditionExpression":"NOT (pk IN (:a, :b))","ExpressionAttributeValues":{":a":{"S":"x"},":b":{"B":"eHg="}}}}]}`)
	f.Add("BatchGetItem", `{"RequestItems":{"requests":{"Keys":[{"pk":{"S":"p"},"sk":{"S":"s"}}],"ProjectionExpression":"pk"}}}`)
	f.Add("Scan", `{"TableName":"requests","Limit":1,"Segment":0,"TotalSegments":2,"ExclusiveStartKey":{"pk":{"S":"p"},"sk":{"S":"s"}}}`)
	service := newService(f)
	f.Fuzz(func(t *testing.T, operation, body string) {
		if strings.Contains(operation, "Table") { // the tables stay as they are
			return
		}
		status, answer := call(service, operation, body)
		if status >= http.StatusInternalServerError || status == http.StatusOK && !strings.HasPrefix(answer, "{") {
			t.Errorf("%s %s answered %d %s", operation, body, status, answer)
		}
	})
}
