package operator

import (
	"context"
	"errors"
	"fmt"

	"github.com/streaming-service/streaming-service/lambdas/internal/life"
)

// Key is a personal key as an operator sees it: never its secret.
type Key struct {
	KeyID     string `json:"keyId"`
	Name      string `json:"name"`
	CreatedAt string `json:"createdAt"`
	ExpiresAt string `json:"expiresAt,omitempty"`
}

// ErrNoKey says that the user has no key of this id.
var ErrNoKey = errors.New("no such key")

// Keys returns the keys of a user that have not expired, the oldest first.
func (o *Operator) Keys(ctx context.Context, name string) ([]Key, error) {
	user, err := o.directory.Find(ctx, name)
	if err != nil {
		return nil, err
	}
	stored, err := o.store.KeysOf(ctx, user.ID)
	if err != nil {
		return nil, err
	}
	keys := make([]Key, len(stored))
	for i, k := range stored {
		keys[i] = Key{KeyID: k.KeyID, Name: k.Name, CreatedAt: format(k.CreatedAt)}
		if !k.ExpiresAt.IsZero() {
			keys[i].ExpiresAt = format(k.ExpiresAt)
		}
	}
	return keys, nil
}

// RevokeKey deletes a key of a user: it is refused from the next call on. The
// error is ErrNoKey if the user has none of this id.
func (o *Operator) RevokeKey(ctx context.Context, name, keyID string) error {
	return o.change(ctx, name, func(userID string) error {
		err := o.store.DeleteKey(ctx, userID, keyID)
		if errors.Is(err, life.ErrNotFound) {
			return fmt.Errorf("%w: %s", ErrNoKey, keyID)
		}
		return err
	})
}

// RevokeKeys deletes all keys of a user.
func (o *Operator) RevokeKeys(ctx context.Context, name string) error {
	return o.change(ctx, name, func(userID string) error {
		keys, err := o.store.KeysOf(ctx, userID)
		for _, k := range keys {
			if err := o.store.DeleteKey(ctx, userID, k.KeyID); err != nil && !errors.Is(err, life.ErrNotFound) {
				return err
			}
		}
		return err
	})
}
