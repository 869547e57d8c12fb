package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// process is a function that runs on this machine against a Lambda Runtime API
// of its own.
type process struct {
	command  *exec.Cmd
	listener net.Listener
	server   *http.Server
	output   *os.File
	begun    time.Time

	polled  chan time.Time // when /next is called
	events  chan []byte
	answers chan answer
	exited  chan struct{}
}

type answer struct {
	body   []byte
	failed bool
}

// invocationID is that of every invocation: a process has one at a time.
const invocationID = "00000000-0000-0000-0000-000000000000"

// functionTimeout is that of an invocation, the longest that Lambda has.
const functionTimeout = 15 * time.Minute

// startProcess runs a command, with nothing in its environment but variables
// and the address of the Runtime API. The time counts from just before exec.
func startProcess(ctx context.Context, variables map[string]string, dir string, command ...string) (*process, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listening for the Runtime API: %w", err)
	}
	p := &process{
		listener: listener, polled: make(chan time.Time, 1), events: make(chan []byte), answers: make(chan answer, 1), exited: make(chan struct{}),
	}
	p.server = &http.Server{Handler: p.routes(), ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = p.server.Serve(listener) }() // ends with stop
	if p.output, err = os.CreateTemp(dir, "output-*"); err != nil {
		_ = p.server.Close()
		return nil, fmt.Errorf("keeping the output of a function: %w", err)
	}
	p.command = exec.CommandContext(ctx, command[0], command[1:]...)
	p.command.Dir = dir
	p.command.Stdout, p.command.Stderr = p.output, p.output
	p.command.Env = []string{"AWS_LAMBDA_RUNTIME_API=" + listener.Addr().String(), "PATH=" + os.Getenv("PATH"), "TZ=:UTC"}
	for name, value := range variables {
		p.command.Env = append(p.command.Env, name+"="+value)
	}
	p.begun = time.Now()
	if err := p.command.Start(); err != nil {
		_ = p.server.Close()
		return nil, fmt.Errorf("starting %s: %w", filepath.Base(command[0]), err)
	}
	go func() {
		_ = p.command.Wait() // why it ended is in its output
		close(p.exited)
	}()
	return p, nil
}

func (p *process) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /2018-06-01/runtime/invocation/next", p.serveNext)
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/response", func(w http.ResponseWriter, r *http.Request) { p.serveAnswer(w, r, false) })
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/error", func(w http.ResponseWriter, r *http.Request) { p.serveAnswer(w, r, true) })
	return mux
}

func (p *process) serveNext(w http.ResponseWriter, r *http.Request) {
	select {
	case p.polled <- time.Now():
	default: // nobody took the time of the call before
	}
	select {
	case event := <-p.events:
		deadline := time.Now().Add(functionTimeout).UnixMilli()
		w.Header().Set("Lambda-Runtime-Aws-Request-Id", invocationID)
		w.Header().Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(deadline, 10))
		w.Header().Set("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:us-east-1:000000000000:function:benchmark")
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(event) // a broken connection shows as a missing answer
	case <-r.Context().Done():
	}
}

func (p *process) serveAnswer(w http.ResponseWriter, r *http.Request, failed bool) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the process ended meanwhile
	}
	p.answers <- answer{body, failed}
	w.WriteHeader(http.StatusAccepted)
}

// ready waits for the first call of /next and returns how long after exec it
// came.
func (p *process) ready(ctx context.Context) (time.Duration, error) {
	select {
	case at := <-p.polled:
		return at.Sub(p.begun), nil
	case <-p.exited:
		return 0, fmt.Errorf("the function ended at its start: %s", p.lastLine())
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

// invoke sends an event and returns the answer.
func (p *process) invoke(ctx context.Context, event []byte) ([]byte, error) {
	select {
	case p.events <- event:
	case <-p.exited:
		return nil, fmt.Errorf("the function has ended: %s", p.lastLine())
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	select {
	case a := <-p.answers:
		if a.failed {
			return nil, fmt.Errorf("the function failed: %s", a.body)
		}
		return a.body, nil
	case <-p.exited:
		return nil, fmt.Errorf("the function ended in an invocation: %s", p.lastLine())
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// lastLine is the end of what the function printed.
func (p *process) lastLine() string {
	content, err := os.ReadFile(p.output.Name())
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(content)), "\n")
	return lines[len(lines)-1]
}

// stop ends the process and returns the processor time that it used.
func (p *process) stop() time.Duration {
	_ = p.command.Process.Kill() // it may have ended by itself
	<-p.exited
	_ = p.server.Close()
	_ = p.output.Close()
	return p.command.ProcessState.UserTime() + p.command.ProcessState.SystemTime()
}

// peakMemory is the largest resident set that the process has had, bytes; 0
// where the kernel does not tell.
func (p *process) peakMemory() int64 {
	status, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(p.command.Process.Pid), "status"))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	fields := strings.Fields(rest)
	if len(fields) == 0 {
		return 0
	}
	kibibytes, err := strconv.ParseInt(fields[0], 10, 64)
	if err != nil {
		return 0
	}
	return kibibytes << 10
}
