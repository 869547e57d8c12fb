package lambda

import (
	"net/http"
	"os/exec"
	"sync"
	"sync/atomic"
	"time"
)

// environment is one execution environment: a process that works one
// invocation at a time.
type environment struct {
	function    *function
	spec        Spec
	code        code
	generation  int
	token       string // its path on the Runtime API
	stream      string // name of its log stream
	process     *process
	log         *lineWriter
	platformLog func(line []byte)

	events chan *invocation // to the waiting /next
	ready  chan struct{}    // one value for each call of /next

	uses    int // guarded by function.mu while idle
	current atomic.Pointer[invocation]

	mu        sync.Mutex
	initError []byte // what the process posted to init/error
}

// newEnvironment starts a process of the function.
func newEnvironment(f *function) (*environment, error) {
	f.mu.Lock()
	e := &environment{
		function: f, spec: f.spec, code: f.code, generation: f.generation,
		process: newProcess(), events: make(chan *invocation, 1), ready: make(chan struct{}, 1),
	}
	entrypoint := f.entrypoint
	f.mu.Unlock()
	if entrypoint != nil {
		return nil, entrypoint
	}
	e.stream = newStreamName(time.Now())
	e.token = f.service.runtime.add(e)
	e.log, e.platformLog = f.openLogs(e)
	if err := e.exec(); err != nil {
		f.service.runtime.remove(e.token)
		return nil, &invalidEntrypoint{err.Error()}
	}
	f.mu.Lock()
	f.pool.add(e)
	ended := f.ended
	f.mu.Unlock()
	f.service.environments.Go(e.watch)
	if ended {
		e.kill()
	}
	return e, nil
}

func (e *environment) exec() error {
	variables := e.variables()
	return e.function.service.spawner.start(e.process, func() *exec.Cmd {
		command := exec.Command(e.code.bootstrap()) //nolint:noctx // an environment outlives the invocation that starts it
		command.Dir, command.Env = e.code.dir, variables
		command.Stdout, command.Stderr = e.log, e.log
		return command
	})
}

// watch waits for the end of the process and of its output, and forgets the
// environment.
func (e *environment) watch() {
	<-e.process.exited
	e.log.flush()
	e.function.service.runtime.remove(e.token)
	e.function.forget(e)
}

func (e *environment) kill() { e.process.kill() }

func (e *environment) gone() bool {
	select {
	case <-e.process.exited:
		return true
	default:
		return false
	}
}

// reapAfter is called with function.mu held.
func (e *environment) reapAfter(idle time.Duration) {
	e.uses++
	use := e.uses
	time.AfterFunc(idle, func() { e.function.reap(e, use) })
}

// awaitReady waits until the process asks for its first event.
func (e *environment) awaitReady(limit time.Duration) error {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-e.ready:
		return nil
	case <-e.process.exited:
		return e.initFailure()
	case <-timer.C:
		e.kill()
		return timedOut(limit)
	}
}

func (e *environment) initFailure() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.initError != nil {
		return &postedError{e.initError}
	}
	return exitError(e.process)
}

// serveNext blocks until there is an event for the process.
func (e *environment) serveNext(w http.ResponseWriter, r *http.Request) {
	select {
	case e.ready <- struct{}{}:
	default: // asked twice, as after a dropped connection
	}
	select {
	case inv := <-e.events:
		inv.writeEvent(w)
	case <-e.process.exited:
	case <-r.Context().Done():
	}
}
