package dynamo

import (
	"context"
	"maps"
	"time"

	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/protocol"
)

// Claim makes the caller the owner of the request's next attempt. The error is
// *life.ClaimRefused if it may not be, and ErrNotFound if there is no record.
func (s *Store) Claim(ctx context.Context, key life.Key, claim life.Claim) (life.Record, error) {
	values := constants(claim.Now)
	values[":owner"] = text(claim.Owner)
	values[":lease"] = millis(claim.Now.Add(claim.Lease))
	values[":oldest"] = number(0)
	if claim.MaxAge > 0 {
		values[":oldest"] = millis(claim.Now.Add(-claim.MaxAge))
	}
	record, ok, err := s.updateRecord(ctx, "claiming request", key, claimSet, claimable, values)
	if err != nil || ok {
		return record, err
	}
	if record.Status == protocol.StatusStreaming && record.Owner == claim.Owner {
		return record, nil // claimed by a call whose answer was lost
	}
	return record, &life.ClaimRefused{Record: record, Reason: life.WhyRefused(record, claim)}
}

// Renew extends the lease of an attempt; ErrFenced if it has lost its request.
func (s *Store) Renew(ctx context.Context, attempt life.Attempt, until time.Time) error {
	values := fence(attempt, time.Time{})
	values[":lease"] = millis(until)
	return s.fenced(ctx, "renewing lease", attempt, renewSet, values, func(life.Record) bool { return false })
}

// CountCall announces another call of the model by an attempt. It reports false
// if the request has had all the calls it may have; the error is ErrFenced if
// the attempt has lost its request.
func (s *Store) CountCall(ctx context.Context, attempt life.Attempt) (bool, error) {
	record, ok, err := s.updateRecord(ctx, "counting call", attempt.Key, callSet, mayCall, fence(attempt, time.Time{}))
	switch {
	case err != nil || ok:
		return ok, err
	case record.Status == protocol.StatusStreaming && record.Fence() == attempt:
		return false, nil
	}
	return false, life.ErrFenced
}

// Release gives the request back to the queue before the attempt has ended it;
// ErrFenced if it has lost its request.
func (s *Store) Release(ctx context.Context, attempt life.Attempt, now time.Time) error {
	return s.fenced(ctx, "releasing request", attempt, releaseSet, fence(attempt, now), func(r life.Record) bool {
		return r.Status == protocol.StatusQueued && r.Attempt == attempt.Number && r.Owner == attempt.Owner
	})
}

func (s *Store) fenced(ctx context.Context, doing string, attempt life.Attempt, update string, values item, done func(life.Record) bool) error {
	record, ok, err := s.updateRecord(ctx, doing, attempt.Key, update, owned, values)
	if err != nil || ok || done(record) {
		return err
	}
	return life.ErrFenced
}

// Finish ends the request as its owner, and returns the terminal record;
// ErrFenced, with the record as it stands, if the attempt has lost it.
func (s *Store) Finish(ctx context.Context, attempt life.Attempt, end life.End, now time.Time) (life.Record, error) {
	values := fence(attempt, now)
	values[":endSeq"] = number(int64(end.EndSeq))
	update := finishSet + ending(end, now, values)
	record, ok, err := s.updateRecord(ctx, "finishing request", attempt.Key, update, owned, values)
	if err != nil || ok {
		return record, err
	}
	if record.Status.Terminal() && record.Attempt == attempt.Number && record.Owner == attempt.Owner {
		return record, nil // finished by a call whose answer was lost
	}
	return record, life.ErrFenced
}

// EndUnowned ends a request that no attempt holds.
func (s *Store) EndUnowned(ctx context.Context, key life.Key, end life.End, now time.Time) (life.Record, error) {
	values := constants(now)
	update := endUnownedSet + ending(end, now, values)
	record, ok, err := s.updateRecord(ctx, "ending request", key, update, unowned, values)
	if err != nil || ok || record.Status.Terminal() {
		return record, err
	}
	return record, life.ErrLive
}

// RequestCancel raises the cancel flag of a streaming request.
func (s *Store) RequestCancel(ctx context.Context, key life.Key, now time.Time) (life.Record, error) {
	record, _, err := s.updateRecord(ctx, "cancelling request", key, cancelSet, isStreaming, constants(now))
	return record, err
}

// MarkResend reserves the right to send the request's message again.
func (s *Store) MarkResend(ctx context.Context, key life.Key, now, next time.Time) (bool, error) {
	values := constants(now)
	values[":next"] = millis(next)
	_, ok, err := s.updateRecord(ctx, "marking request as sent again", key, resendSet, resendDue, values)
	return ok, err
}

func fence(attempt life.Attempt, now time.Time) item {
	values := constants(now)
	values[":attempt"] = number(int64(attempt.Number))
	values[":owner"] = text(attempt.Owner)
	return values
}

// ending returns the clauses that record an end, and adds their values.
func ending(end life.End, now time.Time, values item) string {
	maps.Copy(values, item{
		":status":  text(string(end.Status)),
		":expires": seconds(life.RecordExpiry(now)),
	})
	var clauses string
	if end.StopReason != "" {
		clauses += setStopReason
		values[":stopReason"] = text(end.StopReason)
	}
	if end.ErrorCode != "" {
		clauses += setErrorCode
		values[":errCode"] = text(string(end.ErrorCode))
	}
	if end.Final {
		clauses += setFinal
	}
	if end.Usage != nil {
		clauses += setUsage
		values[":usageIn"] = number(end.Usage.InputTokens)
		values[":usageOut"] = number(end.Usage.OutputTokens)
		values[":usageEst"] = boolean(end.Usage.Estimated)
		if end.Usage.CacheReadTokens+end.Usage.CacheWriteTokens > 0 {
			clauses += setCacheUsage
			values[":usageRead"] = number(end.Usage.CacheReadTokens)
			values[":usageWrite"] = number(end.Usage.CacheWriteTokens)
		}
	}
	return clauses
}
