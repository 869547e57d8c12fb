// Package dynamo keeps accounts, requests and connections in DynamoDB. Every
// decision is a condition of a write; the expressions use only forms that
// DynamoDB itself accepts, with every attribute name aliased.
package dynamo

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/streaming-service/streaming-service/lambdas/internal/life"
)

// API is the part of the DynamoDB client that the store uses.
type API interface {
	GetItem(context.Context, *dynamodb.GetItemInput, ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error)
	PutItem(context.Context, *dynamodb.PutItemInput, ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error)
	UpdateItem(context.Context, *dynamodb.UpdateItemInput, ...func(*dynamodb.Options)) (*dynamodb.UpdateItemOutput, error)
	DeleteItem(context.Context, *dynamodb.DeleteItemInput, ...func(*dynamodb.Options)) (*dynamodb.DeleteItemOutput, error)
	Query(context.Context, *dynamodb.QueryInput, ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error)
	Scan(context.Context, *dynamodb.ScanInput, ...func(*dynamodb.Options)) (*dynamodb.ScanOutput, error)
	BatchGetItem(context.Context, *dynamodb.BatchGetItemInput, ...func(*dynamodb.Options)) (*dynamodb.BatchGetItemOutput, error)
	TransactWriteItems(context.Context, *dynamodb.TransactWriteItemsInput, ...func(*dynamodb.Options)) (*dynamodb.TransactWriteItemsOutput, error)
}

var _ API = (*dynamodb.Client)(nil)

// Tables names the three tables. A function that does not use one leaves it
// empty.
type Tables struct {
	Quota       string
	Requests    string
	Connections string
}

// Store is the state of the service.
type Store struct {
	client API
	direct *directPut
	tables Tables
	now    life.Now
}

var _ life.Store = (*Store)(nil)

// New returns the store in the given tables.
func New(client API, tables Tables) *Store {
	return &Store{client: client, direct: newDirectPut(client), tables: tables, now: time.Now}
}

// WithClock returns a copy of the store that reads the time from now. Only the
// expiry of connections depends on it.
func (s *Store) WithClock(now life.Now) *Store {
	c := *s
	c.now = now
	return &c
}
