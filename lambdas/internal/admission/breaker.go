package admission

import (
	"context"
	"sync"
	"time"

	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/lambdas/internal/metrics"
	"github.com/streaming-service/streaming-service/protocol"
)

// breakerAge is how old the reading of the service's spending may be that admits
// a request.
const breakerAge = 5 * time.Second

// Breaker refuses everybody once all users together have spent the budget of
// the service. It knows what is settled, so that the spending may pass the
// budget by what is in flight when it is reached, and by what is admitted
// before that is noticed. A nil Breaker refuses nobody.
type Breaker struct {
	budget protocol.USD
	now    life.Now

	mu     sync.Mutex
	period string
	spent  protocol.USD
	readAt time.Time
}

// NewBreaker returns the breaker of a monthly budget; nil for 0, which is
// unlimited.
func NewBreaker(budget protocol.USD, now life.Now) *Breaker {
	if budget == 0 {
		return nil
	}
	return &Breaker{budget: budget, now: now}
}

// Open reports whether the budget of a period was spent when it was last read.
func (b *Breaker) Open(period string) bool {
	if b == nil {
		return false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.period == period && b.spent >= b.budget
}

// spendingReader reads what the service has spent.
type spendingReader interface {
	Spending(ctx context.Context, period string) (protocol.USD, error)
}

// refresh reads the spending of a period unless that was done within
// breakerAge. Callers that come meanwhile wait for it.
func (b *Breaker) refresh(ctx context.Context, store spendingReader, period string, meter *metrics.Recorder) error {
	if b == nil {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.now()
	if b.period == period && now.Sub(b.readAt) < breakerAge {
		return nil
	}
	spent, err := store.Spending(ctx, period)
	if err != nil {
		return err
	}
	b.period, b.spent, b.readAt = period, spent, now
	meter.Record(metrics.Percent(metrics.ServiceBudgetUsed, 100*spent.Dollars()/b.budget.Dollars()))
	return nil
}
