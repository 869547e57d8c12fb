package life

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/streaming-service/streaming-service/protocol"
)

// Service takes requests from where they are towards their end. Every method
// may be repeated, by anybody, at any time.
type Service struct {
	Store  Store
	Queue  Queue  // nil where nothing is ever sent again
	Poster Poster // nil where a user learns of an end by its next resume only
	Meter  Meter  // nil counts nothing
	Now    Now
	MaxAge time.Duration // unfinished requests older than this are ended; 0: none
}

// Conclude completes a terminal request: it settles and posts the end frame to
// every socket of the user. A message is acknowledged only after it succeeded.
func (s *Service) Conclude(ctx context.Context, record Record) error {
	if _, err := s.settle(ctx, record); err != nil {
		return err
	}
	return s.post(ctx, record)
}

func (s *Service) post(ctx context.Context, record Record) error {
	if s.Poster == nil {
		return nil
	}
	if err := s.Poster.Post(ctx, record.UserID, EndFrame(record).Encode()); err != nil {
		return fmt.Errorf("posting end of request %s: %w", record.RequestID, err)
	}
	return nil
}

func (s *Service) settle(ctx context.Context, record Record) (bool, error) {
	settled, err := s.Store.Settle(ctx, record)
	switch {
	case err != nil:
		if s.Meter != nil {
			s.Meter.SettleFailed(record, err)
		}
		return false, fmt.Errorf("settling request %s: %w", record.RequestID, err)
	case settled && s.Meter != nil:
		s.Meter.Settled(record, Settle(record))
	}
	return settled, nil
}

// End ends, for code, a request that no attempt holds, and concludes it. If an
// attempt holds it the error is ErrLive; if it has ended before, that end
// stands.
func (s *Service) End(ctx context.Context, record Record, code protocol.Code) (Record, error) {
	end := Ended(code)
	if code == protocol.CodeCancelled && record.Claimed() {
		usage, err := s.usageSoFar(ctx, record)
		if err != nil {
			return record, err
		}
		end.Usage = usage
	}
	ended, err := s.Store.EndUnowned(ctx, record.Key, end, s.Now())
	if err != nil {
		return ended, fmt.Errorf("ending request %s: %w", record.RequestID, err)
	}
	return ended, s.Conclude(ctx, ended)
}

// usageSoFar estimates what an attempt spent that did not live to report it.
func (s *Service) usageSoFar(ctx context.Context, record Record) (*protocol.TokenUsage, error) {
	chunks, err := s.Store.Chunks(ctx, record.RequestID, record.Owner, 0)
	if err != nil {
		return nil, fmt.Errorf("reading the log of request %s: %w", record.RequestID, err)
	}
	var output int64
	if run := Contiguous(chunks, 0); len(run) > 0 {
		output = run[len(run)-1].OutputTokens
	}
	return record.Metered(nil, output), nil
}

// cancelTries bounds the race of a cancellation with claims and releases.
const cancelTries = 4

// Cancel ends a queued or dead request at once, asks a streaming one to end
// itself, and posts the end of an ended one again. It returns the request as it
// then stands.
func (s *Service) Cancel(ctx context.Context, key Key) (Record, error) {
	record, err := s.Store.Record(ctx, key)
	for try := 0; err == nil && try < cancelTries; try++ {
		switch {
		case record.Status.Terminal():
			return record, s.Conclude(ctx, record)
		case record.Live(s.Now()):
			if record, err = s.Store.RequestCancel(ctx, key, s.Now()); err != nil || record.Cancel {
				return record, err
			}
		default:
			var ended Record
			ended, err = s.End(ctx, record, protocol.CodeCancelled)
			if !errors.Is(err, ErrLive) {
				return ended, err
			}
			record, err = s.Store.Record(ctx, key)
		}
	}
	if err == nil {
		err = fmt.Errorf("cancelling request %s: %w", key.RequestID, ErrUnavailable)
	}
	return record, err
}

// Decline acts on a refused claim. It returns how long to hide the message
// until it is worth another try; 0 with a nil error means that the request is
// concluded and its message may be acknowledged.
func (s *Service) Decline(ctx context.Context, refused *ClaimRefused) (time.Duration, error) {
	record := refused.Record
	if refused.Reason == ReasonTerminal {
		return 0, s.Conclude(ctx, record)
	}
	if refused.Reason == ReasonLive {
		return s.leaseLeft(record), nil
	}
	ended, err := s.End(ctx, record, reasonCode[refused.Reason])
	if errors.Is(err, ErrLive) {
		return s.leaseLeft(ended), nil
	}
	return 0, err
}

var reasonCode = map[Reason]protocol.Code{
	ReasonCancelled: protocol.CodeCancelled,
	ReasonCap:       protocol.CodeDeadLettered,
	ReasonExpired:   protocol.CodeExpired,
}

// leaseLeft is how long until the lease of record can be taken over.
func (s *Service) leaseLeft(record Record) time.Duration {
	return max(time.Second, record.LeaseUntil.Sub(s.Now())+Skew)
}
