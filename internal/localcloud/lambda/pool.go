package lambda

import (
	"slices"
	"time"
)

// defaultFinishingWait is how long an invocation waits for an environment that has
// answered but not yet asked for the next event, before it starts another.
const defaultFinishingWait = 25 * time.Millisecond

// pool holds the environments of a function; the function's mutex guards it.
type pool struct {
	environments map[*environment]struct{}
	idle         []*environment // most recently used last
	finishing    int            // answered, not yet idle
	waiters      []chan *environment
}

func (p *pool) add(e *environment) {
	if p.environments == nil {
		p.environments = map[*environment]struct{}{}
	}
	p.environments[e] = struct{}{}
}

func (p *pool) remove(e *environment) {
	delete(p.environments, e)
	p.idle = slices.DeleteFunc(p.idle, func(other *environment) bool { return other == e })
}

func (p *pool) all() []*environment {
	all := make([]*environment, 0, len(p.environments))
	for e := range p.environments {
		all = append(all, e)
	}
	return all
}

func (p *pool) takeIdle() []*environment {
	idle := p.idle
	p.idle = nil
	return idle
}

// handOver gives an environment to who has waited longest; nil has him start
// another.
func (p *pool) handOver(e *environment) {
	p.waiters[0] <- e
	p.waiters = p.waiters[1:]
}

// acquire returns a warm environment, or nil when one must be started.
func (f *function) acquire() *environment {
	f.mu.Lock()
	p := &f.pool
	if last := len(p.idle) - 1; last >= 0 {
		e := p.idle[last]
		p.idle = p.idle[:last]
		f.mu.Unlock()
		return e
	}
	if len(p.waiters) >= p.finishing {
		f.mu.Unlock()
		return nil
	}
	waiter := make(chan *environment, 1)
	p.waiters = append(p.waiters, waiter)
	f.mu.Unlock()
	return f.await(waiter)
}

func (f *function) await(waiter chan *environment) *environment {
	select {
	case e := <-waiter:
		return e
	case <-time.After(f.service.finishingWait):
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.pool.waiters = slices.DeleteFunc(f.pool.waiters, func(other chan *environment) bool { return other == waiter })
	select {
	case e := <-waiter: // handed over between the time-out and the lock
		return e
	default:
		return nil
	}
}

// answered notes that an environment will soon be idle.
func (f *function) answered() {
	f.mu.Lock()
	f.pool.finishing++
	f.mu.Unlock()
}

// release makes an environment idle, or ends it when it is outdated. It undoes
// answered.
func (f *function) release(e *environment) {
	f.mu.Lock()
	f.pool.finishing--
	switch {
	case e.generation != f.generation || e.gone():
		if len(f.pool.waiters) > f.pool.finishing {
			f.pool.handOver(nil) // one that waited for this environment
		}
		f.mu.Unlock()
		e.kill()
		return
	case len(f.pool.waiters) > 0:
		f.pool.handOver(e)
	default:
		f.pool.idle = append(f.pool.idle, e)
		e.reapAfter(f.service.options.IdleTimeout)
	}
	f.mu.Unlock()
}

// reap ends an environment that stayed idle since it was released for the use-th time.
func (f *function) reap(e *environment, use int) {
	f.mu.Lock()
	idle := slices.Contains(f.pool.idle, e) && e.uses == use
	if idle {
		f.pool.remove(e)
	}
	f.mu.Unlock()
	if idle {
		e.kill()
	}
}

func (f *function) forget(e *environment) {
	f.mu.Lock()
	f.pool.remove(e)
	f.mu.Unlock()
}
