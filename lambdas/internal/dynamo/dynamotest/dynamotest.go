// Package dynamotest runs the store's tables in the test's own process.
package dynamotest

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
	localdynamodb "github.com/streaming-service/streaming-service/internal/localcloud/dynamodb"
	"github.com/streaming-service/streaming-service/internal/localcloud/dynamodb/attribute"
	"github.com/streaming-service/streaming-service/internal/schema"
	"github.com/streaming-service/streaming-service/lambdas/internal/dynamo"
)

// Tables are the names of the tables.
var Tables = dynamo.Tables{Quota: "quota", Requests: "requests", Connections: "connections"}

// Database is a database with the three tables, empty at first.
type Database struct {
	*dynamo.Store
	Client  *dynamodb.Client
	Service *localdynamodb.Service
	mu      sync.Mutex
	calls   []Call
	fault   func(Call) Fault
}

// Call is one call that the store made.
type Call struct {
	Operation string // UpdateItem
	Body      map[string]any
}

// Fault is what happens to a call.
type Fault struct {
	Error        string // error to answer, such as ProvisionedThroughputExceededException
	LoseResponse bool   // act, then drop the connection
}

// New starts a database that ends with the test.
func New(t testing.TB, options ...localdynamodb.Option) *Database {
	t.Helper()
	d := &Database{Service: NewService(t, options...)}
	web := httptest.NewServer(http.HandlerFunc(d.serve))
	t.Cleanup(web.Close)
	d.Client = dynamodb.New(dynamodb.Options{
		Region:       "us-east-1",
		BaseEndpoint: &web.URL,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "local", SecretAccessKey: "local"}, nil
		}),
		HTTPClient:       &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 256}},
		RetryMaxAttempts: 2,
	})
	d.Store = dynamo.New(d.Client, Tables)
	return d
}

// NewService returns the local cloud's database with the three tables as the
// component declares them.
func NewService(t testing.TB, options ...localdynamodb.Option) *localdynamodb.Service {
	t.Helper()
	service := localdynamodb.New(awsapi.Open{}, options...)
	for _, name := range []string{Tables.Quota, Tables.Requests, Tables.Connections} {
		spec := localdynamodb.Spec{
			Name: name, HashKey: localdynamodb.Key{Name: schema.PartitionKey}, RangeKey: localdynamodb.Key{Name: schema.SortKey},
			TTLAttribute: schema.ExpiresAt,
		}
		if name == Tables.Quota {
			spec.Indexes = []localdynamodb.IndexSpec{{
				Name: schema.OpenIndex, HashKey: localdynamodb.Key{Name: schema.OpenShard},
				RangeKey: localdynamodb.Key{Name: schema.OpenSince, Kind: attribute.Number}, Projection: "KEYS_ONLY",
			}}
		}
		if _, err := service.CreateTable(spec); err != nil {
			t.Fatal(err)
		}
	}
	return service
}

// Inject decides the fate of every later call; nil ends the faults.
func (d *Database) Inject(fault func(Call) Fault) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.fault = fault
}

// Calls returns the calls so far.
func (d *Database) Calls() []Call {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]Call(nil), d.calls...)
}

// Item reads an item as stored; nil if there is none.
func (d *Database) Item(t testing.TB, table, pk, sk string) map[string]types.AttributeValue {
	t.Helper()
	out, err := d.Client.GetItem(context.Background(), &dynamodb.GetItemInput{TableName: &table, Key: map[string]types.AttributeValue{
		"pk": &types.AttributeValueMemberS{Value: pk},
		"sk": &types.AttributeValueMemberS{Value: sk},
	}})
	if err != nil {
		t.Fatalf("reading %s %s: %v", pk, sk, err)
	}
	return out.Item
}

func (d *Database) serve(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	call := Call{Operation: operation}
	if err := json.Unmarshal(body, &call.Body); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	fault := d.record(call)
	if fault.Error != "" {
		refuse(w, fault.Error)
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	if fault.LoseResponse {
		d.Service.ServeHTTP(httptest.NewRecorder(), r)
		panic(http.ErrAbortHandler)
	}
	d.Service.ServeHTTP(w, r)
}

func (d *Database) record(call Call) Fault {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.calls = append(d.calls, call)
	if d.fault == nil {
		return Fault{}
	}
	return d.fault(call)
}

// refuse answers an error as DynamoDB does. A cancelled transaction names a
// conflict as the reason of each of its parts.
func refuse(w http.ResponseWriter, code string) {
	answer := map[string]any{"__type": "com.amazonaws.dynamodb.v20120810#" + code, "message": "injected"}
	if code == "TransactionCanceledException" {
		reason := map[string]string{"Code": "TransactionConflict", "Message": "injected"}
		answer["CancellationReasons"] = []any{map[string]string{"Code": "None"}, reason}
	}
	status := http.StatusBadRequest
	if code == "InternalServerError" {
		status = http.StatusInternalServerError
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(answer)
}
