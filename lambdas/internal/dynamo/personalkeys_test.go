package dynamo_test

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/streaming-service/streaming-service/lambdas/internal/dynamo/dynamotest"
	"github.com/streaming-service/streaming-service/lambdas/internal/life"
)

func personalKey(userID, keyID string) life.PersonalKey {
	return life.PersonalKey{
		KeyID: keyID, UserID: userID, Username: "name of " + userID, Name: "laptop", Hash: life.HashSecret(userID + keyID),
		CreatedAt: time.UnixMilli(start.UnixMilli()),
	}
}

func createKey(t *testing.T, db *dynamotest.Database, key life.PersonalKey) {
	t.Helper()
	if err := db.CreateKey(ctx, key, nil); err != nil {
		t.Fatal(err)
	}
}

func TestKey(t *testing.T) {
	t.Parallel()
	db := dynamotest.New(t)
	lasting, passing := personalKey("u", "a"), personalKey("u", "b")
	passing.CreatedAt, passing.ExpiresAt = passing.CreatedAt.Add(time.Second), time.Now().Add(time.Hour).Truncate(time.Second)
	if err := db.CreateKey(ctx, passing, []string{"gold", "staff"}); err != nil {
		t.Fatal(err)
	}
	createKey(t, db, lasting)
	createKey(t, db, personalKey("v", "a"))

	for _, want := range []life.PersonalKey{lasting, passing} {
		if got, err := db.KeyByHash(ctx, want.Hash); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("KeyByHash = %+v, %v, want %+v", got, err, want)
		}
	}
	if _, err := db.KeyByHash(ctx, life.HashSecret("x")); !errors.Is(err, life.ErrNotFound) {
		t.Errorf("a stranger's hash: %v", err)
	}
	if got, err := db.KeysOf(ctx, "u"); err != nil || !reflect.DeepEqual(got, []life.PersonalKey{lasting, passing}) {
		t.Errorf("KeysOf = %+v, %v", got, err)
	}
	if i := db.Item(t, dynamotest.Tables.Quota, "key#"+passing.Hash, "key"); i["expiresAt"] == nil {
		t.Error("a key that expires is not left to DynamoDB to delete")
	}
}

