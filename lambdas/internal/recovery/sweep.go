package recovery

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/lambdas/internal/metrics"
)

const (
	// sweepConcurrent is how many requests are looked at at a time.
	sweepConcurrent = 16
	// sweepMargin is how long before the function's deadline the sweep stops.
	// What it did not reach is left to the next one.
	sweepMargin = 5 * time.Second
)

// Report is what a sweep did.
type Report struct {
	Accounts int `json:"accounts"` // with open requests
	Requests int `json:"requests"` // looked at
	Released int `json:"released"` // ended or settled
	Failed   int `json:"failed"`
	Orphans  int `json:"orphans"` // open, but without a record
}

// Sweep looks at every open request of every user, and heals it. A failure of
// one does not stop the others; the error says how many there were.
func (s *Service) Sweep(ctx context.Context) (Report, error) {
	sweep := sweep{service: s}
	group, gctx := errgroup.WithContext(ctx)
	group.SetLimit(sweepConcurrent)
	err := s.Store.AccountsWithOpen(gctx, func(account life.Account) error {
		sweep.add(func(r *Report) { r.Accounts++ })
		for _, id := range account.Open {
			if nearDeadline(ctx) {
				return errNoTime
			}
			group.Go(func() error {
				sweep.look(gctx, life.Key{UserID: account.UserID, RequestID: id})
				return nil
			})
		}
		return nil
	})
	_ = group.Wait() // looks never fail
	s.Metrics.Record(metrics.Count(metrics.Healed, int64(sweep.report.Released)))
	s.Log.InfoContext(ctx, "swept", "report", sweep.report)
	switch {
	case err != nil && !errors.Is(err, errNoTime):
		return sweep.report, fmt.Errorf("sweeping: %w", err)
	case sweep.report.Failed > 0:
		return sweep.report, fmt.Errorf("sweeping: %d of %d requests failed", sweep.report.Failed, sweep.report.Requests)
	}
	return sweep.report, nil
}

var errNoTime = errors.New("no time left")

func nearDeadline(ctx context.Context) bool {
	deadline, ok := ctx.Deadline()
	return ok && time.Until(deadline) < sweepMargin
}

type sweep struct {
	service *Service
	mu      sync.Mutex
	report  Report
}

func (w *sweep) add(change func(*Report)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	change(&w.report)
}

// look heals one open request.
func (w *sweep) look(ctx context.Context, key life.Key) {
	w.add(func(r *Report) { r.Requests++ })
	record, err := w.service.Store.Record(ctx, key)
	if errors.Is(err, life.ErrNotFound) {
		w.service.Log.ErrorContext(ctx, "open request has no record", "request", key.RequestID)
		w.add(func(r *Report) { r.Orphans++ })
		return
	}
	var released bool
	if err == nil {
		released, err = w.service.Life.Heal(ctx, record)
	}
	if err != nil {
		w.service.Log.ErrorContext(ctx, "request not healed", "request", key.RequestID, "error", err)
		w.add(func(r *Report) { r.Failed++ })
	}
	if released {
		w.add(func(r *Report) { r.Released++ })
	}
}
