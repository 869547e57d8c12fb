package dynamo

import (
	"context"
	"maps"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/protocol"
)

// The expressions of an operator's changes.
const (
	overrideTier     = `SET #tierOverride = :tier, #v = :one`
	overrideRequests = `SET #overrideRequests = :requests, #v = :one`
	overrideTokens   = `SET #overrideTokens = :tokens, #v = :one`
	overrideBudget   = `SET #overrideBudget = :budget, #v = :one`
	clearOverride    = `REMOVE #tierOverride, #overrideRequests, #overrideTokens, #overrideBudget`
	grantSet         = `SET #grantRequests = :requests, #grantTokens = :tokens, #grantBudget = :budget, #grantUntil = :until, #v = :one`
	blockSet         = `SET #blockedUntil = :until, #v = :one`
)

// OverrideTier puts a user into a tier, whatever the user's groups.
func (s *Store) OverrideTier(ctx context.Context, userID, tier string) error {
	return s.changeAccount(ctx, userID, overrideTier, item{":tier": text(tier)})
}

// OverrideRequests replaces a user's monthly requests; 0 is unlimited.
func (s *Store) OverrideRequests(ctx context.Context, userID string, requests int64) error {
	return s.changeAccount(ctx, userID, overrideRequests, item{":requests": number(requests)})
}

// OverrideTokens replaces a user's monthly tokens; 0 is unlimited.
func (s *Store) OverrideTokens(ctx context.Context, userID string, tokens int64) error {
	return s.changeAccount(ctx, userID, overrideTokens, item{":tokens": number(tokens)})
}

// OverrideBudget replaces a user's monthly budget; 0 is unlimited.
func (s *Store) OverrideBudget(ctx context.Context, userID string, budget protocol.USD) error {
	return s.changeAccount(ctx, userID, overrideBudget, item{":budget": amount(budget)})
}

// ClearOverrides gives a user the limits of the tier again.
func (s *Store) ClearOverrides(ctx context.Context, userID string) error {
	return s.changeAccount(ctx, userID, clearOverride, nil)
}

// Grant adds to a user's monthly limits until a time. It replaces an earlier
// grant.
func (s *Store) Grant(ctx context.Context, userID string, grant life.Grant) error {
	return s.changeAccount(ctx, userID, grantSet, item{
		":requests": number(grant.Requests), ":tokens": number(grant.Tokens), ":budget": amount(grant.Budget), ":until": millis(grant.Until),
	})
}

// Block refuses the requests of a user until a time; the zero time unblocks.
func (s *Store) Block(ctx context.Context, userID string, until time.Time) error {
	return s.changeAccount(ctx, userID, blockSet, item{":until": millis(until)})
}

func (s *Store) changeAccount(ctx context.Context, userID, update string, values item) error {
	all := constants(s.now())
	maps.Copy(all, values)
	names, bound := bind("", all, update)
	err := retryConflicts(ctx, func() error {
		_, err := s.client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
			TableName:                 &s.tables.Quota,
			Key:                       accountKey(userID),
			UpdateExpression:          &update,
			ExpressionAttributeNames:  names,
			ExpressionAttributeValues: bound,
		})
		return err
	})
	if err != nil {
		return failure("changing account", err)
	}
	return nil
}

// Accounts calls visit for every account, until visit fails.
func (s *Store) Accounts(ctx context.Context, visit func(life.Account) error) error {
	filter := isAccount
	names, values := bind("", item{":account": text(accountSort)}, filter)
	pages := dynamodb.NewScanPaginator(s.client, &dynamodb.ScanInput{
		TableName:                 &s.tables.Quota,
		FilterExpression:          &filter,
		ExpressionAttributeNames:  names,
		ExpressionAttributeValues: values,
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return failure("scanning accounts", err)
		}
		for _, i := range page.Items {
			if err := visit(readAccount(userOf(i), i)); err != nil {
				return err
			}
		}
	}
	return nil
}

// RecordsOf reads all requests of a user, consistently.
func (s *Store) RecordsOf(ctx context.Context, userID string) ([]life.Record, error) {
	condition := itemsWithPrefix
	names, values := bind("", item{":pk": text(userPrefix + userID), ":prefix": text(requestPrefix)}, condition)
	pages := dynamodb.NewQueryPaginator(s.client, &dynamodb.QueryInput{
		TableName:                 &s.tables.Requests,
		KeyConditionExpression:    &condition,
		ExpressionAttributeNames:  names,
		ExpressionAttributeValues: values,
		ConsistentRead:            aws.Bool(true),
	})
	var records []life.Record
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, failure("reading requests of a user", err)
		}
		for _, i := range page.Items {
			records = append(records, readRecord(i))
		}
	}
	return records, nil
}
