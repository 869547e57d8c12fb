package dynamo

import (
	"context"
	"fmt"
	"math/rand/v2"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/protocol"
)

// spendingShards is over how many items the spending of the whole service is
// spread, so that settlements of different users seldom meet in one. They fit
// into one read unit.
const spendingShards = 16

// spendingPartition is the partition of those items.
const spendingPartition = "service"

func spendingKey(period string, shard int) item {
	return item{partitionKey: text(spendingPartition), sortKey: text(fmt.Sprintf("%s#%02d", period, shard))}
}

// Spending reads what the requests of a period that count against the budget of
// the whole service have cost so far.
func (s *Store) Spending(ctx context.Context, period string) (protocol.USD, error) {
	condition := itemsWithPrefix
	names, values := bind("", item{":pk": text(spendingPartition), ":prefix": text(period + "#")}, condition)
	items, err := s.query(ctx, "reading spending", &dynamodb.QueryInput{
		TableName:                 &s.tables.Quota,
		KeyConditionExpression:    &condition,
		ExpressionAttributeNames:  names,
		ExpressionAttributeValues: values,
		ConsistentRead:            aws.Bool(true),
	})
	var total protocol.USD
	for _, i := range items {
		total += getAmount(i, "spent")
	}
	return total, err
}

// countsForService reports whether a settlement counts against the budget of the
// whole service.
func countsForService(record life.Record) bool {
	return record.ForService && life.Settle(record).Cost > 0
}

// transactSettlement settles a request and counts its cost for the service, both
// or neither, in a shard drawn anew at every try.
func (s *Store) transactSettlement(ctx context.Context, record life.Record, account *types.Update) error {
	count := countSpending
	values := constants(record.CreatedAt)
	values[":cost"] = amount(life.Settle(record).Cost)
	names, bound := bind("", values, count)
	_, err := s.client.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{
		{Update: account},
		{Update: &types.Update{
			TableName:                 &s.tables.Quota,
			Key:                       spendingKey(record.Period, rand.IntN(spendingShards)), //nolint:gosec // spreads load, guards nothing
			UpdateExpression:          &count,
			ExpressionAttributeNames:  names,
			ExpressionAttributeValues: bound,
		}},
	}})
	return err
}
