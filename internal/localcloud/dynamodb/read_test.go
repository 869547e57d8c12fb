package dynamodb_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
	"github.com/streaming-service/streaming-service/internal/localcloud/dynamodb"
	"github.com/streaming-service/streaming-service/internal/localcloud/dynamodb/attribute"
)

func TestQuery(t *testing.T) {
	t.Parallel()
	client := clientOf(t, newService(t))
	for i := range 7 {
		put(t, client, "pk", "p", "sk", fmt.Sprintf("c#%d", i), "n", i)
	}
	put(t, client, "pk", "p", "sk", "meta")
	put(t, client, "pk", "q", "sk", "c#0")
	tests := []struct {
		name, condition, filter string
		values                  map[string]types.AttributeValue
		backward                bool
		limit                   int32
		want                    string // last characters of the sort keys, pages apart
		wantErr                 string
	}{
		{"whole partition", "pk = :p", "", item(":p", "p"), false, 0, "0123456a", ""},
		{"backwards", "pk = :p", "", item(":p", "p"), true, 0, "a6543210", ""},
		{"begins_with", "pk = :p AND begins_with(sk, :s)", "", item(":p", "p", ":s", "c#"), false, 0, "0123456", ""},
		{"between", "sk BETWEEN :a AND :b AND pk = :p", "", item(":p", "p", ":a", "c#2", ":b", "c#4"), false, 0, "234", ""},
		{"greater", "pk = :p AND sk > :s", "", item(":p", "p", ":s", "c#4"), false, 0, "56a", ""},
		{"pages", "pk = :p", "", item(":p", "p"), false, 3, "012|345|6a", ""},
		{"pages backwards", "pk = :p", "", item(":p", "p"), true, 4, "a654|3210|", ""},
		{"filter after the page", "pk = :p", "n > :n", item(":p", "p", ":n", 3), false, 3, "|45|6", ""},
		{"no such partition", "pk = :p", "", item(":p", "x"), false, 0, "", ""},
		{"no partition key", "sk = :s", "", item(":s", "x"), false, 0, "", "Query condition missed key schema element: pk"},
		{"inequality of the partition key", "pk > :p", "", item(":p", "x"), false, 0, "", "Query key condition not supported"},
		{"another attribute", "pk = :p AND n = :n", "", item(":p", "x", ":n", 1), false, 0, "", "Query condition missed key schema element"},
		{"or", "pk = :p OR sk = :p", "", item(":p", "x"), false, 0, "", "Invalid operator used in KeyConditionExpression"},
		{"wrong type", "pk = :p", "", item(":p", 1), false, 0, "", "Condition parameter type does not match schema type"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			in := &sdk.QueryInput{
				TableName: aws.String(table), KeyConditionExpression: aws.String(test.condition), ExpressionAttributeValues: test.values,
				ScanIndexForward: aws.Bool(!test.backward), ConsistentRead: aws.Bool(true),
			}
			if test.filter != "" {
				in.FilterExpression = aws.String(test.filter)
			}
			if test.limit > 0 {
				in.Limit = aws.Int32(test.limit)
			}
			var pages []string
			for {
				out, err := client.Query(context.Background(), in)
				if test.wantErr != "" {
					wantAPIError(t, err, "ValidationException", test.wantErr)
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				pages = append(pages, lastLetters(out.Items))
				if in.ExclusiveStartKey = out.LastEvaluatedKey; in.ExclusiveStartKey == nil {
					break
				}
			}
			if got := strings.Join(pages, "|"); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

func lastLetters(items []map[string]types.AttributeValue) string {
	var letters []byte
	for _, one := range items {
		key := one["sk"].(*types.AttributeValueMemberS).Value
		letters = append(letters, key[len(key)-1])
	}
	return string(letters)
}

func TestProjection(t *testing.T) {
	t.Parallel()
	client := clientOf(t, newService(t))
	put(t, client, "pk", "p", "sk", "s", "n", 1, "m", item("a", 1, "b", 2), "status", "open")
	out, err := client.GetItem(context.Background(), &sdk.GetItemInput{
		TableName: aws.String(table), Key: item("pk", "p", "sk", "s"), ConsistentRead: aws.Bool(true),
		ProjectionExpression: aws.String("#s, m.b, gone"), ExpressionAttributeNames: map[string]string{"#s": "status"},
	})
	if err != nil {
		t.Fatal(err)
	}
	wantItem(t, out.Item, item("status", "open", "m", item("b", 2)))
	_, err = client.GetItem(context.Background(), &sdk.GetItemInput{TableName: aws.String(table), Key: item("pk", "p", "sk", "s"), ProjectionExpression: aws.String("status")})
	wantAPIError(t, err, "ValidationException", "reserved keyword: status")
}

func TestScanPagesAndSegments(t *testing.T) {
	t.Parallel()
	client := clientOf(t, newService(t))
	var want []string
	for i := range 40 {
		pk := fmt.Sprintf("p%02d", i/2)
		put(t, client, "pk", pk, "sk", fmt.Sprint(i%2))
		want = append(want, pk+fmt.Sprint(i%2))
	}
	for _, segments := range []int32{1, 3} {
		var got []string
		for segment := range segments {
			in := &sdk.ScanInput{TableName: aws.String(table), Limit: aws.Int32(3), Segment: aws.Int32(segment), TotalSegments: aws.Int32(segments), ConsistentRead: aws.Bool(true)}
			for {
				out, err := client.Scan(context.Background(), in)
				if err != nil {
					t.Fatal(err)
				}
				for _, one := range out.Items {
					got = append(got, one["pk"].(*types.AttributeValueMemberS).Value+one["sk"].(*types.AttributeValueMemberS).Value)
				}
				if in.ExclusiveStartKey = out.LastEvaluatedKey; in.ExclusiveStartKey == nil {
					break
				}
			}
		}
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%d segments: got %v, want %v", segments, got, want)
		}
	}
}

func TestPageEndsAfterOneMegabyte(t *testing.T) {
	t.Parallel()
	client := clientOf(t, newService(t))
	for i := range 4 {
		put(t, client, "pk", "p", "sk", fmt.Sprint(i), "x", strings.Repeat("x", 390<<10))
	}
	out, err := client.Query(context.Background(), &sdk.QueryInput{TableName: aws.String(table), KeyConditionExpression: aws.String("pk = :p"), ExpressionAttributeValues: item(":p", "p"), ConsistentRead: aws.Bool(true)})
	if err != nil {
		t.Fatal(err)
	}
	if len(out.Items) != 3 || out.LastEvaluatedKey == nil {
		t.Errorf("got %d items and last key %v, want 3 and a key", len(out.Items), out.LastEvaluatedKey)
	}
}

func TestBatches(t *testing.T) {
	t.Parallel()
	client := clientOf(t, newService(t))
	put(t, client, "pk", "p", "sk", "old")
	_, err := client.BatchWriteItem(context.Background(), &sdk.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{table: {
		{PutRequest: &types.PutRequest{Item: item("pk", "p", "sk", "new", "n", 1)}},
		{DeleteRequest: &types.DeleteRequest{Key: item("pk", "p", "sk", "old")}},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	out, err := client.BatchGetItem(context.Background(), &sdk.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{table: {
		ConsistentRead: aws.Bool(true),
		Keys:           []map[string]types.AttributeValue{item("pk", "p", "sk", "old"), item("pk", "p", "sk", "new")},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	if found := out.Responses[table]; len(found) != 1 {
		t.Fatalf("got %d items, want 1", len(found))
	}
	wantItem(t, out.Responses[table][0], item("pk", "p", "sk", "new", "n", 1))
	_, err = client.BatchGetItem(context.Background(), &sdk.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{table: {
		Keys: []map[string]types.AttributeValue{item("pk", "p", "sk", "a"), item("pk", "p", "sk", "a")},
	}}})
	wantAPIError(t, err, "ValidationException", "contains duplicates")
}

// TestStaleReads reads through a replica that lags behind by one write.
func TestStaleReads(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		service := newService(t, dynamodb.WithFaults(scriptedFaults{stale: true}))
		write := func(n int) {
			call(service, "PutItem", fmt.Sprintf(`{"TableName":"requests","Item":{"pk":{"S":"p"},"sk":{"S":"s"},"n":{"N":"%d"}}}`, n))
		}
		read := func(consistent bool) string {
			_, answer := call(service, "GetItem", fmt.Sprintf(`{"TableName":"requests","ConsistentRead":%t,"ProjectionExpression":"n","Key":{"pk":{"S":"p"},"sk":{"S":"s"}}}`, consistent))
			return answer
		}
		write(1)
		want(t, read(false), `{}`)
		want(t, read(true), `{"Item":{"n":{"N":"1"}}}`)
		write(2)
		want(t, read(false), `{"Item":{"n":{"N":"1"}}}`)
		_, listed := call(service, "Query", `{"TableName":"requests","KeyConditionExpression":"pk = :p","ProjectionExpression":"n","ExpressionAttributeValues":{":p":{"S":"p"}}}`)
		want(t, listed, `{"Items":[{"n":{"N":"1"}}],"Count":1,"ScannedCount":1}`)
		time.Sleep(time.Second)
		want(t, read(false), `{"Item":{"n":{"N":"2"}}}`)
		call(service, "DeleteItem", `{"TableName":"requests","Key":{"pk":{"S":"p"},"sk":{"S":"s"}}}`)
		want(t, read(false), `{"Item":{"n":{"N":"2"}}}`)
		want(t, read(true), `{}`)
	})
}

func want(t testing.TB, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestConsumedCapacity(t *testing.T) {
	t.Parallel()
	service := newService(t)
	big := strings.Repeat("x", 2500) // 3 write units, 1 read unit
	_, answer := call(service, "PutItem", `{"TableName":"requests","ReturnConsumedCapacity":"TOTAL","Item":{"pk":{"S":"p"},"sk":{"S":"s"},"x":{"S":"`+big+`"}}}`)
	want(t, answer, `{"ConsumedCapacity":{"TableName":"requests","CapacityUnits":3}}`)
	_, answer = call(service, "GetItem", `{"TableName":"requests","ReturnConsumedCapacity":"TOTAL","ProjectionExpression":"sk","Key":{"pk":{"S":"p"},"sk":{"S":"s"}}}`)
	want(t, answer, `{"Item":{"sk":{"S":"s"}},"ConsumedCapacity":{"TableName":"requests","CapacityUnits":0.5}}`)
	_, answer = call(service, "DeleteItem", `{"TableName":"requests","ReturnConsumedCapacity":"INDEXES","Key":{"pk":{"S":"p"},"sk":{"S":"s"}}}`)
	want(t, answer, `{"ConsumedCapacity":{"TableName":"requests","CapacityUnits":3,"Table":{"CapacityUnits":3}}}`)
	_, answer = call(service, "TransactWriteItems", `{"ReturnConsumedCapacity":"TOTAL","TransactItems":[{"Put":{"TableName":"requests","Item":{"pk":{"S":"p"},"sk":{"S":"s"}}}}]}`)
	want(t, answer, `{"ConsumedCapacity":[{"TableName":"requests","CapacityUnits":2}]}`)
}

// units is a meter that adds up.
type units map[string]float64

func (u units) Add(counter string, amount float64, _ []byte) { u[counter] += amount }

func TestFailedConditionsCost(t *testing.T) {
	t.Parallel()
	counted := units{}
	service := newService(t, dynamodb.WithMeter(counted))
	update := `{"TableName":"requests","Key":{"pk":{"S":"p"},"sk":{"S":"s"}},"UpdateExpression":"SET n = :n","ConditionExpression":"attribute_exists(pk)","ExpressionAttributeValues":{":n":{"N":"1"}}}`
	if status, _ := call(service, "UpdateItem", update); status != 400 {
		t.Fatalf("got status %d, want 400", status)
	}
	call(service, "TransactWriteItems", `{"TransactItems":[{"Update":`+update+`}]}`)
	if got := counted["dynamodb.writeUnits"]; got != 1+2 {
		t.Errorf("got %v write units, want 3: one, and two in the transaction", got)
	}
}

func TestSnapshot(t *testing.T) {
	t.Parallel()
	service := dynamodb.New(awsapi.Open{})
	spec := dynamodb.Spec{Name: table, HashKey: dynamodb.Key{Name: "pk"}, RangeKey: dynamodb.Key{Name: "sk"}, TTLAttribute: "expiresAt"}
	if _, err := service.CreateTable(spec); err != nil {
		t.Fatal(err)
	}
	client := clientOf(t, service)
	now := time.Now()
	put(t, client, "pk", "p", "sk", "live", "tags", []string{"a"}, "m", item("text", "<&>"))
	put(t, client, "pk", "p", "sk", "late", "expiresAt", int(now.Add(-time.Hour).Unix()))
	put(t, client, "pk", "p", "sk", "gone", "expiresAt", int(now.Add(-72*time.Hour).Unix()))
	if got := get(t, client, "p", "gone"); got == nil {
		t.Error("an expired item must stay readable until it is deleted")
	}
	text, err := json.Marshal(service.Snapshot(nil))
	if err != nil {
		t.Fatal(err)
	}
	var saved dynamodb.Snapshot
	if err := json.Unmarshal(text, &saved); err != nil {
		t.Fatal(err)
	}
	restored := dynamodb.New(awsapi.Open{})
	if _, err := restored.CreateTable(spec); err != nil {
		t.Fatal(err)
	}
	if dropped, err := restored.Restore(saved); err != nil || len(dropped) != 0 {
		t.Fatalf("got dropped %v and error %v", dropped, err)
	}
	client = clientOf(t, restored)
	wantItem(t, get(t, client, "p", "live"), item("pk", "p", "sk", "live", "tags", []string{"a"}, "m", item("text", "<&>")))
	if get(t, client, "p", "late") == nil || get(t, client, "p", "gone") != nil {
		t.Error("want the item of an hour ago and not the one of three days ago")
	}
	if _, err := restored.Restore(dynamodb.Snapshot{Version: 9}); err == nil {
		t.Error("want an error for another version")
	}
	dropped, err := restored.Restore(dynamodb.Snapshot{Version: saved.Version, Tables: map[string][]attribute.Item{"other": nil}})
	if err != nil || !slices.Equal(dropped, []string{"other"}) {
		t.Errorf("got dropped %v and error %v, want other", dropped, err)
	}
}

func TestControlPlane(t *testing.T) {
	t.Parallel()
	service := newService(t)
	client := clientOf(t, service)
	ctx := context.Background()
	listed, err := client.ListTables(ctx, &sdk.ListTablesInput{})
	if err != nil || !slices.Equal(listed.TableNames, []string{"quota", table}) {
		t.Fatalf("got %v and %v", listed, err)
	}
	if _, err := client.CreateTable(ctx, &sdk.CreateTableInput{
		TableName: aws.String("mine"), BillingMode: types.BillingModePayPerRequest, DeletionProtectionEnabled: aws.Bool(true),
		KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("id"), KeyType: types.KeyTypeHash}},
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("id"), AttributeType: types.ScalarAttributeTypeN}},
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := client.PutItem(ctx, &sdk.PutItemInput{TableName: aws.String("mine"), Item: item("id", 7)}); err != nil {
		t.Fatal(err)
	}
	described, err := client.DescribeTable(ctx, &sdk.DescribeTableInput{TableName: aws.String(dynamodb.ARN("mine"))})
	if err != nil || aws.ToInt64(described.Table.ItemCount) != 1 || described.Table.TableStatus != types.TableStatusActive {
		t.Errorf("got %+v and %v", described, err)
	}
	_, err = client.DeleteTable(ctx, &sdk.DeleteTableInput{TableName: aws.String("mine")})
	wantAPIError(t, err, "ValidationException", "protected against deletion")
	if err := service.UpdateTable(dynamodb.Spec{Name: "mine"}); err != nil {
		t.Fatal(err)
	}
	if _, err := client.DeleteTable(ctx, &sdk.DeleteTableInput{TableName: aws.String("mine")}); err != nil {
		t.Error(err)
	}
	var missing *types.ResourceNotFoundException
	if _, err := client.DescribeTable(ctx, &sdk.DescribeTableInput{TableName: aws.String("mine")}); !errors.As(err, &missing) {
		t.Errorf("got %v, want ResourceNotFoundException", err)
	}
}
