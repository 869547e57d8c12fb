package dynamo

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/protocol"
)

// constants are the values that many expressions share.
func constants(now time.Time) item {
	return item{
		":zero":      number(0),
		":one":       number(1),
		":true":      boolean(true),
		":queued":    text(string(protocol.StatusQueued)),
		":streaming": text(string(protocol.StatusStreaming)),
		":now":       millis(now),
		":stale":     millis(now.Add(-life.Skew)),
	}
}

// updateRecord makes one conditional update of a record. ok is false if the
// condition failed; the record is then the one that failed it. The error is
// ErrNotFound if there is none.
func (s *Store) updateRecord(ctx context.Context, doing string, key life.Key, update, condition string, values item) (record life.Record, ok bool, err error) {
	names, bound := bind("", values, update, condition)
	input := &dynamodb.UpdateItemInput{
		TableName:                           &s.tables.Requests,
		Key:                                 recordKey(key),
		UpdateExpression:                    &update,
		ConditionExpression:                 &condition,
		ExpressionAttributeNames:            names,
		ExpressionAttributeValues:           bound,
		ReturnValues:                        types.ReturnValueAllNew,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}
	var out *dynamodb.UpdateItemOutput
	err = retryConflicts(ctx, func() error {
		out, err = s.client.UpdateItem(ctx, input)
		return err
	})
	if err == nil {
		return readRecord(out.Attributes), true, nil
	}
	old, failed := conditionFailed(err)
	switch {
	case !failed:
		return life.Record{Key: key}, false, failure(doing, err)
	case len(old) == 0:
		return life.Record{Key: key}, false, life.ErrNotFound
	}
	return readRecord(old), false, nil
}

func (s *Store) get(ctx context.Context, doing, table string, key item) (item, error) {
	out, err := s.client.GetItem(ctx, &dynamodb.GetItemInput{TableName: &table, Key: key, ConsistentRead: aws.Bool(true)})
	if err != nil {
		return nil, failure(doing, err)
	}
	return out.Item, nil
}

func (s *Store) put(ctx context.Context, doing, table string, i item) error {
	if s.direct.put(ctx, table, i) {
		return nil
	}
	err := retryConflicts(ctx, func() error {
		_, err := s.client.PutItem(ctx, &dynamodb.PutItemInput{TableName: &table, Item: i})
		return err
	})
	if err != nil {
		return failure(doing, err)
	}
	return nil
}
