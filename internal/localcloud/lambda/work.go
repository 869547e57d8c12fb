package lambda

import (
	"math"
	"time"
)

// initTimeout is what Lambda gives an environment to ask for its first event;
// after it the start is tried once more within the function's time-out
// (docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html).
const initTimeout = 10 * time.Second

// A fault is placed over a typical invocation: one of presumedTypical before
// the first has ended, and of leastTypical at the shortest.
const (
	presumedTypical = time.Second
	leastTypical    = 5 * time.Millisecond
)

// work takes an invocation from its environment's start to its report.
func (f *function) work(inv *invocation) {
	defer f.service.tasks.Done()
	for {
		e, err := f.provide(inv)
		if err != nil {
			f.leave()
			inv.finish(inv.fail(err))
			f.service.options.Meter(Invocation{Function: f.name, RequestID: inv.id, Cold: true, Error: inv.fail(err).errorType, Event: inv.payload})
			return
		}
		if e.run(inv) {
			return
		}
	}
}

// provide returns an environment that waits for an event: a warm one or a new one.
func (f *function) provide(inv *invocation) (*environment, error) {
	for e := f.acquire(); e != nil; e = f.acquire() {
		if !e.gone() {
			return e, nil
		}
	}
	inv.cold = true
	begun := time.Now()
	defer func() { inv.init = time.Since(begun) }()
	if e, err := f.start(initTimeout); err == nil {
		return e, nil
	}
	f.mu.Lock()
	timeout := f.spec.timeout()
	f.mu.Unlock()
	return f.start(timeout)
}

func (f *function) start(limit time.Duration) (*environment, error) {
	e, err := newEnvironment(f)
	if err != nil {
		return nil, err
	}
	if err := e.awaitReady(limit); err != nil {
		e.kill()
		return nil, err
	}
	return e, nil
}

// run works one invocation in the environment. It returns false when a warm
// process had ended before it could take the event.
func (e *environment) run(inv *invocation) bool {
	f := e.function
	e.logStart(inv)
	inv.begin(e.spec.timeout())
	e.current.Store(inv)
	e.events <- inv
	out, alive := e.await(inv)
	if !alive && !inv.cold && e.tookNothing() {
		return false
	}
	if alive {
		f.answered()
	}
	f.leave()
	inv.finish(out)
	if alive {
		e.awaitNext(inv)
	} else {
		e.kill()
	}
	e.report(inv, out)
	if alive {
		f.release(e)
	}
	return true
}

// tookNothing reports whether the event is still where /next would find it.
func (e *environment) tookNothing() bool {
	select {
	case <-e.events:
		return e.function.service.isOpen()
	default:
		return false
	}
}

// await waits for what ends the invocation: its response, the end of the
// process, the deadline or a fault.
func (e *environment) await(inv *invocation) (out outcome, alive bool) {
	deadline := time.NewTimer(time.Until(inv.deadline))
	defer deadline.Stop()
	fault := e.faultTimer(inv.fault)
	for {
		select {
		case out := <-inv.outcome:
			if inv.fault.ends() {
				return e.strike(inv), false
			}
			return out, true
		case <-e.process.exited:
			select {
			case out := <-inv.outcome:
				return out, false
			default:
				return inv.fail(exitError(e.process)), false
			}
		case <-deadline.C:
			return inv.fail(timedOut(e.spec.timeout())), false
		case <-fault:
			if inv.fault.ends() {
				return e.strike(inv), false
			}
			e.process.freeze(inv.fault.Freeze)
		}
	}
}

// awaitNext waits until the process asks for another event, which completes the
// invocation.
func (e *environment) awaitNext(inv *invocation) {
	deadline := time.NewTimer(time.Until(inv.deadline))
	defer deadline.Stop()
	select {
	case <-e.ready:
	case <-e.process.exited:
	case <-deadline.C:
		e.kill()
	}
}

func (f Fault) ends() bool { return f.Kill || f.Panic || f.Timeout }

// faultTimer fires at the fault's place in a typical invocation.
func (e *environment) faultTimer(fault Fault) <-chan time.Time {
	if !fault.ends() && fault.Freeze <= 0 {
		return nil
	}
	e.function.mu.Lock()
	typical := e.function.typical
	e.function.mu.Unlock()
	if typical == 0 {
		typical = presumedTypical
	}
	typical = max(typical, leastTypical)
	return time.After(time.Duration(fault.At * float64(typical)))
}

// strike kills the process and says what Lambda would have seen.
func (e *environment) strike(inv *invocation) outcome {
	e.kill()
	switch {
	case inv.fault.Timeout:
		return inv.fail(timedOut(e.spec.timeout()))
	case inv.fault.Panic:
		return inv.fail(&functionError{"Runtime.ExitError", "Error: Runtime exited with error: exit status 2"})
	default:
		return inv.fail(&functionError{"Runtime.ExitError", "Error: Runtime exited with error: signal: killed"})
	}
}

// report writes the REPORT line and tells the meter.
func (e *environment) report(inv *invocation, out outcome) {
	f := e.function
	used := Invocation{
		Function: f.name, RequestID: inv.id, Cold: inv.cold, Init: inv.init,
		Duration: time.Since(inv.begun), MemoryMB: e.spec.MemorySize, MaxMemory: e.process.maxMemory(), Error: out.errorType, Event: inv.payload,
	}
	billed := math.Ceil(float64(used.Duration+used.Init) / float64(time.Millisecond))
	used.GBSeconds = billed / 1000 * float64(used.MemoryMB) / 1024
	if inv.stream != nil {
		used.StreamedBytes = inv.stream.bytes.Load()
	}
	if out.errorType == "" {
		f.mu.Lock()
		f.typical = movingAverage(f.typical, used.Duration)
		f.mu.Unlock()
	}
	e.logReport(used, billed)
	f.service.options.Meter(used)
}

func movingAverage(average, value time.Duration) time.Duration {
	if average == 0 {
		return value
	}
	return (7*average + value) / 8
}

func (s *Service) isOpen() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.closed
}
