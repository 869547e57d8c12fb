// Package admission answers POST /requests and GET /usage: it checks a
// submission, admits it against the user's limits, and sends it on its way.
package admission

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/streaming-service/streaming-service/internal/environment"
	"github.com/streaming-service/streaming-service/lambdas/internal/httpapi"
	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/lambdas/internal/metrics"
	"github.com/streaming-service/streaming-service/protocol"
)

// Store is what an admission reads and writes.
type Store interface {
	Account(ctx context.Context, userID string) (life.Account, error)
	Record(ctx context.Context, key life.Key) (life.Record, error)
	PutInput(ctx context.Context, requestID, hash string, in life.Input, expires time.Time) error
	Admit(ctx context.Context, admission life.Admission, account life.Account) error
	Keep(ctx context.Context, key life.Key) (life.Record, error)
	TakeBack(ctx context.Context, record life.Record) (bool, error)
	ForgetMonth(ctx context.Context, userID, period string) error
}

// Healer gives a request what it needs that does not move by itself.
type Healer interface {
	Heal(ctx context.Context, record life.Record) (bool, error)
}

// Service admits requests.
type Service struct {
	Store    Store
	Queue    life.Queue
	Healer   Healer
	Tiers    environment.Tiers
	Calendar life.Calendar
	Rate     life.Rate
	Cap      int64 // open requests of a user; 0: unlimited
	Model    Model
	InputTTL time.Duration // how long the input may be needed
	Now      life.Now
	Log      *slog.Logger
	Metrics  *metrics.Recorder
}

// startsOver bounds how often a replay may find its record taken back.
const startsOver = 4

// call is one submission under way.
type call struct {
	key        life.Key
	keyed      bool
	hash       string
	groups     []string
	now        time.Time
	submission Submission
}

// Submit answers POST /requests.
func (s *Service) Submit(ctx context.Context, r httpapi.Request) (httpapi.Response, error) {
	key, invalid := ParseKey(r.Header(HeaderIdempotencyKey))
	if invalid != nil {
		return httpapi.Response{}, invalid
	}
	c := call{
		key:    life.Key{UserID: r.UserID, RequestID: life.NewRequestID()},
		keyed:  key != "",
		hash:   life.BodyHash(r.Body),
		groups: r.Groups,
		now:    s.Now().Truncate(time.Millisecond),
	}
	if c.keyed {
		c.key.RequestID = life.KeyedRequestID(r.UserID, key)
	}
	if c.submission, invalid = s.Model.Parse(r.Body); invalid != nil {
		return s.refuseInvalid(ctx, c, invalid)
	}
	for range startsOver {
		response, err := s.submit(ctx, c)
		if !errors.Is(err, errTakenBack) {
			return response, err
		}
	}
	return httpapi.Response{}, fmt.Errorf("submitting request %s: %w", c.key.RequestID, life.ErrUnavailable)
}

// submit goes once through the steps of an admission.
func (s *Service) submit(ctx context.Context, c call) (httpapi.Response, error) {
	account, existing, err := s.look(ctx, c)
	if err != nil || existing != nil {
		return s.replayOr(ctx, c, existing, err)
	}
	admission := s.admission(c, account)
	if refusal := admission.Check(account); refusal != nil {
		if account, refusal = s.healAndCheck(ctx, admission, account, refusal); refusal != nil {
			return s.refuse(ctx, c, account, refusal)
		}
	}
	defer s.healAlongside(ctx, account)()

	if err := s.Store.PutInput(ctx, c.key.RequestID, c.hash, c.submission.Input, c.now.Add(s.InputTTL)); err != nil {
		return httpapi.Response{}, err
	}
	err = s.Store.Admit(ctx, admission, account)
	refusal, refused := errors.AsType[*life.Refusal](err)
	written, exists := errors.AsType[*life.Existing](err)
	switch {
	case err == nil:
		return s.enqueue(ctx, c, admission, account)
	case refused: // others have been faster than the reading above
		if account, err = s.Store.Account(ctx, c.key.UserID); err != nil {
			return httpapi.Response{}, err
		}
		return s.refuse(ctx, c, account, refusal)
	case exists:
		return s.replay(ctx, c, written)
	}
	return httpapi.Response{}, err
}

