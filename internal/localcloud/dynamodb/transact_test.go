package dynamodb_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
	"github.com/streaming-service/streaming-service/internal/localcloud/dynamodb"
)

// scriptedFaults answers as its fields say.
type scriptedFaults struct{ overlap, conflict, stale bool }

func (f scriptedFaults) OverlapConflict() bool     { return f.overlap }
func (f scriptedFaults) TransactionConflict() bool { return f.conflict }
func (f scriptedFaults) StaleRead() bool           { return f.stale }

// admission puts a record if absent and counts it up to a limit.
func admission(id string, limit int) *sdk.TransactWriteItemsInput {
	old := types.ReturnValuesOnConditionCheckFailureAllOld
	return &sdk.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{
		{Put: &types.Put{
			TableName: aws.String(table), Item: item("pk", "u#1", "sk", "r#"+id),
			ConditionExpression: aws.String("attribute_not_exists(pk)"), ReturnValuesOnConditionCheckFailure: old,
		}},
		{Update: &types.Update{
			TableName: aws.String("quota"), Key: item("pk", "u#1", "sk", "account"),
			UpdateExpression:          aws.String("SET used = if_not_exists(used, :zero) + :one ADD #open :open"),
			ConditionExpression:       aws.String("attribute_not_exists(used) OR used < :limit"),
			ExpressionAttributeNames:  map[string]string{"#open": "open"},
			ExpressionAttributeValues: item(":zero", 0, ":one", 1, ":limit", limit, ":open", []string{"-", id}), ReturnValuesOnConditionCheckFailure: old,
		}},
		{ConditionCheck: &types.ConditionCheck{
			TableName: aws.String("quota"), Key: item("pk", "u#1", "sk", "block"), ConditionExpression: aws.String("attribute_not_exists(pk)"),
		}},
	}}
}

func TestTransactionReportsAllReasons(t *testing.T) {
	t.Parallel()
	client := clientOf(t, newService(t))
	if _, err := client.TransactWriteItems(context.Background(), admission("a", 1)); err != nil {
		t.Fatal(err)
	}
	_, err := client.TransactWriteItems(context.Background(), admission("a", 1))
	reasons := wantCancelled(t, err, "ConditionalCheckFailed", "ConditionalCheckFailed", "None")
	wantItem(t, reasons[0].Item, item("pk", "u#1", "sk", "r#a"))
	wantItem(t, reasons[1].Item, item("pk", "u#1", "sk", "account", "used", 1, "open", []string{"-", "a"}))

	_, err = client.TransactWriteItems(context.Background(), admission("b", 1))
	wantCancelled(t, err, "None", "ConditionalCheckFailed", "None")
	if got := get(t, client, "u#1", "r#b"); got != nil {
		t.Errorf("a cancelled transaction wrote %v", got)
	}
}

func TestTransactionReportsInvalidUpdates(t *testing.T) {
	t.Parallel()
	client := clientOf(t, newService(t))
	in := admission("a", 1)
	in.TransactItems[1].Update.UpdateExpression = aws.String("SET used = gone + :one ADD #open :open")
	delete(in.TransactItems[1].Update.ExpressionAttributeValues, ":zero")
	_, err := client.TransactWriteItems(context.Background(), in)
	wantCancelled(t, err, "None", "ValidationError", "None")
}

func wantCancelled(t testing.TB, err error, codes ...string) []types.CancellationReason {
	t.Helper()
	var cancelled *types.TransactionCanceledException
	if !errors.As(err, &cancelled) {
		t.Fatalf("got %v, want TransactionCanceledException", err)
	}
	if len(cancelled.CancellationReasons) != len(codes) {
		t.Fatalf("got %d reasons, want %d", len(cancelled.CancellationReasons), len(codes))
	}
	for i, code := range codes {
		if got := aws.ToString(cancelled.CancellationReasons[i].Code); got != code {
			t.Errorf("reason %d: got %s, want %s", i, got, code)
		}
	}
	return cancelled.CancellationReasons
}

