package admission

import (
	"context"
	"time"

	"github.com/streaming-service/streaming-service/lambdas/internal/life"
)

// standByTimeout bounds what an outage of the queue costs a caller that does
// not wait for it.
const standByTimeout = 2 * time.Second

// prepareAlongside prepares an admission while the user's account is read, if
// that is likely to be of use: the last submission of the user here was admitted,
// and this one can be no replay, which writes nothing. So a refusal, which must
// stay cheap, has been prepared at most once for every admission. prepared ends
// the preparation, or does it now; wait waits for one that is under way, as
// nothing may run when the function is frozen.
func (s *Service) prepareAlongside(ctx context.Context, c call) (prepared func() error, wait func()) {
	if _, welcome := s.welcome.Recall(c.key.UserID, time.Time{}); c.keyed || !welcome {
		return func() error { return s.prepare(ctx, c) }, func() {}
	}
	var err error
	done := make(chan struct{})
	go func() {
		defer close(done)
		err = s.prepare(ctx, c)
	}()
	return func() error { <-done; return err }, func() { <-done }
}

// prepare writes what must be there before the record is.
func (s *Service) prepare(ctx context.Context, c call) error {
	defer s.standBy(ctx, c)()
	return s.Store.PutInput(ctx, c.key.RequestID, c.hash, c.submission.Input, c.now.Add(s.InputTTL))
}

// standBy sends the message that brings another attempt should the caller die
// with its claim: before the record is written, so that there is no moment at
// which a death leaves a claim and no message. If nothing is admitted it finds
// nothing. The returned function waits for it. One that cannot be sent holds no
// admission up: the next touch and the sweep are left.
func (s *Service) standBy(ctx context.Context, c call) (wait func()) {
	if c.claim == nil {
		return func() {}
	}
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		ctx, cancel := context.WithTimeout(ctx, standByTimeout)
		defer cancel()
		if err := s.Queue.SendAfter(ctx, c.key, c.claim.Lease+life.Skew+time.Second); err != nil {
			s.Log.WarnContext(ctx, "no attempt stands by", "request", c.key.RequestID, "error", err)
		}
	}()
	return func() { <-sent }
}
