// Package requests answers GET and DELETE /requests/{requestId}.
package requests

import (
	"context"
	"log/slog"
	"net/http"

	"github.com/streaming-service/streaming-service/lambdas/internal/httpapi"
	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/protocol"
)

// Store is what reading a request needs.
type Store interface {
	Record(ctx context.Context, key life.Key) (life.Record, error)
	Chunks(ctx context.Context, requestID, owner string, afterSeq int) ([]life.Chunk, error)
}

// Life moves requests on.
type Life interface {
	Heal(ctx context.Context, record life.Record) (bool, error)
	Cancel(ctx context.Context, key life.Key) (life.Record, error)
}

// Service reads and cancels requests of their own user.
type Service struct {
	Store Store
	Life  Life
	Log   *slog.Logger
}

// Get answers GET /requests/{requestId}. A request that stands still is healed
// on the way.
func (s *Service) Get(ctx context.Context, r httpapi.Request) (httpapi.Response, error) {
	key, err := keyOf(r)
	if err != nil {
		return httpapi.Response{}, err
	}
	record, err := s.Store.Record(ctx, key)
	if err != nil {
		return httpapi.Response{}, err
	}
	if record, err = s.heal(ctx, record); err != nil {
		return httpapi.Response{}, err
	}
	var chunks []life.Chunk
	if record.Owner != "" {
		if chunks, err = s.Store.Chunks(ctx, key.RequestID, record.Owner, 0); err != nil {
			return httpapi.Response{}, err
		}
	}
	return httpapi.Response{Status: http.StatusOK, Body: life.State(record, chunks)}, nil
}

// heal returns the request as it stands after healing. Reading goes on where
// healing fails.
func (s *Service) heal(ctx context.Context, record life.Record) (life.Record, error) {
	released, err := s.Life.Heal(ctx, record)
	if err != nil {
		s.Log.WarnContext(ctx, "request not healed", "request", record.RequestID, "error", err)
	}
	if !released {
		return record, nil
	}
	return s.Store.Record(ctx, record.Key)
}

// Delete answers DELETE /requests/{requestId}: it cancels the request.
func (s *Service) Delete(ctx context.Context, r httpapi.Request) (httpapi.Response, error) {
	key, err := keyOf(r)
	if err != nil {
		return httpapi.Response{}, err
	}
	record, err := s.Life.Cancel(ctx, key)
	if err != nil && !record.Status.Terminal() {
		return httpapi.Response{}, err
	}
	if err != nil {
		s.Log.WarnContext(ctx, "cancelled request not concluded", "request", record.RequestID, "error", err)
	}
	return httpapi.Response{
		Status: http.StatusAccepted,
		Body:   protocol.CancelResponse{RequestID: record.RequestID, Status: record.Status},
	}, nil
}

// keyOf builds the key from the caller's own user id: the requests of others
// are absent by construction.
func keyOf(r httpapi.Request) (life.Key, error) {
	id := r.PathParameters[httpapi.ParameterRequestID]
	if !life.ValidRequestID(id) {
		return life.Key{}, life.ErrNotFound
	}
	return life.Key{UserID: r.UserID, RequestID: id}, nil
}
