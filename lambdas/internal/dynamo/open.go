package dynamo

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/streaming-service/streaming-service/internal/schema"
	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/protocol"
)

// OpenShards is how many parts the accounts with open requests are read in.
func (s *Store) OpenShards() int { return schema.OpenShards }

// OpenAccounts reads a page of one shard's accounts that have had requests open
// since before a time, those with the oldest first, after a mark; the zero mark
// is before all. The index follows its table after a moment. more tells whether
// another page follows the last mark.
func (s *Store) OpenAccounts(ctx context.Context, shard int, before time.Time, after life.OpenMark) (marks []life.OpenMark, more bool, err error) {
	out, err := s.client.Query(ctx, s.openQuery(shard, before, after))
	if err != nil {
		return nil, false, failure("reading open accounts", err)
	}
	for _, i := range out.Items {
		marks = append(marks, life.OpenMark{UserID: userOf(i), Since: getMillis(i, schema.OpenSince)})
	}
	return marks, len(out.LastEvaluatedKey) > 0, nil
}

// CountOpenAccounts counts what OpenAccounts would read after a mark; of very
// many only the first, as one page holds them.
func (s *Store) CountOpenAccounts(ctx context.Context, shard int, before time.Time, after life.OpenMark) (int, error) {
	input := s.openQuery(shard, before, after)
	input.Select = types.SelectCount
	out, err := s.client.Query(ctx, input)
	if err != nil {
		return 0, failure("counting open accounts", err)
	}
	return int(out.Count), nil
}

func (s *Store) openQuery(shard int, before time.Time, after life.OpenMark) *dynamodb.QueryInput {
	condition := openLongest
	names, values := bind("", item{":shard": text(shardName(shard)), ":before": millis(before)}, condition)
	input := &dynamodb.QueryInput{
		TableName:                 &s.tables.Quota,
		IndexName:                 aws.String(schema.OpenIndex),
		KeyConditionExpression:    &condition,
		ExpressionAttributeNames:  names,
		ExpressionAttributeValues: values,
	}
	if after.UserID != "" {
		input.ExclusiveStartKey = accountKey(after.UserID)
		input.ExclusiveStartKey[schema.OpenShard] = text(shardName(shard))
		input.ExclusiveStartKey[schema.OpenSince] = millis(after.Since)
	}
	return input
}

// LeaveOpen takes an account without open requests out of the index, where a
// request that was taken back and two last settlements at once leave it.
func (s *Store) LeaveOpen(ctx context.Context, userID string) error {
	update, condition := leaveIndex, hasNoneOpen
	names, values := bind("", constants(s.now()), update, condition)
	err := retryConflicts(ctx, func() error {
		_, err := s.client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
			TableName:                 &s.tables.Quota,
			Key:                       accountKey(userID),
			UpdateExpression:          &update,
			ConditionExpression:       &condition,
			ExpressionAttributeNames:  names,
			ExpressionAttributeValues: values,
		})
		return err
	})
	if _, failed := conditionFailed(err); err == nil || failed {
		return nil
	}
	return failure("closing account", err)
}

// Progress reads where the last sweep had to stop: by shard, the last account
// that it looked at. Shards that it finished are absent.
func (s *Store) Progress(ctx context.Context) (map[int]life.OpenMark, error) {
	i, err := s.get(ctx, "reading progress of the sweep", s.tables.Requests, progressKey())
	if err != nil {
		return nil, err
	}
	stopped := map[int]life.OpenMark{}
	for shard := range schema.OpenShards {
		if mark := getMap(getMap(i, "shards"), shardName(shard)); mark != nil {
			stopped[shard] = life.OpenMark{UserID: getText(mark, "userId"), Since: getMillis(mark, schema.OpenSince)}
		}
	}
	return stopped, nil
}

// SaveProgress keeps where a sweep had to stop.
func (s *Store) SaveProgress(ctx context.Context, stopped map[int]life.OpenMark) error {
	shards := item{}
	for shard, mark := range stopped {
		shards[shardName(shard)] = &types.AttributeValueMemberM{Value: item{"userId": text(mark.UserID), schema.OpenSince: millis(mark.Since)}}
	}
	i := progressKey()
	i["v"] = number(protocol.Version)
	i["shards"] = &types.AttributeValueMemberM{Value: shards}
	return s.put(ctx, "keeping progress of the sweep", s.tables.Requests, i)
}
