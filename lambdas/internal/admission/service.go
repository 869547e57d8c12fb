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
	"github.com/streaming-service/streaming-service/lambdas/internal/recent"
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
	CloseMonth(ctx context.Context, userID, period string) error
	Spending(ctx context.Context, period string) (protocol.USD, error)
}

// Life gives a request what it needs that does not move by itself.
type Life interface {
	Heal(ctx context.Context, record life.Record) (bool, error)
}

// Queue brings requests to the processor, at once or later.
type Queue interface {
	life.Queue
	SendAfter(ctx context.Context, key life.Key, d time.Duration) error
}

// Service admits requests.
type Service struct {
	Store    Store
	Queue    Queue
	Life     Life
	Tiers    environment.Tiers
	Prices   map[string]life.Price // by model; empty: money is not counted
	Breaker  *Breaker              // nil: the service as a whole has no budget
	Calendar life.Calendar
	Rate     life.Rate
	Cap      int64 // open requests of a user; 0: unlimited
	Model    Model
	Uploads  Uploads       // nil: there are none
	InputTTL time.Duration // how long the input may be needed
	Now      life.Now
	Log      *slog.Logger
	Metrics  *metrics.Recorder

	welcome recent.Map[string, struct{}] // users whose last submission here was admitted
}

// startsOver bounds how often a replay may find its record taken back.
const startsOver = 4

// call is one submission under way.
type call struct {
	key        life.Key
	keyed      bool
	hash       string
	groups     []string
	byToken    bool // groups are those of a token
	now        time.Time
	submission Submission
	claim      *life.Claim // the caller runs the request itself; nil: the queue brings it
}

// Admitted is a request that was admitted, by this submission or by an earlier
// one under its key.
type Admitted struct {
	Record   life.Record
	Input    life.Input     // unless Replayed
	Usage    protocol.Usage // as of the admission
	ResetsIn time.Duration  // until the end of the month
	Replayed bool           // by an earlier one
}

// Submit answers POST /requests.
func (s *Service) Submit(ctx context.Context, r httpapi.Request) (httpapi.Response, error) {
	c, invalid := s.call(r)
	if invalid != nil {
		return httpapi.Response{}, invalid
	}
	admitted, err := s.submit(ctx, c, r.Body)
	if err != nil {
		return httpapi.Response{}, err
	}
	return s.accepted(admitted), nil
}

// Start admits a request that its caller runs by itself: it is claimed by the
// very write that admits it, and its message arrives only when that claim can
// be taken over. The body of r tells replays from others; what it asks for is in
// submission, a body of POST /requests.
func (s *Service) Start(ctx context.Context, r httpapi.Request, submission []byte, claim life.Claim) (Admitted, error) {
	c, invalid := s.call(r)
	if invalid != nil {
		return Admitted{}, invalid
	}
	claim.Now = c.now
	c.claim = &claim
	return s.submit(ctx, c, submission)
}

func (s *Service) submit(ctx context.Context, c call, body []byte) (Admitted, error) {
	var invalid *httpapi.Error
	if c.submission, invalid = s.Model.Parse(body); invalid != nil {
		return s.refuseInvalid(ctx, c, invalid)
	}
	if err := s.media(ctx, c.key.UserID, &c.submission); err != nil {
		if invalid, refused := errors.AsType[*httpapi.Error](err); refused {
			return s.refuseInvalid(ctx, c, invalid)
		}
		return Admitted{}, err
	}
	return s.admit(ctx, c)
}

// call reads who submits what under which key.
func (s *Service) call(r httpapi.Request) (call, *httpapi.Error) {
	key, invalid := ParseKey(r.Header(HeaderIdempotencyKey))
	if invalid != nil {
		return call{}, invalid
	}
	c := call{
		key:     life.Key{UserID: r.UserID, RequestID: life.NewRequestID()},
		keyed:   key != "",
		hash:    life.BodyHash(r.Body),
		groups:  r.Groups,
		byToken: r.ByToken(),
		now:     s.Now().Truncate(time.Millisecond),
	}
	if c.keyed {
		c.key.RequestID = life.KeyedRequestID(r.UserID, key)
	}
	return c, nil
}

// admit admits a submission, or finds the request that it replays.
func (s *Service) admit(ctx context.Context, c call) (Admitted, error) {
	for range startsOver {
		admitted, err := s.admitOnce(ctx, c)
		if !errors.Is(err, errTakenBack) {
			return admitted, err
		}
	}
	return Admitted{}, fmt.Errorf("submitting request %s: %w", c.key.RequestID, life.ErrUnavailable)
}

// admitOnce goes once through the steps of an admission.
func (s *Service) admitOnce(ctx context.Context, c call) (Admitted, error) {
	prepared, wait := s.prepareAlongside(ctx, c)
	defer wait()
	account, existing, spent, err := s.look(ctx, c)
	if err != nil || existing != nil {
		return s.replayOr(ctx, c, existing, err)
	}
	admission := s.admission(c, account)
	if refusal := admission.Check(account); refusal != nil {
		if account, refusal = s.healAndCheck(ctx, admission, account, refusal); refusal != nil {
			return s.refuse(ctx, c, account, refusal)
		}
	}
	if spent {
		return s.refuse(ctx, c, account, admission.OverServiceBudget())
	}
	defer s.healAlongside(ctx, account)()

	if err := prepared(); err != nil {
		return Admitted{}, err
	}
	err = s.Store.Admit(ctx, admission, account)
	refusal, refused := errors.AsType[*life.Refusal](err)
	written, exists := errors.AsType[*life.Existing](err)
	switch {
	case err == nil:
		return s.setOut(ctx, c, admission, account)
	case refused: // others have been faster than the reading above
		if account, err = s.Store.Account(ctx, c.key.UserID); err != nil {
			return Admitted{}, err
		}
		return s.refuse(ctx, c, account, refusal)
	case exists && c.claim != nil && written.Record.Fence() == admission.Record.Fence(): // the answer was lost, the claim stands
		return s.admitted(c, written.Record, account.Admitted(written.Record)), nil
	case exists:
		return s.replay(ctx, c, written)
	}
	return Admitted{}, err
}