// look reads the account and, beside it, the record that a keyed submission
// replays. No limit holds a replay back, so it must not write its input again.
func (s *Service) look(ctx context.Context, c call) (life.Account, *life.Existing, error) {
	var (
		account  life.Account
		existing *life.Existing
	)
	reads, ctx := errgroup.WithContext(ctx)
	reads.Go(func() (err error) {
		existing, err = s.lookUp(ctx, c)
		return err
	})
	reads.Go(func() (err error) {
		account, err = s.Store.Account(ctx, c.key.UserID)
		return err
	})
	return account, existing, reads.Wait()
}

// admission fixes all that is decided at admission and never recomputed.
func (s *Service) admission(c call, account life.Account) life.Admission {
	return life.Admission{
		Record: life.Record{
			Key:        c.key,
			Period:     s.Calendar.Period(c.now),
			Estimate:   life.Estimate(c.submission.Input, c.submission.Model.MaxTokens),
			BodyHash:   c.hash,
			Nonce:      life.NewOwner(),
			Model:      c.submission.Model,
			Status:     protocol.StatusQueued,
			AttemptCap: life.AttemptCap,
			CreatedAt:  c.now,
			UpdatedAt:  c.now,
		},
		Allowance: life.AllowanceFor(s.Tiers, c.groups, account, c.now),
		Cap:       life.OpenCap(s.Cap),
		Rate:      s.Rate,
		Now:       c.now,
		ResetsAt:  s.Calendar.ResetsAt(c.now),
	}
}

// enqueue sends the admitted request on its way. Where that fails the request
// is taken back, unless somebody may have seen it.
func (s *Service) enqueue(ctx context.Context, c call, admission life.Admission, account life.Account) (httpapi.Response, error) {
	sendErr := s.Queue.Send(ctx, c.key)
	if sendErr != nil {
		taken, err := s.Store.TakeBack(ctx, admission.Record)
		if taken || err != nil {
			return httpapi.Response{}, fmt.Errorf("enqueueing request %s: %w: %w", c.key.RequestID, life.ErrUnavailable, errors.Join(sendErr, err))
		}
		s.Log.WarnContext(ctx, "request not sent", "request", c.key.RequestID, "error", sendErr)
	}
	s.Metrics.Record(metrics.Count(metrics.Admitted, 1))
	s.forget(ctx, account)
	return s.accepted(admission.Record, account.Admitted(admission.Record), c), nil
}

// forget drops a month that the account need not remember. It can wait for the
// next admission.
func (s *Service) forget(ctx context.Context, account life.Account) {
	period := account.Forgettable()
	if period == "" {
		return
	}
	if err := s.Store.ForgetMonth(ctx, account.UserID, period); err != nil {
		s.Log.WarnContext(ctx, "old month not forgotten", "period", period, "error", err)
	}
}

// accepted is the 202 of a request.
func (s *Service) accepted(record life.Record, account life.Account, c call) httpapi.Response {
	usage := s.usage(account, c.groups, c.now)
	return httpapi.Response{
		Status: http.StatusAccepted,
		Header: rateLimitHeaders(usage, s.Calendar.ResetsAt(c.now).Sub(c.now)),
		Body:   protocol.SubmitResponse{RequestID: record.RequestID, Status: record.Status, Quota: usage},
	}
}

// Usage answers GET /usage.
func (s *Service) Usage(ctx context.Context, r httpapi.Request) (httpapi.Response, error) {
	account, err := s.Store.Account(ctx, r.UserID)
	if err != nil {
		return httpapi.Response{}, err
	}
	return httpapi.Response{Status: http.StatusOK, Body: s.usage(account, r.Groups, s.Now())}, nil
}

func (s *Service) usage(account life.Account, groups []string, now time.Time) protocol.Usage {
	allowance := life.AllowanceFor(s.Tiers, groups, account, now)
	return life.UsageOf(account, allowance, s.Calendar.Period(now), s.Calendar.ResetsAt(now))
}
