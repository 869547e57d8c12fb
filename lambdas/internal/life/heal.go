package life

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/streaming-service/streaming-service/protocol"
)

// HealAfter is how long a request may stand still before a touch sends its
// message again.
const HealAfter = time.Minute

// concludeAfter is how long an ended request is left to whoever ended it.
const concludeAfter = 10 * time.Second

// Remedy is what a request needs that does not move by itself.
type Remedy int

// The remedies.
const (
	RemedyNone     Remedy = iota
	RemedyConclude        // ended, but perhaps not settled and told
	RemedyEnd             // cannot or need not be run any more
	RemedyResend          // its message may be lost
)

// Diagnose returns what record needs at now and, with RemedyEnd, the code of
// its end.
func Diagnose(record Record, now time.Time, maxAge time.Duration) (Remedy, protocol.Code) {
	switch {
	case record.Status.Terminal() && now.Sub(record.UpdatedAt) < concludeAfter:
		return RemedyNone, ""
	case record.Status.Terminal():
		return RemedyConclude, ""
	case record.Live(now):
		return RemedyNone, ""
	case record.Cancel:
		return RemedyEnd, protocol.CodeCancelled
	case maxAge > 0 && now.Sub(record.CreatedAt) > maxAge:
		return RemedyEnd, protocol.CodeExpired
	case record.UsedUp():
		return RemedyEnd, protocol.CodeDeadLettered
	case now.Sub(record.lastMoved()) < HealAfter:
		return RemedyNone, ""
	}
	return RemedyResend, ""
}

// lastMoved is when the request was last seen to be worked on or handed on.
func (r Record) lastMoved() time.Time {
	if r.LeaseUntil.After(r.UpdatedAt) {
		return r.LeaseUntil
	}
	return r.UpdatedAt
}

// Heal gives a request what it needs, without any help of the queue: a lost
// message is sent again, an end that was not settled is settled and told, and
// what cannot be run is ended and refunded. A healthy request is left alone. It
// reports whether it released a reservation.
func (s *Service) Heal(ctx context.Context, record Record) (bool, error) {
	remedy, code := Diagnose(record, s.Now(), s.MaxAge)
	switch remedy {
	case RemedyConclude:
		return s.concludeOnce(ctx, record)
	case RemedyEnd:
		_, err := s.End(ctx, record, code)
		if errors.Is(err, ErrLive) {
			return false, nil
		}
		return err == nil, err
	case RemedyResend:
		return false, s.Resend(ctx, record)
	case RemedyNone:
	}
	return false, nil
}

// concludeOnce concludes a request unless that was done before: who settled it
// also told its user, or died in between and left that to the next resume. A
// touch must not post an old end on every read.
func (s *Service) concludeOnce(ctx context.Context, record Record) (bool, error) {
	settled, err := s.settle(ctx, record)
	if err != nil || !settled {
		return false, err
	}
	return true, s.post(ctx, record)
}

// Resend sends the message of a request again if that is due: one, four and
// then sixteen minutes apart.
func (s *Service) Resend(ctx context.Context, record Record) error {
	if s.Queue == nil {
		return nil
	}
	now := s.Now()
	due, err := s.Store.MarkResend(ctx, record.Key, now, now.Add(backOff(now.Sub(record.CreatedAt))))
	if err != nil {
		return fmt.Errorf("marking request %s as sent again: %w", record.RequestID, err)
	}
	if !due {
		return nil
	}
	if err := s.Queue.Send(ctx, record.Key); err != nil {
		return fmt.Errorf("sending request %s again: %w", record.RequestID, err)
	}
	if s.Meter != nil {
		s.Meter.Resent(record)
	}
	return nil
}

// backOff derives the pause after a re-send from the request's age, so that no
// counter needs to be stored.
func backOff(age time.Duration) time.Duration {
	switch {
	case age < 3*time.Minute:
		return time.Minute
	case age < 10*time.Minute:
		return 4 * time.Minute
	default:
		return 16 * time.Minute
	}
}
