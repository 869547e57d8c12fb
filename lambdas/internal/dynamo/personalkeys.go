package dynamo

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/protocol"
)

// A user has MaxPersonalKeys slots, each an item that holds a key or is not
// there. So no counter is needed to bound the keys, and one that expires leaves
// its slot without anybody's doing. Beside it lies an item under the hash of
// the secret, by which the key is found.
const (
	slotPrefix = "key#"
	hashPrefix = "key#"
	hashSort   = "key"
)

// slot is a place for a key and what is in it.
type slot struct {
	sort string
	key  life.PersonalKey
}

// CreateKey stores a new key and the groups that its owner has at this moment.
// The error is ErrTooManyKeys if the user has no slot left.
func (s *Store) CreateKey(ctx context.Context, key life.PersonalKey, groups []string) error {
	const doing = "creating personal key"
	pause := newPause()
	for {
		taken, err := s.slots(ctx, key.UserID)
		if err != nil {
			return err
		}
		free := s.freeSlots(taken)
		if len(free) == 0 {
			return life.ErrTooManyKeys
		}
		err = s.transactCreate(ctx, key, free[rand.N(len(free))], groups) //nolint:gosec // keeps parallel calls apart, guards nothing
		switch {
		case err == nil:
			return nil
		case !failedPart(err, 0) && !isConflict(err):
			return s.unlessDone(ctx, failure(doing, err), func(slots []slot) bool { return holds(slots, key.KeyID) }, key.UserID)
		case !pause.wait(ctx):
			return fmt.Errorf("%s: %w: %w", doing, life.ErrUnavailable, err)
		}
	}
}

// unlessDone returns err unless the slots show that the write was made, only
// its answer lost.
func (s *Store) unlessDone(ctx context.Context, err error, done func([]slot) bool, userID string) error {
	if !errors.Is(err, life.ErrUnavailable) {
		return err
	}
	if slots, readErr := s.slots(ctx, userID); readErr == nil && done(slots) {
		return nil
	}
	return err
}

func holds(slots []slot, keyID string) bool {
	return slices.ContainsFunc(slots, func(s slot) bool { return s.key.KeyID == keyID })
}

func (s *Store) freeSlots(taken []slot) []string {
	var free []string
	for n := range life.MaxPersonalKeys {
		sort := fmt.Sprintf("%s%02d", slotPrefix, n)
		if !slices.ContainsFunc(taken, func(t slot) bool { return t.sort == sort && !t.key.Expired(s.now()) }) {
			free = append(free, sort)
		}
	}
	return free
}

func (s *Store) transactCreate(ctx context.Context, key life.PersonalKey, slotSort string, groups []string) error {
	values := constants(s.now())
	values[":groups"] = groupsText(groups)
	values[":nowSeconds"] = seconds(s.now())
	free, unused, update := freeSlot, absent, ownerSet
	slotNames, slotValues := bind("", values, free)
	hashNames, _ := bind("", nil, unused)
	names, bound := bind("", values, update)
	_, err := s.client.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{
		{Put: &types.Put{
			TableName:                 &s.tables.Quota,
			Item:                      keyItem(key, item{partitionKey: text(userPrefix + key.UserID), sortKey: text(slotSort)}),
			ConditionExpression:       &free,
			ExpressionAttributeNames:  slotNames,
			ExpressionAttributeValues: slotValues,
		}},
		{Put: &types.Put{
			TableName:                &s.tables.Quota,
			Item:                     keyItem(key, hashKey(key.Hash)),
			ConditionExpression:      &unused,
			ExpressionAttributeNames: hashNames,
		}},
		{Update: &types.Update{
			TableName:                 &s.tables.Quota,
			Key:                       accountKey(key.UserID),
			UpdateExpression:          &update,
			ExpressionAttributeNames:  names,
			ExpressionAttributeValues: bound,
		}},
	}})
	return err
}

// KeyByHash reads the key whose secret has this hash, consistently, so that a
// deleted key is refused from the next call on; ErrNotFound if there is none.
func (s *Store) KeyByHash(ctx context.Context, hash string) (life.PersonalKey, error) {
	i, err := s.get(ctx, "reading personal key", s.tables.Quota, hashKey(hash))
	if err != nil {
		return life.PersonalKey{}, err
	}
	if i == nil {
		return life.PersonalKey{}, life.ErrNotFound
	}
	return readKey(i), nil
}

