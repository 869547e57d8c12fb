package dynamo

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/streaming-service/streaming-service/lambdas/internal/life"
)

// Account reads the quota item of a user consistently. A user who never
// submitted has an empty one.
func (s *Store) Account(ctx context.Context, userID string) (life.Account, error) {
	i, err := s.get(ctx, "reading account", s.tables.Quota, accountKey(userID))
	if err != nil {
		return life.Account{}, err
	}
	return readAccount(userID, i), nil
}

// Settle moves the reservation of a terminal request to what it is charged. It
// reports whether this call did so; the marker in the open set makes a second
// settlement do nothing.
func (s *Store) Settle(ctx context.Context, record life.Record) (bool, error) {
	if !record.Status.Terminal() {
		return false, fmt.Errorf("settling request: status %s is not an end", record.Status)
	}
	settlement := life.Settle(record)
	values := settleValues(record)
	values[":delta"] = number(settlement.Delta)
	values[":charge"] = number(settlement.Charge)
	values[":refund"] = number(settlement.Refund)
	update, condition := settleCounters, isOpen
	if settlement.Unanswered > 0 {
		update += countUnanswered
	}
	update += settleOpen
	names, bound := bind(record.Period, values, update, condition)
	err := retryConflicts(ctx, func() error {
		_, err := s.client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
			TableName:                 &s.tables.Quota,
			Key:                       accountKey(record.UserID),
			UpdateExpression:          &update,
			ConditionExpression:       &condition,
			ExpressionAttributeNames:  names,
			ExpressionAttributeValues: bound,
		})
		return err
	})
	if err == nil {
		return true, nil
	}
	if _, failed := conditionFailed(err); failed {
		return false, nil
	}
	return false, failure("settling request", err)
}

// ForgetMonth removes what a user spent in a period long ago, unless requests of
// it are still open.
func (s *Store) ForgetMonth(ctx context.Context, userID, period string) error {
	update, condition := forgetMonth, isSettled
	names, _ := bind(period, nil, update, condition)
	err := retryConflicts(ctx, func() error {
		_, err := s.client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
			TableName:                &s.tables.Quota,
			Key:                      accountKey(userID),
			UpdateExpression:         &update,
			ConditionExpression:      &condition,
			ExpressionAttributeNames: names,
		})
		return err
	})
	if _, failed := conditionFailed(err); err == nil || failed {
		return nil
	}
	return failure("forgetting a month", err)
}

func settleValues(record life.Record) item {
	values := constants(record.CreatedAt)
	values[":ids"] = set(record.RequestID)
	values[":id"] = text(record.RequestID)
	return values
}

// AccountsWithOpen calls visit for every account with unsettled requests, until
// visit fails.
func (s *Store) AccountsWithOpen(ctx context.Context, visit func(life.Account) error) error {
	filter := hasOpen
	names, values := bind("", constants(s.now()), filter)
	input := &dynamodb.ScanInput{
		TableName:                 &s.tables.Quota,
		FilterExpression:          &filter,
		ExpressionAttributeNames:  names,
		ExpressionAttributeValues: values,
	}
	for {
		out, err := s.client.Scan(ctx, input)
		if err != nil {
			return failure("scanning accounts", err)
		}
		for _, i := range out.Items {
			if err := visit(readAccount(userOf(i), i)); err != nil {
				return err
			}
		}
		if len(out.LastEvaluatedKey) == 0 {
			return nil
		}
		input.ExclusiveStartKey = out.LastEvaluatedKey
	}
}
