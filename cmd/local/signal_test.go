//go:build linux

package main

import (
	"bufio"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// command is a running local cloud.
type command struct {
	*exec.Cmd
	url    string
	stderr *strings.Builder
}

// startCommand runs the command in the project until it is ready.
func startCommand(t *testing.T, args ...string) *command {
	t.Helper()
	return startCommandWith(t, nil, args...)
}

func startCommandWith(t *testing.T, environment []string, args ...string) *command {
	t.Helper()
	executable, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var stderr strings.Builder
	process := exec.CommandContext(t.Context(), executable, append([]string{"-addr", "127.0.0.1:0"}, args...)...)
	process.Dir = filepath.Join("..", "..")
	process.Env = append(os.Environ(), runAsCommand+"=1")
	process.Env = append(process.Env, environment...)
	process.Stderr = &stderr
	stdout, err := process.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = process.Process.Kill() })
	line, err := bufio.NewReader(stdout).ReadString('\n')
	url, ok := strings.CutPrefix(strings.TrimSpace(line), "ready: ")
	if err != nil || !ok {
		_ = process.Wait()
		t.Fatalf("first line %q, %v; standard error:\n%s", line, err, &stderr)
	}
	return &command{process, url, &stderr}
}

// startFunction makes a function run.
func (c *command) startFunction(t *testing.T) {
	t.Helper()
	var config struct{ RestURL string }
	getJSON(t, c.url+"/config.json", &config)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodOptions, config.RestURL+"/usage", nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode >= http.StatusInternalServerError {
		t.Fatalf("calling a function: status %d", response.StatusCode)
	}
}

func TestAnInterruptEndsEverything(t *testing.T) {
	t.Parallel()
	for _, signal := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		t.Run(signal.String(), func(t *testing.T) {
			t.Parallel()
			c := startCommand(t, "-data", filepath.Join(t.TempDir(), "data"))
			c.startFunction(t)
			children := descendants(t, c.Process.Pid)
			if len(children) == 0 {
				t.Fatal("no process of a function is running")
			}
			begun := time.Now()
			if err := c.Process.Signal(signal); err != nil {
				t.Fatal(err)
			}
			if err := c.Wait(); err != nil {
				t.Errorf("exit: %v; standard error:\n%s", err, c.stderr)
			}
			if took := time.Since(begun); took > 2*time.Second {
				t.Errorf("stopping took %v, want at most 2 s", took)
			}
			for _, pid := range children {
				if command := commandOf(pid); command != "" {
					t.Errorf("process %d (%s) is still there", pid, command)
				}
			}
		})
	}
}

func TestTheSecondInterruptEndsAtOnce(t *testing.T) {
	t.Parallel()
	c := startCommand(t)
	for range 2 {
		if err := c.Process.Signal(os.Interrupt); err != nil {
			break // it has ended already
		}
		time.Sleep(time.Millisecond)
	}
	begun := time.Now()
	_ = c.Wait() // orderly or not, but soon
	if took := time.Since(begun); took > time.Second {
		t.Errorf("stopping took %v after the second interrupt", took)
	}
}
