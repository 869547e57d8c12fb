package admission

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/streaming-service/streaming-service/lambdas/internal/httpapi"
	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/lambdas/internal/metrics"
	"github.com/streaming-service/streaming-service/protocol"
)

// errTakenBack says that the record of a replay vanished: its first caller could
// not send it and took it back.
var errTakenBack = errors.New("request was taken back")

// details are the words of each refusal.
var details = map[protocol.Code]string{
	protocol.CodeBlocked:               "This account may not submit requests at present.",
	protocol.CodeModelNotAllowed:       "The model has no price, and this account has a budget.",
	protocol.CodeQuotaExceeded:         "The monthly quota does not allow this request.",
	protocol.CodeTooManyInFlight:       "Too many requests are open. Wait for one to end, or cancel one.",
	protocol.CodeRateLimited:           "Requests come too fast.",
	protocol.CodeServiceBudgetExceeded: "The service has spent its budget of this month.",
}

// refuse answers a submission that a limit refuses, unless it is the replay of
// one that was admitted before.
func (s *Service) refuse(ctx context.Context, c call, account life.Account, refusal *life.Refusal) (Admitted, error) {
	if existing, err := s.lookUp(ctx, c); err != nil || existing != nil {
		return s.replayOr(ctx, c, existing, err)
	}
	s.welcome.Forget(c.key.UserID)
	s.Metrics.RecordBy(reasonOf(refusal), metrics.Count(metrics.Refused, 1))
	e := httpapi.NewError(refusal.Code, details[refusal.Code])
	usage := s.usage(account, c.groups, c.now)
	if refusal.Code == protocol.CodeQuotaExceeded {
		explain(&e.Problem, refusal, usage)
	}
	if refusal.RetryAfter > 0 {
		e = e.With("Retry-After", strconv.FormatInt(refusal.RetryAfter, 10))
		e.Usage, e.UsageAt = &usage, c.now
		for name, value := range rateLimitHeaders(usage, s.Calendar.ResetsAt(c.now).Sub(c.now)) {
			e = e.With(name, value)
		}
	}
	return Admitted{}, e
}

// explain says which quota is used up, and how much of it is.
func explain(p *protocol.Problem, refusal *life.Refusal, usage protocol.Usage) {
	p.Quota, p.Limit, p.Used, p.ResetsAt = refusal.Quota, &refusal.Limit, &refusal.Used, usage.ResetsAt
	if refusal.Quota == protocol.QuotaBudget {
		p.Budget = usage.Budget
	}
}

func reasonOf(refusal *life.Refusal) string {
	if refusal.Quota != "" {
		return string(refusal.Code) + "_" + refusal.Quota
	}
	return string(refusal.Code)
}

// refuseInvalid answers a body that is not valid, unless the same body was
// admitted before, under settings that allowed it.
func (s *Service) refuseInvalid(ctx context.Context, c call, invalid *httpapi.Error) (Admitted, error) {
	existing, err := s.lookUp(ctx, c)
	if err == nil && existing != nil && existing.Record.BodyHash == c.hash {
		return s.replayOr(ctx, c, existing, nil)
	}
	return Admitted{}, invalid
}

// lookUp finds the record that a keyed submission would replay; nil if none.
func (s *Service) lookUp(ctx context.Context, c call) (*life.Existing, error) {
	if !c.keyed {
		return nil, nil
	}
	record, err := s.Store.Record(ctx, c.key)
	switch {
	case errors.Is(err, life.ErrNotFound):
		return nil, nil
	case err != nil:
		return nil, err
	}
	return &life.Existing{Record: record}, nil
}

func (s *Service) replayOr(ctx context.Context, c call, existing *life.Existing, err error) (Admitted, error) {
	if err != nil {
		return Admitted{}, err
	}
	return s.replay(ctx, c, existing)
}

// replay answers a submission whose request exists: with its current status, and
// without a charge. From then on the request is not taken back.
func (s *Service) replay(ctx context.Context, c call, existing *life.Existing) (Admitted, error) {
	record := existing.Record
	if record.BodyHash != c.hash {
		return Admitted{}, httpapi.NewError(protocol.CodeIdempotencyConflict, "This Idempotency-Key was used with another body.")
	}
	if record.Status == protocol.StatusQueued && record.Attempt == 0 && !record.Kept {
		kept, err := s.Store.Keep(ctx, c.key)
		switch {
		case errors.Is(err, life.ErrNotFound):
			return Admitted{}, errTakenBack
		case err != nil:
			return Admitted{}, err
		}
		record = kept
	}
	record = s.setGoing(ctx, record, existing.Unsent)
	account, err := s.Store.Account(ctx, c.key.UserID)
	if err != nil {
		return Admitted{}, err
	}
	s.Metrics.Record(metrics.Count(metrics.Replayed, 1))
	admitted := s.admitted(c, record, account)
	admitted.Replayed = true
	return admitted, nil
}

// setGoing sends a request whose message may never have been sent, and heals any
// other. A failure is left to the next touch.
func (s *Service) setGoing(ctx context.Context, record life.Record, unsent bool) life.Record {
	if unsent && !record.Status.Terminal() {
		if err := s.Queue.Send(ctx, record.Key); err != nil {
			s.Log.WarnContext(ctx, "request not sent", "request", record.RequestID, "error", err)
		}
		return record
	}
	released, err := s.Life.Heal(ctx, record)
	if err != nil {
		s.Log.WarnContext(ctx, "request not healed", "request", record.RequestID, "error", err)
	}
	if released {
		if healed, err := s.Store.Record(ctx, record.Key); err == nil {
			return healed
		}
	}
	return record
}

// rateLimitHeaders describe the monthly requests; none where they are unlimited.
func rateLimitHeaders(usage protocol.Usage, untilReset time.Duration) map[string]string {
	if usage.Requests.Limit == nil {
		return map[string]string{}
	}
	return map[string]string{
		"RateLimit-Limit":     fmt.Sprint(*usage.Requests.Limit),
		"RateLimit-Remaining": fmt.Sprint(*usage.Requests.Remaining),
		"RateLimit-Reset":     fmt.Sprint(life.Seconds(untilReset)),
	}
}