// look reads the account and, beside it, the record that a keyed submission
// replays and whether the whole service has spent its budget. No limit holds a
// replay back, so it must not write its input again.
func (s *Service) look(ctx context.Context, c call) (account life.Account, existing *life.Existing, spent bool, err error) {
	reads, ctx := errgroup.WithContext(ctx)
	reads.Go(func() (err error) {
		existing, err = s.lookUp(ctx, c)
		return err
	})
	reads.Go(func() (err error) {
		account, err = s.Store.Account(ctx, c.key.UserID)
		return err
	})
	reads.Go(func() (err error) {
		spent, err = s.Breaker.open(ctx, s.Store, s.Calendar.Period(c.now), s.Metrics)
		return err
	})
	err = reads.Wait()
	return account, existing, spent, err
}

// admission fixes all that is decided at admission and never recomputed.
func (s *Service) admission(c call, account life.Account) life.Admission {
	period := s.Calendar.Period(c.now)
	record := life.Record{
		Key:          c.key,
		Period:       period,
		Estimate:     life.Estimate(c.submission.Input, c.submission.Model.MaxTokens) + c.submission.MediaTokens,
		BodyHash:     c.hash,
		Nonce:        life.NewOwner(),
		Model:        c.submission.Model,
		Status:       protocol.StatusQueued,
		AttemptCap:   life.AttemptCap,
		ForService:   s.Breaker != nil,
		RefundsSpent: account.Months[period].RefundsSpent(),
		CreatedAt:    c.now,
		UpdatedAt:    c.now,
	}
	if price, ok := s.Prices[record.Model.ModelID]; ok {
		record = record.PricedAt(price)
	}
	if c.claim != nil {
		record = record.ClaimedBy(*c.claim)
	}
	return life.Admission{
		Record:    record,
		Allowance: life.AllowanceFor(s.Tiers, c.groups, account, c.now),
		Cap:       life.OpenCap(s.Cap),
		Rate:      s.Rate,
		Now:       c.now,
		ResetsAt:  s.Calendar.ResetsAt(c.now),
		Groups:    c.groups,
		ByToken:   c.byToken,
	}
}

// setOut sends the admitted request on its way. Where that fails the request is
// taken back, unless somebody may have seen it. A request that its caller has
// claimed is on its way already.
func (s *Service) setOut(ctx context.Context, c call, admission life.Admission, account life.Account) (Admitted, error) {
	if c.claim == nil {
		if err := s.enqueue(ctx, admission.Record); err != nil {
			return Admitted{}, err
		}
	}
	s.welcome.Remember(c.key.UserID, struct{}{}, c.now)
	s.Metrics.Record(metrics.Count(metrics.Admitted, 1))
	s.tidy(ctx, account)
	return s.admitted(c, admission.Record, account.Admitted(admission.Record)), nil
}

// admitted describes a request with its user's account as of the admission.
func (s *Service) admitted(c call, record life.Record, account life.Account) Admitted {
	return Admitted{Record: record, Input: c.submission.Input, Usage: s.usage(account, c.groups, c.now), ResetsIn: s.Calendar.ResetsAt(c.now).Sub(c.now)}
}

func (s *Service) enqueue(ctx context.Context, record life.Record) error {
	sendErr := s.Queue.Send(ctx, record.Key)
	if sendErr == nil {
		return nil
	}
	taken, err := s.Store.TakeBack(ctx, record)
	if taken || err != nil {
		return fmt.Errorf("enqueueing request %s: %w: %w", record.RequestID, life.ErrUnavailable, errors.Join(sendErr, err))
	}
	s.Log.WarnContext(ctx, "request not sent", "request", record.RequestID, "error", sendErr)
	return nil
}

// tidy drops a month that the account need not remember, and closes one that has
// passed. It can wait for the next admission.
func (s *Service) tidy(ctx context.Context, account life.Account) {
	var errs [2]error
	if period := account.Forgettable(); period != "" {
		errs[0] = s.Store.ForgetMonth(ctx, account.UserID, period)
	}
	if period := account.Closable(); period != "" {
		errs[1] = s.Store.CloseMonth(ctx, account.UserID, period)
	}
	if err := errors.Join(errs[:]...); err != nil {
		s.Log.WarnContext(ctx, "old months not tidied", "error", err)
	}
}

// accepted is the 202 of a request.
func (s *Service) accepted(a Admitted) httpapi.Response {
	return httpapi.Response{
		Status: http.StatusAccepted,
		Header: rateLimitHeaders(a.Usage, a.ResetsIn),
		Body:   protocol.SubmitResponse{RequestID: a.Record.RequestID, Status: a.Record.Status, Quota: a.Usage},
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
	return life.UsageOf(account, allowance, s.Calendar.Period(now), s.Calendar.ResetsAt(now), len(s.Prices) > 0)
}
