package authorizer

import (
	"context"
	"errors"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/streaming-service/streaming-service/lambdas/internal/caller"
	"github.com/streaming-service/streaming-service/lambdas/internal/directory"
	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/lambdas/internal/recent"
)

// KeyStore is where keys and the accounts of their owners are.
type KeyStore interface {
	// KeyByHash finds the key of a secret; life.ErrNotFound if there is none.
	KeyByHash(ctx context.Context, hash string) (life.PersonalKey, error)
	Account(ctx context.Context, userID string) (life.Account, error)
}

// Users is the user pool.
type Users interface {
	// Get returns the user of a name; directory.ErrNoUser if there is none,
	// directory.ErrThrottled if the pool does not answer for now.
	Get(ctx context.Context, name string) (directory.User, error)
}

// ownersKnownFor is how long the last that the user pool said of the owner of a
// key stands in for the pool when it does not answer: its quota of calls is
// small, and shared by everything in the account.
const ownersKnownFor = 5 * time.Minute

// PersonalKeys verifies personal keys.
type PersonalKeys struct {
	Store KeyStore
	Users Users
	Now   life.Now

	owners recent.Map[string, directory.User] // by name
}

// verify returns the owner of a key that is good: it exists, has not expired,
// and its owner is neither blocked nor disabled nor gone. Nothing of that is
// remembered, so that it holds from the next call on.
func (p *PersonalKeys) verify(ctx context.Context, secret string) (caller.Caller, error) {
	if p == nil {
		return caller.Caller{}, invalid("personal keys are off")
	}
	key, err := p.Store.KeyByHash(ctx, life.HashSecret(secret))
	switch {
	case errors.Is(err, life.ErrNotFound):
		return caller.Caller{}, invalid("there is no such key")
	case err != nil:
		return caller.Caller{}, err
	case key.Expired(p.Now()):
		return caller.Caller{}, invalid("the key has expired")
	}
	account, err := p.accountOf(ctx, key)
	if err != nil {
		return caller.Caller{}, err
	}
	return caller.Caller{UserID: key.UserID, Groups: account.Groups, KeyID: key.KeyID}, nil
}

// accountOf returns the account of a key's owner, who must be in the user pool
// as on the day of the key. A name may have gone to somebody else since.
func (p *PersonalKeys) accountOf(ctx context.Context, key life.PersonalKey) (life.Account, error) {
	var (
		account life.Account
		owner   directory.User
	)
	reads, ctx := errgroup.WithContext(ctx)
	reads.Go(func() (err error) {
		account, err = p.Store.Account(ctx, key.UserID)
		return err
	})
	reads.Go(func() (err error) {
		owner, err = p.owner(ctx, key.Username)
		return err
	})
	switch err := reads.Wait(); {
	case errors.Is(err, directory.ErrNoUser):
		return account, invalid("its owner is gone")
	case err != nil:
		return account, err
	case owner.ID != key.UserID:
		return account, invalid("its owner is gone, and the name is another's")
	case !owner.Enabled:
		return account, invalid("its owner is disabled")
	case account.Blocked(p.Now()):
		return account, invalid("its owner is blocked")
	}
	return account, nil
}

// owner asks the user pool, and, while that is throttled, the memory.
func (p *PersonalKeys) owner(ctx context.Context, username string) (directory.User, error) {
	user, err := p.Users.Get(ctx, username)
	switch {
	case err == nil:
		p.owners.Remember(username, user, p.Now())
	case errors.Is(err, directory.ErrNoUser):
		p.owners.Forget(username)
	case errors.Is(err, directory.ErrThrottled):
		if user, ok := p.owners.Recall(username, p.Now().Add(-ownersKnownFor)); ok {
			return user, nil
		}
	}
	return user, err
}
