package admission

import (
	"context"
	"sync"
	"time"

	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/lambdas/internal/metrics"
	"github.com/streaming-service/streaming-service/protocol"
)

// tellEvery is how often a process tells how much of the service's budget is
// spent.
const tellEvery = 5 * time.Second

// Breaker refuses everybody once all users together have spent the budget of
// the service. It knows what is settled, so that the spending may pass the
// budget by what is in flight when it is reached. A nil Breaker refuses nobody.
type Breaker struct {
	budget protocol.USD
	now    life.Now

	mu     sync.Mutex
	toldAt time.Time
}

// NewBreaker returns the breaker of a monthly budget; nil for 0, which is
// unlimited.
func NewBreaker(budget protocol.USD, now life.Now) *Breaker {
	if budget == 0 {
		return nil
	}
	return &Breaker{budget: budget, now: now}
}

// spendingReader reads what the service has spent.
type spendingReader interface {
	Spending(ctx context.Context, period string) (protocol.USD, error)
}

// open reports whether the budget of a period is spent. Each admission reads it
// anew, for the one read unit that this is: with a reading of some seconds ago,
// all that was admitted in these seconds would come on top of what is in flight.
func (b *Breaker) open(ctx context.Context, store spendingReader, period string, meter *metrics.Recorder) (bool, error) {
	if b == nil {
		return false, nil
	}
	spent, err := store.Spending(ctx, period)
	if err != nil {
		return false, err
	}
	if b.dueToTell() {
		meter.Record(metrics.Percent(metrics.ServiceBudgetUsed, 100*spent.Dollars()/b.budget.Dollars()))
	}
	return spent >= b.budget, nil
}

func (b *Breaker) dueToTell() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.now()
	if now.Sub(b.toldAt) < tellEvery {
		return false
	}
	b.toldAt = now
	return true
}
