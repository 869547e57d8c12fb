package lives_test

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/lambdas/internal/queue"
)

// process is one process of a function. It can be killed at any call, after
// which nothing of it reaches the outside.
type process struct {
	world    *world
	function string
	skew     time.Duration // of its clock
	handle   handler

	ctx    context.Context
	cancel context.CancelFunc

	mu      sync.Mutex
	left    int       // calls until it is killed or frozen; < 0: never
	freeze  bool      // instead of being killed
	thaws   time.Time // until when it is frozen
	killed  atomic.Bool
	claimed map[string]int // attempts by request; guarded by the ledger
	keys    []life.Key     // of the requests that it works on
}

// handler is how a function handles an event.
type handler func(ctx context.Context, event any) (any, error)

func (p *process) now() time.Time { return time.Now().Add(p.skew) }

func (p *process) dead() bool { return p.killed.Load() }

// die kills the process.
func (p *process) die() bool {
	if p.killed.CompareAndSwap(false, true) {
		p.world.ledger.died(p)
		p.cancel()
	}
	return true
}

// pass counts a call; false if the process did not live to make it.
func (p *process) pass() bool {
	p.mu.Lock()
	p.left--
	due, freeze := p.left == 0, p.freeze
	if due && freeze {
		p.thaws = time.Now().Add(p.world.dice.freezeTime())
	}
	p.mu.Unlock()
	if due && !freeze {
		p.die()
	}
	return !p.dead()
}

// freezeFor lets no call of the process out for d. What is left of them after
// that comes late.
func (p *process) freezeFor(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.thaws = time.Now().Add(d)
}

func (p *process) frozenFor() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return time.Until(p.thaws)
}

// work notes the messages that the process works on.
func (p *process) work(batch events.SQSEvent) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.keys = nil
	for _, m := range batch.Records {
		if key, err := queue.Decode(m.Body); err == nil {
			p.keys = append(p.keys, key)
		}
	}
}

// hold notes that the process works on a request that no message brought.
func (p *process) hold(key life.Key) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.keys = append(p.keys, key)
}

func (p *process) batch() []life.Key {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.keys
}

// doom says when in its next invocation the process is killed or frozen.
func (p *process) doom(d doom) {
	p.mu.Lock()
	p.left, p.freeze = d.calls, d.freeze
	p.mu.Unlock()
	if d.after > 0 {
		p.world.running.Go(func() {
			if sleep(p.ctx, d.after) {
				p.die()
			}
		})
	}
}

// function starts processes as invocations need them. A process handles one
// invocation at a time and is used again.
type function struct {
	world   *world
	name    string
	timeout time.Duration
	start   func(*process) handler

	mu   sync.Mutex
	idle []*process
}

// invoke handles an event. ok is false if the process was killed, timed out or
// failed: the caller learns nothing.
func (f *function) invoke(event any) (answer any, ok bool) {
	p := f.take()
	p.doom(f.world.dice.invocation(f.name))
	ctx, cancel := context.WithTimeout(p.ctx, f.timeout)
	defer cancel()
	type result struct {
		answer any
		err    error
	}
	done := make(chan result, 1)
	f.world.running.Go(func() {
		answer, err := p.handle(ctx, event)
		done <- result{answer, err}
	})
	select {
	case r := <-done:
		if p.dead() {
			return nil, false
		}
		f.give(p)
		return r.answer, r.err == nil
	case <-ctx.Done(): // the deadline, or its death
		if !p.dead() && f.world.ctx.Err() == nil {
			f.world.dice.count("function." + f.name + ".timeout")
			p.die()
		}
		return nil, false
	}
}

func (f *function) take() *process {
	f.mu.Lock()
	defer f.mu.Unlock()
	for len(f.idle) > 0 {
		p := f.idle[len(f.idle)-1]
		f.idle = f.idle[:len(f.idle)-1]
		if !p.dead() {
			return p
		}
	}
	p := &process{world: f.world, function: f.name, skew: f.world.dice.skew(), claimed: map[string]int{}}
	p.ctx, p.cancel = context.WithCancel(f.world.ctx)
	p.handle = f.start(p)
	return p
}

func (f *function) give(p *process) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.idle = append(f.idle, p)
}
