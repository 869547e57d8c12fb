package lambda

import (
	"errors"
	"fmt"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
	"time"
)

// spawner starts all processes from one thread that lives as long as they do:
// on Linux a process dies with the thread that started it, which is how none is
// left behind when this program is killed.
type spawner struct {
	requests chan spawnRequest
	done     chan struct{}
}

type spawnRequest struct {
	command func() *exec.Cmd
	started chan spawned
}

type spawned struct {
	command *exec.Cmd
	err     error
}

func newSpawner() *spawner {
	s := &spawner{requests: make(chan spawnRequest), done: make(chan struct{})}
	go s.loop()
	return s
}

func (s *spawner) loop() {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for {
		select {
		case request := <-s.requests:
			command, err := startRetrying(request.command)
			request.started <- spawned{command, err}
		case <-s.done:
			return
		}
	}
}

func (s *spawner) close() { close(s.done) }

// startRetrying starts a command. A binary just written can be busy for a moment:
// a process forked meanwhile by another thread holds it open until its own exec.
func startRetrying(build func() *exec.Cmd) (*exec.Cmd, error) {
	for pause := time.Millisecond; ; pause *= 2 {
		command := build()
		err := command.Start()
		if !errors.Is(err, syscall.ETXTBSY) || pause > 100*time.Millisecond {
			return command, err
		}
		time.Sleep(pause)
	}
}

// pipeGrace is how long the output of a process is read after its end, when a
// descendant still holds it open.
const pipeGrace = 200 * time.Millisecond

// start runs a command in a process group of its own.
func (s *spawner) start(p *process, build func() *exec.Cmd) error {
	request := spawnRequest{started: make(chan spawned, 1), command: func() *exec.Cmd {
		command := build()
		command.WaitDelay = pipeGrace
		command.SysProcAttr = processAttributes()
		return command
	}}
	select {
	case s.requests <- request:
	case <-s.done:
		return errClosed
	}
	result := <-request.started
	if result.err != nil {
		return fmt.Errorf("starting %s: %w", result.command.Path, result.err)
	}
	p.mu.Lock()
	p.command = result.command
	p.mu.Unlock()
	go p.wait(result.command)
	return nil
}

// process is one started bootstrap with its descendants.
type process struct {
	exited chan struct{} // closed when the process has ended

	mu      sync.Mutex
	command *exec.Cmd // nil until it is started
	ended   bool
	peak    int64
	reason  string // set before exited is closed
}

func newProcess() *process { return &process{exited: make(chan struct{})} }

func (p *process) wait(command *exec.Cmd) {
	err := command.Wait()
	p.mu.Lock()
	p.ended = true
	p.reason = "Runtime exited without providing a reason"
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		p.reason = "Runtime exited with error: " + exit.Error()
	}
	killGroup(command.Process) // descendants, if there are any
	p.mu.Unlock()
	close(p.exited)
}

// kill ends the process and its descendants at once.
func (p *process) kill() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.running() {
		p.peak = max(p.peak, residentPeak(p.command.Process.Pid))
		killGroup(p.command.Process)
	}
}

// freeze stops the process for a while.
func (p *process) freeze(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.running() {
		return
	}
	stopGroup(p.command.Process)
	time.AfterFunc(d, func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.running() {
			continueGroup(p.command.Process)
		}
	})
}

// running is called with mu held.
func (p *process) running() bool { return p.command != nil && !p.ended }

// exitReason is valid once exited is closed.
func (p *process) exitReason() string { return p.reason }

// maxMemory returns the largest resident size so far in bytes, 0 if unknown.
func (p *process) maxMemory() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.running() {
		p.peak = max(p.peak, residentPeak(p.command.Process.Pid))
	}
	return p.peak
}
