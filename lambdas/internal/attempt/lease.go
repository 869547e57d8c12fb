package attempt

import (
	"context"
	"errors"
	"time"

	"github.com/streaming-service/streaming-service/lambdas/internal/life"
)

// Parts of a lease of 30 s: renewed every 15 s, given up 5 s before its end, so
// that a renewal has 10 s for its retries, and the message hidden for 45 s, so
// that it comes back when the lease can be taken over.
func renewEvery(lease time.Duration) time.Duration { return lease / 2 }
func giveUpBefore(lease time.Duration) time.Duration {
	return lease / 6
}
func retryAfter(lease time.Duration) time.Duration { return lease / 30 }

// HideFor is how long the message of an attempt is hidden at its claim and with
// each renewal of its lease.
func HideFor(lease time.Duration) time.Duration { return lease * 3 / 2 }

// keep renews the lease of the attempt, and with it the invisibility of the
// message, until ctx is over. An attempt that cannot renew in time stops itself,
// before anybody else may start.
func (a *attempt) keep(ctx context.Context, lose context.CancelCauseFunc) {
	lease := a.options.Lease
	until := a.record.LeaseUntil
	hidden := a.Hidden || a.Message == nil
	renewAt := until.Add(renewEvery(lease) - lease)
	for {
		wait := renewAt.Sub(a.options.Now())
		if !hidden {
			wait = min(wait, retryAfter(lease))
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
		now := a.options.Now()
		if now.Before(renewAt) {
			hidden = a.hideMessage(ctx)
			continue
		}
		err := a.renew(ctx, until.Add(-giveUpBefore(lease)), now.Add(lease))
		switch {
		case err == nil:
			until, renewAt = now.Add(lease), now.Add(renewEvery(lease))
			hidden = a.hideMessage(ctx)
		case errors.Is(err, life.ErrFenced), !a.options.Now().Before(until.Add(-giveUpBefore(lease))):
			lose(errFenced)
			return
		default:
			a.log.WarnContext(ctx, "cannot renew the lease", "error", err)
			renewAt = now.Add(retryAfter(lease))
		}
	}
}

// renew extends the lease; a call that takes longer than the lease allows is as
// good as a failed one.
func (a *attempt) renew(ctx context.Context, giveUp, until time.Time) error {
	ctx, cancel := context.WithTimeout(ctx, giveUp.Sub(a.options.Now()))
	defer cancel()
	return a.Store.Renew(ctx, a.record.Fence(), until)
}

// hideMessage reports whether the message, if there is one, stays hidden.
func (a *attempt) hideMessage(ctx context.Context) bool {
	if a.Message == nil {
		return true
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	return a.Message.Hide(ctx, HideFor(a.options.Lease)) == nil
}
