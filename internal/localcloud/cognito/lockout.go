package cognito

import (
	"maps"
	"time"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
)

// After five failed sign-ins Cognito refuses any for a second, and after each
// further one for twice as long, up to a quarter of an hour (developer guide,
// "Lockout behavior for failed sign-in attempts").
const (
	triesBeforeLockout = 5
	longestLockout     = 15 * time.Minute
)

var errLockedOut = fail("NotAuthorizedException", "Password attempts exceeded")

// lockout is what somebody failed at since the last sign-in.
type lockout struct {
	Failures int       `json:"failures"`
	LastAt   time.Time `json:"lastAt"`
	Until    time.Time `json:"until"`
}

// lockoutKey is by what failures are counted: those of nobody, too, so that
// they do not tell who exists.
func (a signInAttempt) lockoutKey() string {
	if a.known {
		return a.user.Sub
	}
	return a.pool.normal(a.user.Username)
}

func (p *pool) locked(key string, now time.Time) *awsapi.Error {
	if now.Before(p.lockouts[key].Until) {
		return errLockedOut
	}
	return nil
}

// failed counts a failure. What was not tried for long is forgotten.
func (p *pool) failed(key string, now time.Time) {
	maps.DeleteFunc(p.lockouts, func(_ string, l lockout) bool {
		return now.After(l.Until.Add(longestLockout)) && now.After(l.LastAt.Add(longestLockout))
	})
	l := p.lockouts[key]
	l.Failures, l.LastAt = l.Failures+1, now
	if over := l.Failures - triesBeforeLockout; over >= 0 {
		l.Until = now.Add(min(time.Second<<min(over, 10), longestLockout))
	}
	p.lockouts[key] = l
}

// tryPassword runs a check of a password unless its user is locked out.
func (s *Service) tryPassword(a signInAttempt, check func() bool) *awsapi.Error {
	s.mu.Lock()
	refusal := a.pool.locked(a.lockoutKey(), s.deps.Now())
	s.mu.Unlock()
	if refusal != nil {
		return refusal
	}
	if check() && a.known {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	a.pool.failed(a.lockoutKey(), s.deps.Now())
	return errWrongPassword
}
