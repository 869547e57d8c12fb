package dynamo

import (
	"context"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

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
// settlement do nothing. The settlement of the last open request takes the
// account out of the index of open ones; a user with several open costs one
// failed write more. Where a write is a transaction, a reading spares what would
// fail.
func (s *Store) Settle(ctx context.Context, record life.Record) (bool, error) {
	if !record.Status.Terminal() {
		return false, fmt.Errorf("settling request: status %s is not an end", record.Status)
	}
	last := true
	if countsForService(record) {
		if account, err := s.Account(ctx, record.UserID); err == nil {
			if !slices.Contains(account.Open, record.RequestID) {
				return false, nil
			}
			last = account.InFlight == 1
		}
	}
	settled, open, err := s.settle(ctx, record, last)
	if err != nil || settled || !open {
		return settled, err
	}
	settled, _, err = s.settle(ctx, record, false)
	return settled, err
}

// settle settles a request if it is open, or only if it is the last open one. If
// the condition failed, open tells whether the request is still to be settled.
func (s *Store) settle(ctx context.Context, record life.Record, last bool) (settled, open bool, err error) {
	update := s.settlementOf(record, last)
	err = retryConflicts(ctx, func() error {
		if countsForService(record) {
			return s.transactSettlement(ctx, record, update)
		}
		_, err := s.client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
			TableName:                           update.TableName,
			Key:                                 update.Key,
			UpdateExpression:                    update.UpdateExpression,
			ConditionExpression:                 update.ConditionExpression,
			ExpressionAttributeNames:            update.ExpressionAttributeNames,
			ExpressionAttributeValues:           update.ExpressionAttributeValues,
			ReturnValuesOnConditionCheckFailure: update.ReturnValuesOnConditionCheckFailure,
		})
		return err
	})
	if err == nil {
		return true, false, nil
	}
	if old, failed := conditionFailed(err); failed {
		return false, slices.Contains(getSet(old, "open"), record.RequestID), nil
	}
	return false, false, failure("settling request", err)
}

// settlementOf is what a settlement does to the account.
func (s *Store) settlementOf(record life.Record, last bool) *types.Update {
	settlement := life.Settle(record)
	values := settleValues(record)
	values[":delta"] = number(settlement.Delta)
	values[":charge"] = number(settlement.Charge)
	values[":refund"] = number(settlement.Refund)
	values[":cost"] = amount(settlement.Cost)
	values[":costDelta"] = amount(settlement.CostDelta)
	expression, condition := settleCounters, isOpen
	if record.Price != nil {
		expression += settleCost
	}
	if settlement.Unanswered > 0 {
		expression += countUnanswered
	}
	if last {
		expression, condition = expression+` `+leaveIndex, isLastOpen
	}
	expression += settleOpen
	names, bound := bind(record.Period, values, expression, condition)
	return &types.Update{
		TableName:                           &s.tables.Quota,
		Key:                                 accountKey(record.UserID),
		UpdateExpression:                    &expression,
		ConditionExpression:                 &condition,
		ExpressionAttributeNames:            names,
		ExpressionAttributeValues:           bound,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}
}

// ForgetMonth removes what a user spent in a period long ago, unless requests of
// it are still open.
func (s *Store) ForgetMonth(ctx context.Context, userID, period string) error {
	return s.tidyMonth(ctx, "forgetting a month", userID, period, forgetMonth, isClosed)
}

// CloseMonth removes what says of a past period that nothing is reserved in it,
// unless requests of it are still open.
func (s *Store) CloseMonth(ctx context.Context, userID, period string) error {
	return s.tidyMonth(ctx, "closing a month", userID, period, closeMonth, isSettled)
}

func (s *Store) tidyMonth(ctx context.Context, doing, userID, period, update, condition string) error {
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
	return failure(doing, err)
}

func settleValues(record life.Record) item {
	values := constants(record.CreatedAt)
	values[":ids"] = set(record.RequestID)
	values[":id"] = text(record.RequestID)
	return values
}
