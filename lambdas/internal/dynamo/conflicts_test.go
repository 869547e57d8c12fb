package dynamo_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/streaming-service/streaming-service/lambdas/internal/dynamo"
	"github.com/streaming-service/streaming-service/lambdas/internal/dynamo/dynamotest"
	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/protocol"
)

// contended is a table on which every write meets another one.
type contended struct {
	dynamo.API
	writes  int
	reads   int
	account map[string]types.AttributeValue
}

func (c *contended) UpdateItem(context.Context, *dynamodb.UpdateItemInput, ...func(*dynamodb.Options)) (*dynamodb.UpdateItemOutput, error) {
	c.writes++
	return nil, &types.TransactionConflictException{}
}

func (c *contended) TransactWriteItems(context.Context, *dynamodb.TransactWriteItemsInput, ...func(*dynamodb.Options)) (*dynamodb.TransactWriteItemsOutput, error) {
	c.writes++
	return nil, &types.TransactionCanceledException{CancellationReasons: []types.CancellationReason{{Code: aws.String("None")}, {Code: aws.String("TransactionConflict")}}}
}

func (c *contended) GetItem(_ context.Context, in *dynamodb.GetItemInput, _ ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error) {
	c.reads++
	if !aws.ToBool(in.ConsistentRead) {
		return nil, errors.New("a decisive read must be consistent")
	}
	if *in.TableName == dynamotest.Tables.Quota {
		return &dynamodb.GetItemOutput{Item: c.account}, nil
	}
	return &dynamodb.GetItemOutput{}, nil
}

func TestConflictsWithoutEndAreUnavailableAfterEightSeconds(t *testing.T) {
	t.Parallel()
	settled := life.Record{Status: protocol.StatusSucceeded}
	tests := map[string]func(*dynamo.Store) error{
		"admit":  func(s *dynamo.Store) error { return s.Admit(ctx, admission("u", "r", nil), life.Account{}) },
		"settle": func(s *dynamo.Store) error { _, err := s.Settle(ctx, settled); return err },
		"keep":   func(s *dynamo.Store) error { _, err := s.Keep(ctx, life.Key{}); return err },
	}
	for name, write := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				api := &contended{}
				begun := time.Now()
				err := write(dynamo.New(api, dynamotest.Tables))
				took := time.Since(begun)
				if !errors.Is(err, life.ErrUnavailable) {
					t.Errorf("error %v", err)
				}
				if took < 7*time.Second || took > 8*time.Second {
					t.Errorf("gave up after %v", took)
				}
				// The pauses are 200 ms on average once they have grown.
				if api.writes < 20 || api.writes > 120 {
					t.Errorf("%d writes", api.writes)
				}
			})
		})
	}
}

func TestTakeBackUnderConflictsReadsTheRecord(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		api := &contended{}
		taken, err := dynamo.New(api, dynamotest.Tables).TakeBack(ctx, life.Record{})
		if err != nil || !taken || api.reads != 1 {
			t.Errorf("TakeBack = %v, %v after %d reads; the record is gone", taken, err, api.reads)
		}
	})
}

// Between two tries the account is read, and refuses at once what has become
// too much.
func TestConflictEndsAtTheLimit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		api := &contended{account: map[string]types.AttributeValue{
			"used#" + period: &types.AttributeValueMemberN{Value: "10"},
		}}
		begun := time.Now()
		err := dynamo.New(api, dynamotest.Tables).Admit(ctx, admission("u", "r", nil), life.Account{})
		refusal, ok := errors.AsType[*life.Refusal](err)
		if !ok || refusal.Code != protocol.CodeQuotaExceeded || api.writes != 1 || time.Since(begun) > 10*time.Millisecond {
			t.Errorf("Admit = %v after %d writes and %v", err, api.writes, time.Since(begun))
		}
	})
}