func TestTransactionLimits(t *testing.T) {
	t.Parallel()
	client := clientOf(t, newService(t))
	twice := admission("a", 1)
	twice.TransactItems = append(twice.TransactItems, twice.TransactItems[0])
	_, err := client.TransactWriteItems(context.Background(), twice)
	wantAPIError(t, err, "ValidationException", "cannot include multiple operations on one item")

	many := &sdk.TransactWriteItemsInput{}
	for i := range 101 {
		many.TransactItems = append(many.TransactItems, types.TransactWriteItem{Put: &types.Put{TableName: aws.String(table), Item: item("pk", "p", "sk", fmt.Sprint(i))}})
	}
	_, err = client.TransactWriteItems(context.Background(), many)
	wantAPIError(t, err, "ValidationException", "length less than or equal to 100")
}

func TestClientRequestToken(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		service := newService(t)
		transact := func(token, id string) (int, string) {
			return call(service, "TransactWriteItems", fmt.Sprintf(`{"ClientRequestToken":%q,"TransactItems":[
				{"Update":{"TableName":"quota","Key":{"pk":{"S":"p"},"sk":{"S":"s"}},"UpdateExpression":"ADD used :o SET k = :k",
				"ExpressionAttributeValues":{":o":{"N":"1"},":k":{"S":%q}}}}]}`, token, id))
		}
		used := func() string {
			_, answer := call(service, "GetItem", `{"TableName":"quota","ConsistentRead":true,"ProjectionExpression":"used","Key":{"pk":{"S":"p"},"sk":{"S":"s"}}}`)
			return answer
		}
		for range 2 {
			if status, answer := transact("token", "a"); status != 200 {
				t.Fatalf("got %d %s, want success", status, answer)
			}
		}
		if got, want := used(), `{"Item":{"used":{"N":"1"}}}`; got != want {
			t.Errorf("after a repeated token got %s, want %s", got, want)
		}
		if _, answer := transact("token", "b"); !contains(answer, "IdempotentParameterMismatchException") {
			t.Errorf("other parameters: got %s, want IdempotentParameterMismatchException", answer)
		}
		time.Sleep(10*time.Minute + time.Second)
		if status, answer := transact("token", "b"); status != 200 {
			t.Errorf("after ten minutes got %d %s, want success", status, answer)
		}
		if got, want := used(), `{"Item":{"used":{"N":"2"}}}`; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	})
}

// SDKs write the members of an object in any order.
func TestTokenKnowsATransactionInAnotherOrder(t *testing.T) {
	t.Parallel()
	service := newService(t)
	for _, put := range []string{
		`{"TableName":"quota","Item":{"pk":{"S":"p"},"sk":{"S":"s"},"n":{"N":"1"}}}`,
		`{"Item":{"n":{"N":"1.0"},"sk":{"S":"s"},"pk":{"S":"p"}},"TableName":"quota"}`,
	} {
		body := fmt.Sprintf(`{"ClientRequestToken":"token","TransactItems":[{"Put":%s}]}`, put)
		if status, answer := call(service, "TransactWriteItems", body); status != 200 {
			t.Errorf("%s: got %d %s, want success", put, status, answer)
		}
	}
}

func TestFailedTransactionKeepsNoToken(t *testing.T) {
	t.Parallel()
	client := clientOf(t, newService(t))
	in := admission("a", 0)
	in.ClientRequestToken = aws.String("token")
	put(t, client, "pk", "u#1", "sk", "r#a")
	_, err := client.TransactWriteItems(context.Background(), in)
	wantCancelled(t, err, "ConditionalCheckFailed", "None", "None")
	if _, err := client.DeleteItem(context.Background(), &sdk.DeleteItemInput{TableName: aws.String(table), Key: item("pk", "u#1", "sk", "r#a")}); err != nil {
		t.Fatal(err)
	}
	if _, err := client.TransactWriteItems(context.Background(), in); err != nil {
		t.Errorf("repeating a cancelled transaction under its token: %v", err)
	}
}

// barrier is a guard that holds calls until all that it waits for have come.
type barrier struct {
	arrived *sync.WaitGroup
}

