// Package keys answers POST and GET /keys and DELETE /keys/{keyId}: users make,
// see and delete their personal keys.
package keys

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/streaming-service/streaming-service/lambdas/internal/httpapi"
	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/protocol"
)

// Store keeps the keys.
type Store interface {
	// CreateKey stores a key, and the groups that its owner has now;
	// life.ErrTooManyKeys if there are as many as there may be.
	CreateKey(ctx context.Context, key life.PersonalKey, groups []string) error
	// KeysOf reads the keys of a user that have not expired.
	KeysOf(ctx context.Context, userID string) ([]life.PersonalKey, error)
	// DeleteKey removes a key of a user; life.ErrNotFound if there is none.
	DeleteKey(ctx context.Context, userID, keyID string) error
}

// Service answers for the keys.
type Service struct {
	Store Store
	Now   life.Now
	Log   *slog.Logger
}

// Create answers POST /keys. It is the only answer that ever holds the secret.
func (s *Service) Create(ctx context.Context, r httpapi.Request) (httpapi.Response, error) {
	if err := onlyTokens(r); err != nil {
		return httpapi.Response{}, err
	}
	wanted, invalid := parse(r.Body)
	if invalid != nil {
		return httpapi.Response{}, invalid
	}
	secret, key := s.newKey(r, wanted)
	err := s.Store.CreateKey(ctx, key, r.Groups)
	switch {
	case errors.Is(err, life.ErrTooManyKeys):
		return httpapi.Response{}, httpapi.Invalid(protocol.FieldError{
			Field: "keys", Message: fmt.Sprintf("must be at most %d, and there are as many: delete one first", protocol.MaxKeys),
		})
	case err != nil:
		return httpapi.Response{}, err
	}
	s.Log.InfoContext(ctx, "personal key created", "key", key.KeyID)
	return httpapi.Response{Status: http.StatusCreated, Body: protocol.CreateKeyResponse{
		KeyID: key.KeyID, Name: key.Name, Key: secret, CreatedAt: life.Timestamp(key.CreatedAt), ExpiresAt: expiry(key),
	}}, nil
}

// newKey decides all of a key but whether there is room for it. An expiry is in
// whole seconds, as DynamoDB deletes by them.
func (s *Service) newKey(r httpapi.Request, wanted protocol.CreateKeyRequest) (secret string, key life.PersonalKey) {
	secret, now := life.NewSecret(), s.Now()
	key = life.PersonalKey{
		KeyID: life.NewKeyID(), UserID: r.UserID, Username: r.Username, Name: wanted.Name,
		Hash: life.HashSecret(secret), CreatedAt: now,
	}
	if wanted.ExpiresInDays != nil {
		key.ExpiresAt = now.Add(time.Duration(*wanted.ExpiresInDays) * 24 * time.Hour).Truncate(time.Second)
	}
	return secret, key
}

// List answers GET /keys.
func (s *Service) List(ctx context.Context, r httpapi.Request) (httpapi.Response, error) {
	if err := onlyTokens(r); err != nil {
		return httpapi.Response{}, err
	}
	stored, err := s.Store.KeysOf(ctx, r.UserID)
	if err != nil {
		return httpapi.Response{}, err
	}
	list := protocol.KeyList{Keys: make([]protocol.PersonalKey, len(stored))}
	for i, key := range stored {
		list.Keys[i] = protocol.PersonalKey{KeyID: key.KeyID, Name: key.Name, CreatedAt: life.Timestamp(key.CreatedAt), ExpiresAt: expiry(key)}
	}
	return httpapi.Response{Status: http.StatusOK, Body: list}, nil
}

// Delete answers DELETE /keys/{keyId}. The key is refused from the next call on.
func (s *Service) Delete(ctx context.Context, r httpapi.Request) (httpapi.Response, error) {
	if err := onlyTokens(r); err != nil {
		return httpapi.Response{}, err
	}
	keyID := r.PathParameters[httpapi.ParameterKeyID]
	err := s.Store.DeleteKey(ctx, r.UserID, keyID)
	switch {
	case errors.Is(err, life.ErrNotFound):
		return httpapi.Response{}, httpapi.NewError(protocol.CodeNotFound, "There is no such key.")
	case err != nil:
		return httpapi.Response{}, err
	}
	s.Log.InfoContext(ctx, "personal key deleted", "key", keyID)
	return httpapi.Response{Status: http.StatusNoContent}, nil
}

// onlyTokens refuses callers with a key, which opens nothing but the OpenAI
// interface. The API's authorizer does so before; a key that could make keys
// would outlive its deletion.
func onlyTokens(r httpapi.Request) error {
	if r.ByToken() {
		return nil
	}
	return httpapi.NewError(protocol.CodeUnauthenticated, "An ID token is required.")
}

func expiry(key life.PersonalKey) string {
	if key.ExpiresAt.IsZero() {
		return ""
	}
	return life.Timestamp(key.ExpiresAt)
}