// KeysOf reads the keys of a user that have not expired, the oldest first.
func (s *Store) KeysOf(ctx context.Context, userID string) ([]life.PersonalKey, error) {
	taken, err := s.slots(ctx, userID)
	if err != nil {
		return nil, err
	}
	keys := []life.PersonalKey{}
	for _, t := range taken {
		if !t.key.Expired(s.now()) {
			keys = append(keys, t.key)
		}
	}
	slices.SortFunc(keys, func(a, b life.PersonalKey) int { return a.CreatedAt.Compare(b.CreatedAt) })
	return keys, nil
}

// DeleteKey removes a key of a user; ErrNotFound if the user has none of this
// id.
func (s *Store) DeleteKey(ctx context.Context, userID, keyID string) error {
	taken, err := s.slots(ctx, userID)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(taken, func(t slot) bool { return t.key.KeyID == keyID && !t.key.Expired(s.now()) })
	if i < 0 {
		return life.ErrNotFound
	}
	err = retryConflicts(ctx, func() error { return s.transactDelete(ctx, taken[i]) })
	switch {
	case err == nil:
		return nil
	case failedPart(err, 0):
		return life.ErrNotFound
	}
	return s.unlessDone(ctx, failure("deleting personal key", err), func(slots []slot) bool { return !holds(slots, keyID) }, userID)
}

func (s *Store) transactDelete(ctx context.Context, t slot) error {
	same := isKey
	names, values := bind("", item{":keyId": text(t.key.KeyID)}, same)
	_, err := s.client.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{
		{Delete: &types.Delete{
			TableName:                 &s.tables.Quota,
			Key:                       item{partitionKey: text(userPrefix + t.key.UserID), sortKey: text(t.sort)},
			ConditionExpression:       &same,
			ExpressionAttributeNames:  names,
			ExpressionAttributeValues: values,
		}},
		{Delete: &types.Delete{TableName: &s.tables.Quota, Key: hashKey(t.key.Hash)}},
	}})
	return err
}

// slots reads the slots of a user that hold something, consistently.
func (s *Store) slots(ctx context.Context, userID string) ([]slot, error) {
	condition := itemsWithPrefix
	names, values := bind("", item{":pk": text(userPrefix + userID), ":prefix": text(slotPrefix)}, condition)
	out, err := s.client.Query(ctx, &dynamodb.QueryInput{ // far from the 1 MB of a page
		TableName:                 &s.tables.Quota,
		KeyConditionExpression:    &condition,
		ExpressionAttributeNames:  names,
		ExpressionAttributeValues: values,
		ConsistentRead:            aws.Bool(true),
	})
	if err != nil {
		return nil, failure("reading personal keys", err)
	}
	list := make([]slot, len(out.Items))
	for n, i := range out.Items {
		list[n] = slot{getText(i, sortKey), readKey(i)}
	}
	return list, nil
}

func hashKey(hash string) item {
	return item{partitionKey: text(hashPrefix + hash), sortKey: text(hashSort)}
}

func keyItem(k life.PersonalKey, key item) item {
	key["v"] = number(protocol.Version)
	key["userId"] = text(k.UserID)
	key["username"] = text(k.Username)
	key["keyId"] = text(k.KeyID)
	key["name"] = text(k.Name)
	key["hash"] = text(k.Hash)
	key["createdAt"] = millis(k.CreatedAt)
	if !k.ExpiresAt.IsZero() {
		key["expiresAt"] = seconds(k.ExpiresAt)
	}
	return key
}

func readKey(i item) life.PersonalKey {
	return life.PersonalKey{
		KeyID:     getText(i, "keyId"),
		UserID:    getText(i, "userId"),
		Username:  getText(i, "username"),
		Name:      getText(i, "name"),
		Hash:      getText(i, "hash"),
		CreatedAt: getMillis(i, "createdAt"),
		ExpiresAt: getSeconds(i, "expiresAt"),
	}
}