func (b barrier) Admit(_ context.Context, call awsapi.Call) (bool, *awsapi.Error) {
	if call.Operation == "TransactWriteItems" || call.Operation == "UpdateItem" {
		b.arrived.Done()
		b.arrived.Wait()
	}
	return false, nil
}

func TestOverlappingWritesConflict(t *testing.T) {
	t.Parallel()
	arrived := &sync.WaitGroup{}
	arrived.Add(2)
	service := dynamodb.New(barrier{arrived}, dynamodb.WithFaults(scriptedFaults{overlap: true}))
	createTables(t, service)
	client := clientOf(t, service)
	results := make(chan error, 2)
	for _, id := range []string{"a", "b"} {
		go func() {
			_, err := client.TransactWriteItems(context.Background(), admission(id, 10))
			results <- err
		}()
	}
	var failures []error
	for range 2 {
		if err := <-results; err != nil {
			failures = append(failures, err)
		}
	}
	if len(failures) != 1 {
		t.Fatalf("got failures %v, want exactly one", failures)
	}
	wantCancelled(t, failures[0], "None", "TransactionConflict", "TransactionConflict")
}

func TestPlainWriteConflictsWithTransaction(t *testing.T) {
	t.Parallel()
	client := clientOf(t, newService(t, dynamodb.WithFaults(scriptedFaults{conflict: true})))
	bump := func(table string) error {
		_, err := client.UpdateItem(context.Background(), &sdk.UpdateItemInput{
			TableName: aws.String(table), Key: item("pk", "u#1", "sk", "account"), UpdateExpression: aws.String("ADD n :o"), ExpressionAttributeValues: item(":o", 1),
		})
		return err
	}
	if err := bump("quota"); err != nil {
		t.Fatalf("an item that no transaction wrote: %v", err)
	}
	if _, err := client.TransactWriteItems(context.Background(), admission("a", 5)); err != nil {
		t.Fatal(err)
	}
	var conflict *types.TransactionConflictException
	if err := bump("quota"); !errors.As(err, &conflict) {
		t.Errorf("got %v, want TransactionConflictException", err)
	}
}

// TestParallelAdmissions admits 100 at once against a limit of 10, with retries
// as a client of DynamoDB needs them.
func TestParallelAdmissions(t *testing.T) {
	t.Parallel()
	client := clientOf(t, newService(t, dynamodb.WithFaults(scriptedFaults{overlap: true})))
	var admitted, conflicts atomic.Int64
	var callers sync.WaitGroup
	for i := range 100 {
		callers.Go(func() {
			for attempt := 0; ; attempt++ {
				_, err := client.TransactWriteItems(context.Background(), admission(fmt.Sprint(i), 10))
				var cancelled *types.TransactionCanceledException
				switch {
				case err == nil:
					admitted.Add(1)
					return
				case errors.As(err, &cancelled) && aws.ToString(cancelled.CancellationReasons[1].Code) == "TransactionConflict":
					conflicts.Add(1)
					time.Sleep(time.Duration(rand.Int64N(int64(min(5*time.Millisecond<<min(attempt, 7), 400*time.Millisecond)))))
				default:
					return
				}
			}
		})
	}
	callers.Wait()
	t.Logf("%d admitted, %d conflicts", admitted.Load(), conflicts.Load())
	if admitted.Load() != 10 {
		t.Errorf("got %d admitted, want 10", admitted.Load())
	}
}

func TestTransactGetItems(t *testing.T) {
	t.Parallel()
	client := clientOf(t, newService(t))
	put(t, client, "pk", "p", "sk", "a", "n", 1)
	out, err := client.TransactGetItems(context.Background(), &sdk.TransactGetItemsInput{TransactItems: []types.TransactGetItem{
		{Get: &types.Get{TableName: aws.String(table), Key: item("pk", "p", "sk", "a")}},
		{Get: &types.Get{TableName: aws.String(table), Key: item("pk", "p", "sk", "b")}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	wantItem(t, out.Responses[0].Item, item("pk", "p", "sk", "a", "n", 1))
	if out.Responses[1].Item != nil {
		t.Errorf("got %v for an absent item", out.Responses[1].Item)
	}
}
