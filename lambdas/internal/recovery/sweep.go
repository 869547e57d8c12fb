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
	// sweepConcurrent is how many accounts are looked at at a time.
	sweepConcurrent = 16
	// sweepMargin is how long before the function's deadline the sweep stops.
	// The next one goes on where it stopped.
	sweepMargin = 5 * time.Second
)

// Report is what a sweep did.
type Report struct {
	Accounts int `json:"accounts"` // that have had requests open for long
	Requests int `json:"requests"` // looked at
	Released int `json:"released"` // ended or settled
	Failed   int `json:"failed"`
	Orphans  int `json:"orphans"` // open, but without a record
	Left     int `json:"left"`    // accounts that there was no time for; of very many at least
}

// Sweep looks at the open requests of every user who has had one open for longer
// than a request stands still in good health, and heals them: those that wait
// longest first, each shard of the index on its own. It begins where the last
// sweep had to stop. A failure of one does not stop the others; the error says
// how many there were.
func (s *Service) Sweep(ctx context.Context) (Report, error) {
	begun, err := s.Store.Progress(ctx)
	if err != nil {
		return Report{}, fmt.Errorf("sweeping: %w", err)
	}
	sweep := &sweep{service: s, before: s.Now().Add(-life.HealAfter), begun: begun, stopped: map[int]life.OpenMark{}}
	err = errors.Join(sweep.run(ctx), sweep.keepProgress(ctx))
	s.Metrics.Record(metrics.Count(metrics.Healed, int64(sweep.report.Released)), metrics.Count(metrics.NotSwept, int64(sweep.report.Left)))
	s.Log.InfoContext(ctx, "swept", "report", sweep.report)
	switch {
	case err != nil:
		return sweep.report, fmt.Errorf("sweeping: %w", err)
	case sweep.report.Failed > 0:
		return sweep.report, fmt.Errorf("sweeping: %d of %d requests failed", sweep.report.Failed, sweep.report.Requests)
	}
	return sweep.report, nil
}

// sweep is one sweep under way.
type sweep struct {
	service *Service
	before  time.Time             // accounts with nothing open since then are left alone
	begun   map[int]life.OpenMark // where the last sweep stopped
	looks   errgroup.Group

	mu      sync.Mutex
	stopped map[int]life.OpenMark // where this one had to
	report  Report
}

// run walks through all shards at once. A shard that cannot be read does not
// stop the others.
func (w *sweep) run(ctx context.Context) error {
	w.looks.SetLimit(sweepConcurrent)
	shards := w.service.Store.OpenShards()
	failures := make([]error, shards)
	var walks sync.WaitGroup
	for shard := range shards {
		walks.Go(func() { failures[shard] = w.walk(ctx, shard) })
	}
	walks.Wait()
	_ = w.looks.Wait() // looks never fail
	return errors.Join(failures...)
}

// walk looks at the accounts of a shard, page by page, until the end or as long
// as there is time.
func (w *sweep) walk(ctx context.Context, shard int) error {
	reached := w.begun[shard]
	for more := true; more; {
		var page []life.OpenMark
		var err error
		if page, more, err = w.service.Store.OpenAccounts(ctx, shard, w.before, reached); err != nil {
			w.stop(shard, reached)
			return err
		}
		for _, mark := range page {
			if nearDeadline(ctx) {
				return w.stopEarly(ctx, shard, reached)
			}
			w.looks.Go(func() error { w.visit(ctx, mark.UserID); return nil })
			reached = mark
		}
	}
	return nil
}

func nearDeadline(ctx context.Context) bool {
	deadline, ok := ctx.Deadline()
	return ok && time.Until(deadline) < sweepMargin
}

// stopEarly leaves the rest of a shard to the next sweep, and counts it.
func (w *sweep) stopEarly(ctx context.Context, shard int, reached life.OpenMark) error {
	w.stop(shard, reached)
	left, err := w.service.Store.CountOpenAccounts(ctx, shard, w.before, reached)
	w.add(func(r *Report) { r.Left += left })
	w.service.Log.WarnContext(ctx, "no time to sweep all", "shard", shard, "left", left)
	return err
}

func (w *sweep) stop(shard int, reached life.OpenMark) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if reached.UserID != "" {
		w.stopped[shard] = reached
	}
}

// keepProgress stores where the sweep stopped, unless neither this one nor the
// last stopped anywhere.
func (w *sweep) keepProgress(ctx context.Context) error {
	if len(w.stopped) == 0 && len(w.begun) == 0 {
		return nil
	}
	return w.service.Store.SaveProgress(ctx, w.stopped)
}

func (w *sweep) add(change func(*Report)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	change(&w.report)
}

// visit looks at all that a user has open.
func (w *sweep) visit(ctx context.Context, userID string) {
	w.add(func(r *Report) { r.Accounts++ })
	account, err := w.service.Store.Account(ctx, userID)
	if err == nil && len(account.Open) == 0 {
		err = w.service.Store.LeaveOpen(ctx, userID)
	}
	if err != nil {
		w.service.Log.ErrorContext(ctx, "account not swept", "user", userID, "error", err)
		w.add(func(r *Report) { r.Failed++ })
		return
	}
	for _, id := range account.Open {
		w.look(ctx, life.Key{UserID: userID, RequestID: id})
	}
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
