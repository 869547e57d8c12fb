// Package uploads answers POST /uploads: users bring images and documents that
// do not fit into the body of a request.
package uploads

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/streaming-service/streaming-service/lambdas/internal/httpapi"
	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/protocol"
)

// URLTTL is how long the URL of an upload takes its bytes. A credential of the
// function ends no earlier.
const URLTTL = 10 * time.Minute

// Store counts the uploads of a user.
type Store interface {
	Account(ctx context.Context, userID string) (life.Account, error)
	// CountUpload counts one of a day; life.ErrTooManyUploads if there are as
	// many as there may be.
	CountUpload(ctx context.Context, userID string, day time.Time) error
}

// Bucket takes the uploads.
type Bucket interface {
	Announce(ctx context.Context, userID, uploadID string, upload life.Upload, lasts time.Duration) (address string, header map[string]string, err error)
}

// Service announces uploads.
type Service struct {
	Store  Store
	Bucket Bucket // nil: there are no uploads
	Now    life.Now
}

// Create answers POST /uploads.
func (s *Service) Create(ctx context.Context, r httpapi.Request) (httpapi.Response, error) {
	if s.Bucket == nil {
		return httpapi.Response{}, httpapi.NewError(protocol.CodeNotFound, "This service takes no uploads.")
	}
	upload, invalid := parse(r.Body)
	if invalid != nil {
		return httpapi.Response{}, invalid
	}
	now := s.Now()
	if err := s.admit(ctx, r.UserID, now); err != nil {
		return httpapi.Response{}, err
	}
	uploadID := life.NewUploadID(now)
	address, header, err := s.Bucket.Announce(ctx, r.UserID, uploadID, upload, URLTTL)
	if err != nil {
		return httpapi.Response{}, err
	}
	return httpapi.Response{Status: http.StatusCreated, Body: protocol.CreateUploadResponse{
		UploadID: uploadID, URL: address, Headers: header,
		URLExpiresAt: life.Timestamp(now.Add(URLTTL)), ExpiresAt: life.Timestamp(now.Add(life.UploadTTL)),
	}}, nil
}

// admit counts an upload of who may have another one.
func (s *Service) admit(ctx context.Context, userID string, now time.Time) error {
	account, err := s.Store.Account(ctx, userID)
	if err != nil {
		return err
	}
	if account.Blocked(now) {
		return httpapi.NewError(protocol.CodeBlocked, "This account may not upload at present.")
	}
	day := now.UTC().Truncate(24 * time.Hour)
	err = s.Store.CountUpload(ctx, userID, day)
	if errors.Is(err, life.ErrTooManyUploads) {
		left := day.Add(24 * time.Hour).Sub(now)
		return httpapi.NewError(protocol.CodeRateLimited, fmt.Sprintf("A user may make %d uploads a day (UTC).", life.MaxUploadsPerDay)).
			With("Retry-After", strconv.Itoa(int(left/time.Second)+1))
	}
	return err
}
