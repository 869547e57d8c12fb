package dynamodb_test

import (
	"context"
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

// open is a sparse index by lane and time.
var open = dynamodb.IndexSpec{
	Name: "open", HashKey: dynamodb.Key{Name: "lane"}, RangeKey: dynamodb.Key{Name: "since", Kind: attribute.Number}, Projection: "KEYS_ONLY",
}

func indexed(indexes ...dynamodb.IndexSpec) dynamodb.Spec {
	return dynamodb.Spec{Name: table, HashKey: dynamodb.Key{Name: "pk"}, RangeKey: dynamodb.Key{Name: "sk"}, Indexes: indexes}
}

func newIndexed(t testing.TB, options ...dynamodb.Option) *dynamodb.Service {
	t.Helper()
	service := dynamodb.New(awsapi.Open{}, options...)
	if _, err := service.CreateTable(indexed(open)); err != nil {
		t.Fatal(err)
	}
	return service
}

// queryOpen reads a lane of the index and returns the partition keys found.
func queryOpen(t testing.TB, client *sdk.Client, change func(*sdk.QueryInput)) (found []string, out *sdk.QueryOutput) {
	t.Helper()
	input := &sdk.QueryInput{
		TableName: aws.String(table), IndexName: aws.String("open"), KeyConditionExpression: aws.String("lane = :s"),
		ExpressionAttributeValues: item(":s", "1"), ReturnConsumedCapacity: types.ReturnConsumedCapacityIndexes,
	}
	if change != nil {
		change(input)
	}
	out, err := client.Query(context.Background(), input)
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range out.Items {
		found = append(found, i["pk"].(*types.AttributeValueMemberS).Value)
	}
	return found, out
}

func wantOpen(t testing.TB, client *sdk.Client, want ...string) {
	t.Helper()
	if found, _ := queryOpen(t, client, nil); !slices.Equal(found, want) {
		t.Errorf("the index holds %v, want %v", found, want)
	}
}

// TestIndexFollowsItsTable puts, moves, and takes items out of a sparse index,
// by every kind of write.
func TestIndexFollowsItsTable(t *testing.T) {
	t.Parallel()
	client, ctx := clientOf(t, newIndexed(t)), context.Background()
	put(t, client, "pk", "c", "sk", "x", "lane", "1", "since", 10, "other", "not projected")
	put(t, client, "pk", "a", "sk", "x", "lane", "1", "since", 9)
	put(t, client, "pk", "b", "sk", "x", "lane", "1", "since", 10)
	put(t, client, "pk", "half", "sk", "x", "lane", "1") // lacks a key: not in the index
	put(t, client, "pk", "else", "sk", "x", "lane", "2", "since", 1)
	wantOpen(t, client, "a", "b", "c")
	_, out := queryOpen(t, client, nil)
	wantItem(t, out.Items[2], item("pk", "c", "sk", "x", "lane", "1", "since", 10))

	update := func(pk, expression string, values map[string]types.AttributeValue) {
		t.Helper()
		_, err := client.UpdateItem(ctx, &sdk.UpdateItemInput{
			TableName: aws.String(table), Key: item("pk", pk, "sk", "x"), UpdateExpression: &expression, ExpressionAttributeValues: values,
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	update("a", "SET since = :n", item(":n", 11)) // moves behind
	wantOpen(t, client, "b", "c", "a")
	update("b", "REMOVE lane", nil)
	wantOpen(t, client, "c", "a")
	update("b", "SET lane = :s", item(":s", "1"))
	wantOpen(t, client, "b", "c", "a")
	if _, err := client.DeleteItem(ctx, &sdk.DeleteItemInput{TableName: aws.String(table), Key: item("pk", "c", "sk", "x")}); err != nil {
		t.Fatal(err)
	}
	_, err := client.TransactWriteItems(ctx, &sdk.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{
		{Put: &types.Put{TableName: aws.String(table), Item: item("pk", "d", "sk", "x", "lane", "1", "since", 1)}},
		{Put: &types.Put{TableName: aws.String(table), Item: item("pk", "b", "sk", "x")}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	wantOpen(t, client, "d", "a")
	_, err = client.BatchWriteItem(ctx, &sdk.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{table: {
		{PutRequest: &types.PutRequest{Item: item("pk", "e", "sk", "x", "lane", "1", "since", 2)}},
		{DeleteRequest: &types.DeleteRequest{Key: item("pk", "d", "sk", "x")}},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	wantOpen(t, client, "e", "a")
}

// TestIndexPages reads an index whose keys are not unique page by page, both
// ways, and only the range asked for.
func TestIndexPages(t *testing.T) {
	t.Parallel()
	client := clientOf(t, newIndexed(t))
	var want []string
	for i := range 23 {
		pk := fmt.Sprintf("p%02d", i)
		want = append(want, pk)
		put(t, client, "pk", pk, "sk", "x", "lane", "1", "since", i/10)
	}
	for _, forward := range []bool{true, false} {
		var all []string
		var from map[string]types.AttributeValue
		for pages := 0; ; pages++ {
			found, out := queryOpen(t, client, func(q *sdk.QueryInput) {
				q.Limit, q.ScanIndexForward, q.ExclusiveStartKey = aws.Int32(4), &forward, from
			})
			all, from = append(all, found...), out.LastEvaluatedKey
			if from == nil {
				if pages != 5 {
					t.Errorf("%d pages before the last, want 5", pages)
				}
				break
			}
			if len(from) != 4 {
				t.Fatalf("a page ends with %v, want the keys of index and table", from)
			}
		}
		if !forward {
			slices.Reverse(all)
		}
		if !slices.Equal(all, want) {
			t.Errorf("pages, forward %t: %v, want %v", forward, all, want)
		}
	}
	found, _ := queryOpen(t, client, func(q *sdk.QueryInput) {
		q.KeyConditionExpression, q.ExpressionAttributeValues = aws.String("lane = :s AND since < :n"), item(":s", "1", ":n", 1)
	})
	if len(found) != 10 {
		t.Errorf("%d entries since before 1, want 10", len(found))
	}
	counted, out := queryOpen(t, client, func(q *sdk.QueryInput) { q.Select = types.SelectCount })
	if out.Count != 23 || len(counted) != 0 {
		t.Errorf("counted %d with %d items, want 23 and none", out.Count, len(counted))
	}
	scanned, err := client.Scan(context.Background(), &sdk.ScanInput{TableName: aws.String(table), IndexName: aws.String("open")})
	if err != nil || scanned.Count != 23 {
		t.Errorf("scanned %+v, %v, want 23", scanned, err)
	}
}

// TestIndexCapacity charges an entry that comes or goes as one write, one that
// moves as two, and nothing for what the index does not hold.
func TestIndexCapacity(t *testing.T) {
	t.Parallel()
	counted := units{}
	service := newIndexed(t, dynamodb.WithMeter(counted))
	step := func(doing, operation, body string, base, index float64) {
		t.Helper()
		clear(counted)
		if status, answer := call(service, operation, body); status != 200 {
			t.Fatalf("%s: %v", doing, answer)
		}
		if got := counted["dynamodb.writeUnits"]; got != base+index || counted["dynamodb.indexWriteUnits"] != index {
			t.Errorf("%s: %v write units, %v of them in the index; want %v and %v", doing, got, counted["dynamodb.indexWriteUnits"], base+index, index)
		}
	}
	key := `"TableName":"requests","Key":{"pk":{"S":"p"},"sk":{"S":"s"}}`
	update := func(expression, values string) string {
		return `{` + key + `,"UpdateExpression":"` + expression + `","ExpressionAttributeValues":` + values + `}`
	}
	step("not indexed", "UpdateItem", update("SET n = :n", `{":n":{"N":"1"}}`), 1, 0)
	step("comes", "UpdateItem", update("SET lane = :s, since = :n", `{":s":{"S":"1"},":n":{"N":"1"}}`), 1, 1)
	step("stays", "UpdateItem", update("SET n = :n, lane = :s", `{":s":{"S":"1"},":n":{"N":"2"}}`), 1, 0)
	step("moves", "UpdateItem", update("SET since = :n", `{":n":{"N":"2"}}`), 1, 2)
	step("goes", "UpdateItem", `{`+key+`,"UpdateExpression":"REMOVE lane"}`, 1, 1)
	step("comes in a transaction", "TransactWriteItems",
		`{"TransactItems":[{"Update":`+update("SET lane = :s", `{":s":{"S":"1"}}`)+`}]}`, 2, 1)
	step("is deleted", "DeleteItem", `{`+key+`}`, 1, 1)

	_, answer := call(service, "PutItem", `{"TableName":"requests","ReturnConsumedCapacity":"INDEXES","Item":{"pk":{"S":"p"},"sk":{"S":"s"},"lane":{"S":"1"},"since":{"N":"1"},"x":{"S":"`+strings.Repeat("x", 2500)+`"}}}`)
	want(t, answer, `{"ConsumedCapacity":{"TableName":"requests","CapacityUnits":4,"Table":{"CapacityUnits":3},"GlobalSecondaryIndexes":{"open":{"CapacityUnits":1}}}}`)
	_, answer = call(service, "Query", `{"TableName":"requests","IndexName":"open","Select":"COUNT","ReturnConsumedCapacity":"INDEXES","KeyConditionExpression":"lane = :s","ExpressionAttributeValues":{":s":{"S":"1"}}}`)
	want(t, answer, `{"Count":1,"ScannedCount":1,"ConsumedCapacity":{"TableName":"requests","CapacityUnits":0.5,"GlobalSecondaryIndexes":{"open":{"CapacityUnits":0.5}}}}`)

	clear(counted)
	refused := update("REMOVE lane", `{":no":{"S":"no"}}`)
	refused = strings.TrimSuffix(refused, "}") + `,"ConditionExpression":"pk = :no"}`
	if status, _ := call(service, "UpdateItem", refused); status != 400 || counted["dynamodb.indexWriteUnits"] != 0 {
		t.Errorf("a refused write: status %d, %v", status, counted)
	}
}

func TestIndexRefusals(t *testing.T) {
	t.Parallel()
	client, ctx := clientOf(t, newIndexed(t)), context.Background()
	query := func(change func(*sdk.QueryInput)) error {
		input := &sdk.QueryInput{
			TableName: aws.String(table), IndexName: aws.String("open"), KeyConditionExpression: aws.String("lane = :s"),
			ExpressionAttributeValues: item(":s", "1"),
		}
		change(input)
		_, err := client.Query(ctx, input)
		return err
	}
	putOf := func(values ...any) error {
		_, err := client.PutItem(ctx, &sdk.PutItemInput{TableName: aws.String(table), Item: item(append([]any{"pk", "p", "sk", "s"}, values...)...)})
		return err
	}
	for _, test := range []struct {
		name, want string
		got        error
	}{
		{"consistent", "Consistent reads are not supported on global secondary indexes", query(func(q *sdk.QueryInput) { q.ConsistentRead = aws.Bool(true) })},
		{"unknown", "The table does not have the specified index: shut", query(func(q *sdk.QueryInput) { q.IndexName = aws.String("shut") })},
		{"all attributes", "projection type is not ALL", query(func(q *sdk.QueryInput) { q.Select = types.SelectAllAttributes })},
		{"not projected", "does not project [words]", query(func(q *sdk.QueryInput) { q.ProjectionExpression = aws.String("words") })},
		{"keys of the table", "missed key schema element: lane", query(func(q *sdk.QueryInput) { q.KeyConditionExpression = aws.String("pk = :s") })},
		{"half a starting key", "starting key is invalid", query(func(q *sdk.QueryInput) { q.ExclusiveStartKey = item("lane", "1", "since", 1) })},
		{"projected of a table", "only when Querying using an IndexName", query(func(q *sdk.QueryInput) {
			q.IndexName, q.Select, q.KeyConditionExpression = nil, types.SelectAllProjectedAttributes, aws.String("pk = :s")
		})},
		{"type of a key", "Type mismatch for Index Key since Expected: N Actual: S IndexName: open", putOf("lane", "1", "since", "1")},
		{"empty key", "cannot contain an empty string value. IndexName: open, IndexKey: lane", putOf("lane", "", "since", 1)},
		{"type of a key by update", "Type mismatch for Index Key since", func() error {
			_, err := client.UpdateItem(ctx, &sdk.UpdateItemInput{
				TableName: aws.String(table), Key: item("pk", "p", "sk", "s"), UpdateExpression: aws.String("SET since = :s"), ExpressionAttributeValues: item(":s", "1"),
			})
			return err
		}()},
	} {
		if test.got == nil || !strings.Contains(test.got.Error(), "ValidationException") || !strings.Contains(test.got.Error(), test.want) {
			t.Errorf("%s: got %v, want a ValidationException: %s", test.name, test.got, test.want)
		}
	}
}

// TestIndexOfALiveTable adds an index to a table with items and takes it away.
func TestIndexOfALiveTable(t *testing.T) {
	t.Parallel()
	service := dynamodb.New(awsapi.Open{})
	if _, err := service.CreateTable(indexed()); err != nil {
		t.Fatal(err)
	}
	client := clientOf(t, service)
	put(t, client, "pk", "b", "sk", "x", "lane", "1", "since", 2)
	put(t, client, "pk", "a", "sk", "x", "lane", "1", "since", 1)
	put(t, client, "pk", "c", "sk", "x")
	if err := service.UpdateTable(indexed(open)); err != nil {
		t.Fatal(err)
	}
	wantOpen(t, client, "a", "b")
	put(t, client, "pk", "c", "sk", "x", "lane", "1", "since", 0)
	if err := service.UpdateTable(indexed(open)); err != nil { // changes nothing
		t.Fatal(err)
	}
	wantOpen(t, client, "c", "a", "b")
	described, err := client.DescribeTable(context.Background(), &sdk.DescribeTableInput{TableName: aws.String(table)})
	if err != nil {
		t.Fatal(err)
	}
	index := described.Table.GlobalSecondaryIndexes[0]
	if *index.IndexArn != dynamodb.ARN(table)+"/index/open" || *index.ItemCount != 3 || index.Projection.ProjectionType != types.ProjectionTypeKeysOnly || len(described.Table.AttributeDefinitions) != 4 {
		t.Errorf("described as %+v with %d attributes", index, len(described.Table.AttributeDefinitions))
	}
	if err := service.UpdateTable(indexed()); err != nil {
		t.Fatal(err)
	}
	if _, err := client.Query(context.Background(), &sdk.QueryInput{
		TableName: aws.String(table), IndexName: aws.String("open"), KeyConditionExpression: aws.String("lane = :s"), ExpressionAttributeValues: item(":s", "1"),
	}); err == nil {
		t.Error("an index that was taken away answers")
	}
	for _, bad := range []dynamodb.IndexSpec{
		{Name: "x", HashKey: dynamodb.Key{Name: "lane"}, Projection: "ALL"},
		{Name: "open", Projection: "ALL"},
		{Name: "open", HashKey: dynamodb.Key{Name: "lane"}, Projection: "SOME"},
		{Name: "open", HashKey: dynamodb.Key{Name: "lane"}, Projection: "INCLUDE"},
		{Name: "open", HashKey: dynamodb.Key{Name: "lane", Kind: "BOOL"}, Projection: "ALL"},
	} {
		if err := service.UpdateTable(indexed(bad)); err == nil {
			t.Errorf("index %+v was taken", bad)
		}
	}
}

// TestIndexIsEventual lets a read of the index miss a write of just now, and
// never one of a second ago.
func TestIndexIsEventual(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		service := newIndexed(t, dynamodb.WithFaults(scriptedFaults{stale: true}))
		query := `{"TableName":"requests","IndexName":"open","Select":"COUNT","KeyConditionExpression":"lane = :s","ExpressionAttributeValues":{":s":{"S":"1"}}}`
		call(service, "PutItem", `{"TableName":"requests","Item":{"pk":{"S":"p"},"sk":{"S":"s"},"lane":{"S":"1"},"since":{"N":"1"}}}`)
		_, answer := call(service, "Query", query)
		want(t, answer, `{"Count":0,"ScannedCount":0}`)
		time.Sleep(time.Second)
		_, answer = call(service, "Query", query)
		want(t, answer, `{"Count":1,"ScannedCount":1}`)
		call(service, "DeleteItem", `{"TableName":"requests","Key":{"pk":{"S":"p"},"sk":{"S":"s"}}}`)
		_, answer = call(service, "Query", query)
		want(t, answer, `{"Count":1,"ScannedCount":1}`)
	})
}

// TestIndexOutlivesARestart fills the index from the saved items.
func TestIndexOutlivesARestart(t *testing.T) {
	t.Parallel()
	service := newIndexed(t)
	put(t, clientOf(t, service), "pk", "p", "sk", "x", "lane", "1", "since", 1)
	again := newIndexed(t)
	if _, err := again.Restore(service.Snapshot(nil)); err != nil {
		t.Fatal(err)
	}
	wantOpen(t, clientOf(t, again), "p")
}

// TestIndexPermission asks for the permission to read the index, not its table.
func TestIndexPermission(t *testing.T) {
	t.Parallel()
	asked := &resources{}
	service := dynamodb.New(asked)
	if _, err := service.CreateTable(indexed(open)); err != nil {
		t.Fatal(err)
	}
	queryOpen(t, clientOf(t, service), nil)
	if want := "dynamodb:Query " + dynamodb.ARN(table) + "/index/open"; asked.last != want {
		t.Errorf("asked for %s, want %s", asked.last, want)
	}
}

// resources is a guard that keeps the last permission asked for.
type resources struct{ last string }

func (r *resources) Admit(_ context.Context, c awsapi.Call) (bool, *awsapi.Error) {
	r.last = c.Permissions[0].Action + " " + c.Permissions[0].Resource
	return false, nil
}
