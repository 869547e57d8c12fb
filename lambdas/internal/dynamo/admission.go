package dynamo

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/streaming-service/streaming-service/lambdas/internal/life"
)

// Admit writes the record and counts it, in one transaction, if no limit is
// against it. account is a recent reading of the user's account. The error is
// *life.Refusal if a limit refuses, *life.Existing if there is a record under
// the id, and ErrUnavailable if nothing was written or the outcome is unknown.
func (s *Store) Admit(ctx context.Context, a life.Admission, account life.Account) error {
	pause := newPause()
	for {
		if refusal := a.Check(account); refusal != nil {
			return refusal
		}
		err := s.transactAdmission(ctx, a, account)
		if err == nil {
			return nil
		}
		known := failedPart(err, 0) || failedPart(err, 1) || isConflict(err)
		if !known || failedPart(err, 0) {
			existing := s.existing(ctx, a)
			if !known && errors.Is(existing, life.ErrNotFound) {
				return failure("admitting request", err)
			}
			if !errors.Is(existing, life.ErrNotFound) {
				return existing
			}
		}
		if !pause.wait(ctx) {
			return fmt.Errorf("admitting request: %w: %w", life.ErrUnavailable, err)
		}
		if account, err = s.Account(ctx, a.Record.UserID); err != nil {
			return err
		}
	}
}

// existing describes the record under the admission's id as an error.
func (s *Store) existing(ctx context.Context, a life.Admission) error {
	record, err := s.Record(ctx, a.Record.Key)
	if err != nil {
		return err
	}
	return &life.Existing{Record: record, Unsent: record.Nonce == a.Record.Nonce}
}

func (s *Store) transactAdmission(ctx context.Context, a life.Admission, account life.Account) error {
	values := constants(a.Now)
	values[":est"] = number(a.Record.Estimate)
	values[":shard"] = text(shardName(shardOf(a.Record.UserID)))
	values[":open"] = set(life.OpenAnchor, a.Record.RequestID)
	update, condition := admission(a, account, values)
	recordNames, _ := bind("", nil, absent)
	names, bound := bind(a.Record.Period, values, update, condition)
	absentRecord := absent
	_, err := s.client.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{
		{Put: &types.Put{
			TableName:                &s.tables.Requests,
			Item:                     newRecord(a.Record),
			ConditionExpression:      &absentRecord,
			ExpressionAttributeNames: recordNames,
		}},
		{Update: &types.Update{
			TableName:                 &s.tables.Quota,
			Key:                       accountKey(a.Record.UserID),
			UpdateExpression:          &update,
			ConditionExpression:       optional(condition),
			ExpressionAttributeNames:  names,
			ExpressionAttributeValues: bound,
		}},
	}})
	return err
}

// admission returns the update of the account and its condition, which leaves
// out what is unlimited. The rate has two branches, as DynamoDB has no maximum
// of two values: the bucket is full, or it is not.
func admission(a life.Admission, account life.Account, values item) (update, condition string) {
	var conditions []string
	if n := a.Allowance.MonthlyRequests; n > 0 {
		conditions = append(conditions, underRequests)
		values[":maxRequests"] = number(n)
	}
	if n := a.Allowance.MonthlyTokens; n > 0 {
		conditions = append(conditions, underTokens)
		values[":maxTokensMinusEst"] = number(n - a.Record.Estimate)
	}
	if n := a.Allowance.MonthlyBudget; n > 0 {
		conditions = append(conditions, underBudget)
		values[":budgetMinusEst"] = amount(n - a.Record.CostEstimate)
	}
	if a.Cap > 0 {
		conditions = append(conditions, underCap)
		values[":cap"] = number(a.Cap)
	}
	update = admitCounters
	if a.ByToken {
		update += admitGroups
		values[":groups"] = groupsText(a.Groups)
	}
	if a.Record.Price != nil {
		update += admitCost
		values[":estCost"] = amount(a.Record.CostEstimate)
	}
	switch {
	case a.Rate.Unlimited():
	case account.TAT.After(a.Now):
		update += busyRate
		conditions = append(conditions, isBusy)
		values[":interval"] = number(a.Rate.Interval.Milliseconds())
		values[":horizon"] = millis(a.Now.Add(a.Rate.Tolerance))
	default:
		update += idleRate
		conditions = append(conditions, isIdle)
		values[":nextTat"] = millis(a.Rate.Next(account.TAT, a.Now))
	}
	return update + admitOpen, strings.Join(conditions, " AND ")
}

func optional(expression string) *string {
	if expression == "" {
		return nil
	}
	return &expression
}

// Keep marks a request as answered by a replay, so that it is not taken back,
// and returns it; ErrNotFound if it was taken back before.
func (s *Store) Keep(ctx context.Context, key life.Key) (life.Record, error) {
	record, _, err := s.updateRecord(ctx, "keeping request", key, keepSet, neverSeen, constants(s.now()))
	return record, err
}

// TakeBack removes the record of a request whose message could not be sent, and
// refunds it, unless somebody may have seen it: then it reports false.
func (s *Store) TakeBack(ctx context.Context, record life.Record) (bool, error) {
	const doing = "taking request back"
	err := retryConflicts(ctx, func() error { return s.transactTakeBack(ctx, record) })
	if err == nil {
		return true, nil
	}
	_, readErr := s.Record(ctx, record.Key)
	switch {
	case errors.Is(readErr, life.ErrNotFound):
		return true, nil
	case failedPart(err, 0), failedPart(err, 1):
		return false, nil
	}
	return false, failure(doing, err)
}

func (s *Store) transactTakeBack(ctx context.Context, record life.Record) error {
	seen, update, open := notKept, takeBackSet, isOpen
	values := settleValues(record)
	values[":est"] = number(record.Estimate)
	if record.Price != nil {
		update += refundCost
		values[":estCost"] = amount(record.CostEstimate)
	}
	update += settleOpen
	recordNames, recordValues := bind("", values, seen)
	names, bound := bind(record.Period, values, update, open)
	_, err := s.client.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{
		{Delete: &types.Delete{
			TableName:                 &s.tables.Requests,
			Key:                       recordKey(record.Key),
			ConditionExpression:       &seen,
			ExpressionAttributeNames:  recordNames,
			ExpressionAttributeValues: recordValues,
		}},
		{Update: &types.Update{
			TableName:                 &s.tables.Quota,
			Key:                       accountKey(record.UserID),
			UpdateExpression:          &update,
			ConditionExpression:       &open,
			ExpressionAttributeNames:  names,
			ExpressionAttributeValues: bound,
		}},
	}})
	return err
}
