package admission

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/protocol"
)

// Bounds of what an admission does for the user's other requests.
const (
	healAtMost     = 25
	healConcurrent = 8
	healTime       = 3 * time.Second
)

// healAndCheck heals the user's open requests where they are what refuses the
// admission, and checks it again.
func (s *Service) healAndCheck(ctx context.Context, admission life.Admission, account life.Account, refusal *life.Refusal) (life.Account, *life.Refusal) {
	if refusal.Code != protocol.CodeTooManyInFlight && refusal.Code != protocol.CodeQuotaExceeded {
		return account, refusal
	}
	if !s.healOpen(ctx, account) {
		return account, refusal
	}
	fresh, err := s.Store.Account(ctx, account.UserID)
	if err != nil {
		return account, refusal
	}
	return fresh, admission.Check(fresh)
}

// healAlongside heals the user's open requests while the admission goes on. The
// returned function waits for it: nothing may run when the function is frozen.
func (s *Service) healAlongside(ctx context.Context, account life.Account) (wait func()) {
	if len(account.Open) == 0 {
		return func() {}
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.healOpen(ctx, account)
	}()
	return func() { <-done }
}

// healOpen heals the open requests of an account. It reports whether any
// reservation was released.
func (s *Service) healOpen(ctx context.Context, account life.Account) bool {
	ctx, cancel := context.WithTimeout(ctx, healTime)
	defer cancel()
	var released atomic.Bool
	var group errgroup.Group
	group.SetLimit(healConcurrent)
	for _, id := range account.Open[:min(len(account.Open), healAtMost)] {
		group.Go(func() error {
			record, err := s.Store.Record(ctx, life.Key{UserID: account.UserID, RequestID: id})
			if err != nil {
				return err
			}
			ok, err := s.Life.Heal(ctx, record)
			if ok {
				released.Store(true)
			}
			return err
		})
	}
	if err := group.Wait(); err != nil && !errors.Is(err, life.ErrNotFound) {
		s.Log.WarnContext(ctx, "open requests not healed", "error", err)
	}
	return released.Load()
}
