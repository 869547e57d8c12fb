package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/streaming-service/streaming-service/components"
	"github.com/streaming-service/streaming-service/internal/localcloud/provision"
	"github.com/streaming-service/streaming-service/internal/localcloud/usage"
	quotas "github.com/streaming-service/streaming-service/lambdas/operator"
	"github.com/streaming-service/streaming-service/protocol"
)

// Requests of the row limits cost exactly what is reserved for them: input is for
// nothing, and the answer has as many tokens as it may.
const (
	limitedTokens = 5
	limitedCost   = limitedTokens * protocol.Dollar / 1_000_000 // at $1 a million
	admitTarget   = 4                                           // write units, beside those of the input and the index
)

// limited are the settings of a service with all limits on.
var limited = []string{
	"throttle.rateLimit=10000", "throttle.burstLimit=5000", "throttle.userRateLimit=1000", "throttle.userBurstLimit=100000", "throttle.userConcurrency=10000",
	"quota.monthlyRequests=1000000", "quota.monthlyTokens=1000000000", "quota.monthlyBudget=1", "quota.serviceMonthlyBudget=1000000",
	`model.prices["` + components.DefaultModelID + `"].input=0`, `model.prices["` + components.DefaultModelID + `"].output=1`,
}

// measureLimits has callers of one user submit at once, until a budget is spent
// that is enough for some of them.
func measureLimits(ctx context.Context, b *bench) (result, error) {
	var r result
	if err := b.addAdmissionUnits(ctx, &r); err != nil {
		return r, err
	}
	c, err := b.startCloud(ctx, nil, everything, limited...)
	if err != nil {
		return r, err
	}
	defer c.Close() //nolint:errcheck // nothing is kept
	u, err := c.signIn(ctx)
	if err != nil {
		return r, err
	}
	defer u.close()
	o, err := quotas.Connect(ctx, quotas.Target{
		Function: c.config.FunctionARNs[components.FunctionQuota], UserPoolID: c.config.UserPoolID, Endpoint: c.URL(), Region: c.config.Region,
	})
	if err != nil {
		return r, err
	}
	for _, callers := range []int{1, 16, 200} {
		crowd := &crowd{cloud: c, user: u, operator: o, callers: callers, fits: max(b.times(50, 20), 2*callers)}
		if err := crowd.addTo(ctx, &r); err != nil {
			return r, err
		}
	}
	r.note("one user over REST, with limits on requests, tokens, budget, rate and open requests, and a budget of the service; answers of %d tokens that cost $%s each", limitedTokens, limitedCost)
	return r, nil
}

// addAdmissionUnits meters one admission where nobody takes its message.
func (b *bench) addAdmissionUnits(ctx context.Context, r *result) error {
	c, err := b.startCloud(ctx, nil, func(p provision.Resource) bool { return p.Type != mappingType }, limited...)
	if err != nil {
		return err
	}
	defer c.Close() //nolint:errcheck // nothing is kept
	u, err := c.signIn(ctx)
	if err != nil {
		return err
	}
	defer u.close()
	submit := func() error { _, err := u.submit(ctx, limitedRequest()); return err }
	if err := submit(); err != nil { // the second one enters no index
		return err
	}
	before, _, err := c.usage(ctx)
	if err != nil {
		return err
	}
	if err := submit(); err != nil {
		return err
	}
	after, _, err := c.usage(ctx)
	if err != nil {
		return err
	}
	used := difference(after, before).Counters
	const input = 1 // of less than 1 KB
	units := used[usage.WriteUnits] - used[usage.IndexWriteUnits] - input
	r.add(measure{
		what: "write units of an admission", value: fmt.Sprintf("%g", units), spread: "and 1 of its input", beside: fmt.Sprintf("read units %g", used[usage.ReadUnits]),
		target: fmt.Sprintf("≤ %d", admitTarget), met: units <= admitTarget,
	})
	return nil
}

func limitedRequest() protocol.SubmitRequest {
	request := scripted("Count, please", fmt.Sprintf("tokens=%d rate=0", limitedTokens))
	request.MaxTokens = new(limitedTokens)
	return request
}

// crowd is callers of one user, of whose requests a budget admits so many.
type crowd struct {
	*cloud
	user     *user
	operator *quotas.Operator
	callers  int
	fits     int
	limit    protocol.USD // of the user

	mu                sync.Mutex
	admitted, refused sample
	unknown           int // 502 to 504: too many at once write the user's item
	failed            error
}

func (c *crowd) addTo(ctx context.Context, r *result) error {
	if err := c.setBudget(ctx); err != nil {
		return err
	}
	var callers sync.WaitGroup
	for range c.callers {
		callers.Go(func() { c.ask(ctx) })
	}
	callers.Wait()
	if c.failed != nil {
		return c.failed
	}
	status, err := c.operator.Show(ctx, c.config.DemoUser)
	if err != nil {
		return err
	}
	spent := status.Usage.Budget.Used + status.Usage.Budget.Reserved
	over := int64((spent - c.limit) / limitedCost)
	took := c.admitted.several(0.5, 0.95, 0.99)
	r.add(measure{
		what: fmt.Sprintf("admission, %d callers at once", c.callers), value: "p50 " + milliseconds(took[0]),
		spread: "p95 " + milliseconds(took[1]) + ", p99 " + milliseconds(took[2]), beside: "refused in " + milliseconds(c.refused.median()),
	})
	r.add(measure{
		what: "  admitted beyond the budget", value: fmt.Sprint(over), spread: fmt.Sprintf("%d fit, %d refused, %d times 502 to 504", c.fits, len(c.refused), c.unknown),
		target: "0", met: spent == c.limit,
	})
	return nil
}

// setBudget leaves the user a budget for exactly so many requests more, once
// those before have been settled.
func (c *crowd) setBudget(ctx context.Context) error {
	for {
		status, err := c.operator.Show(ctx, c.config.DemoUser)
		if err != nil {
			return err
		}
		if status.Usage.Budget.Reserved == 0 {
			c.limit = status.Usage.Budget.Used + protocol.USD(c.fits)*limitedCost
			return c.operator.Set(ctx, c.config.DemoUser, quotas.Override{MonthlyBudget: &c.limit})
		}
		if err := pause(ctx, 100*time.Millisecond); err != nil {
			return err
		}
	}
}

// ask submits until the budget refuses.
func (c *crowd) ask(ctx context.Context) {
	for {
		began := time.Now()
		_, err := c.user.submit(ctx, limitedRequest())
		if !c.goesOn(err, time.Since(began)) {
			return
		}
	}
}

// goesOn notes an answer and tells whether to ask again.
func (c *crowd) goesOn(err error, took time.Duration) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case err == nil:
		c.admitted = append(c.admitted, took)
		return true
	case strings.HasPrefix(err.Error(), "submitting: 50"):
		c.unknown++
		return true
	case !strings.Contains(err.Error(), `"quota":"budget"`):
		c.failed = errors.Join(c.failed, err)
		return false
	}
	c.refused = append(c.refused, took)
	return false
}