// The account remembers the groups of the last token, and only of tokens.
func TestAccountRemembersGroups(t *testing.T) {
	t.Parallel()
	db := dynamotest.New(t)
	remembered := func(want ...string) {
		t.Helper()
		if account, err := db.Account(ctx, "u"); err != nil || !slices.Equal(account.Groups, want) {
			t.Errorf("groups %q, %v, want %q", account.Groups, err, want)
		}
	}
	submit := func(byToken bool, groups ...string) {
		t.Helper()
		a := admission("u", life.NewRequestID(), func(a *life.Admission) { a.Groups, a.ByToken = groups, byToken })
		if err := admit(t, db, a); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.CreateKey(ctx, personalKey("u", "a"), []string{"gold"}); err != nil {
		t.Fatal(err)
	}
	remembered("gold")
	submit(true, "silver", "staff")
	remembered("silver", "staff")
	submit(false, "gold")
	remembered("silver", "staff")
	submit(true)
	remembered()
}

func TestDeleteKey(t *testing.T) {
	t.Parallel()
	db := dynamotest.New(t)
	key, other := personalKey("u", "a"), personalKey("u", "b")
	createKey(t, db, key)
	createKey(t, db, other)
	createKey(t, db, personalKey("v", "c"))

	for _, unknown := range []string{"x", "c", "", "key"} {
		if err := db.DeleteKey(ctx, "u", unknown); !errors.Is(err, life.ErrNotFound) {
			t.Errorf("deleting %q: %v", unknown, err)
		}
	}
	if err := db.DeleteKey(ctx, "u", "a"); err != nil {
		t.Fatal(err)
	}
	if _, err := db.KeyByHash(ctx, key.Hash); !errors.Is(err, life.ErrNotFound) {
		t.Errorf("a deleted key is found: %v", err)
	}
	if err := db.DeleteKey(ctx, "u", "a"); !errors.Is(err, life.ErrNotFound) {
		t.Errorf("deleting it again: %v", err)
	}
	if got, err := db.KeysOf(ctx, "u"); err != nil || len(got) != 1 || got[0].KeyID != "b" {
		t.Errorf("left are %+v, %v", got, err)
	}
}

// Of forty that are made at once, the limit is what remains.
func TestKeysAreBounded(t *testing.T) {
	t.Parallel()
	db := dynamotest.New(t)
	var made, refused sync.Map
	var all sync.WaitGroup
	for n := range 2 * life.MaxPersonalKeys {
		all.Go(func() {
			key := personalKey("u", fmt.Sprint(n))
			switch err := db.CreateKey(ctx, key, nil); {
			case err == nil:
				made.Store(key.KeyID, key)
			case errors.Is(err, life.ErrTooManyKeys):
				refused.Store(key.KeyID, key)
			default:
				t.Errorf("creating: %v", err)
			}
		})
	}
	all.Wait()
	keys, err := db.KeysOf(ctx, "u")
	if err != nil || len(keys) != life.MaxPersonalKeys {
		t.Errorf("%d keys, %v, want %d", len(keys), err, life.MaxPersonalKeys)
	}
	for _, key := range keys {
		if _, ok := made.Load(key.KeyID); !ok {
			t.Errorf("key %s is there but was refused", key.KeyID)
		}
	}
	refused.Range(func(_, key any) bool {
		if _, err := db.KeyByHash(ctx, key.(life.PersonalKey).Hash); !errors.Is(err, life.ErrNotFound) {
			t.Errorf("a refused key is found: %v", err)
		}
		return true
	})
	if err := db.DeleteKey(ctx, "u", keys[0].KeyID); err != nil {
		t.Fatal(err)
	}
	createKey(t, db, personalKey("u", "next"))
}

// An expired key counts no more, whether or not DynamoDB has deleted it.
func TestExpiredKeysMakeRoom(t *testing.T) {
	t.Parallel()
	db := dynamotest.New(t)
	for n := range life.MaxPersonalKeys {
		key := personalKey("u", fmt.Sprint(n))
		key.ExpiresAt = start.Add(time.Hour)
		if err := db.WithClock(func() time.Time { return start }).CreateKey(ctx, key, nil); err != nil {
			t.Fatal(err)
		}
	}
	before := db.WithClock(func() time.Time { return start.Add(time.Hour - time.Millisecond) })
	if err := before.CreateKey(ctx, personalKey("u", "early"), nil); !errors.Is(err, life.ErrTooManyKeys) {
		t.Errorf("before they expire: %v", err)
	}
	after := db.WithClock(func() time.Time { return start.Add(time.Hour) })
	if keys, err := after.KeysOf(ctx, "u"); err != nil || len(keys) != 0 {
		t.Errorf("expired keys are listed: %+v, %v", keys, err)
	}
	if err := after.DeleteKey(ctx, "u", "7"); !errors.Is(err, life.ErrNotFound) {
		t.Errorf("deleting an expired key: %v", err)
	}
	if err := after.CreateKey(ctx, personalKey("u", "late"), nil); err != nil {
		t.Errorf("after they expired: %v", err)
	}
}

// A write whose answer is lost is neither made twice nor reported as failed.
func TestKeysSurviveLostAnswers(t *testing.T) {
	t.Parallel()
	db := dynamotest.New(t)
	lose := func() {
		db.Inject(func(c dynamotest.Call) dynamotest.Fault {
			return dynamotest.Fault{LoseResponse: c.Operation == "TransactWriteItems"}
		})
	}
	lose()
	createKey(t, db, personalKey("u", "a"))
	if err := db.DeleteKey(ctx, "u", "a"); err != nil {
		t.Errorf("deleting: %v", err)
	}
	db.Inject(func(c dynamotest.Call) dynamotest.Fault {
		if c.Operation == "TransactWriteItems" {
			return dynamotest.Fault{Error: "InternalServerError"}
		}
		return dynamotest.Fault{}
	})
	if err := db.CreateKey(ctx, personalKey("u", "b"), nil); !errors.Is(err, life.ErrUnavailable) {
		t.Errorf("creating in vain: %v", err)
	}
	db.Inject(nil)
	if keys, err := db.KeysOf(ctx, "u"); err != nil || len(keys) != 0 {
		t.Errorf("keys %+v, %v", keys, err)
	}
}

// Accounts are told apart from the keys beside them.
func TestKeysAreNoAccounts(t *testing.T) {
	t.Parallel()
	db := dynamotest.New(t)
	createKey(t, db, personalKey("u", "a"))
	var users []string
	if err := db.Accounts(ctx, func(a life.Account) error { users = append(users, a.UserID); return nil }); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(users, []string{"u"}) {
		t.Errorf("accounts of %q", users)
	}
}
