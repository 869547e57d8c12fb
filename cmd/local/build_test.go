//go:build linux

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestAnInterruptEndsABuild interrupts while the go command waits for a tool
// that never ends.
func TestAnInterruptEndsABuild(t *testing.T) {
	t.Parallel()
	project := t.TempDir()
	tool := filepath.Join(project, "bin", "go")
	for path, content := range map[string]string{
		filepath.Join(project, "Pulumi.yaml"):     "name: streaming-service\nruntime: go\n",
		filepath.Join(project, "Pulumi.dev.yaml"): "config: {}\n",
		tool: "#!/bin/sh\nsleep 60 &\nwait\n",
	} {
		if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o700); err != nil { //nolint:gosec // the tool must be executable
			t.Fatal(err)
		}
	}
	executable, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	process := exec.CommandContext(t.Context(), executable, "-addr", "127.0.0.1:0", "-data", filepath.Join(project, "data"))
	process.Dir = project
	process.Env = append(os.Environ(), runAsCommand+"=1", "PATH="+filepath.Dir(tool)+":"+os.Getenv("PATH"))
	stderr, err := os.Create(filepath.Join(project, "stderr"))
	if err != nil {
		t.Fatal(err)
	}
	defer stderr.Close()
	process.Stderr = stderr
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = process.Process.Kill() })
	var children []int
	for deadline := time.Now().Add(20 * time.Second); !sleeping(children); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("no build began within 20 s")
		}
		children = descendants(t, process.Process.Pid)
	}
	begun := time.Now()
	if err := process.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	_ = process.Wait()
	if took := time.Since(begun); took > 2*time.Second {
		t.Errorf("stopping took %v, want at most 2 s", took)
	}
	if code := process.ProcessState.ExitCode(); code != exitInterrupted {
		t.Errorf("exit status %d, want %d", code, exitInterrupted)
	}
	for _, pid := range children {
		if command := commandOf(pid); command != "" {
			t.Errorf("process %d (%s) is still there", pid, command)
		}
	}
}

// sleeping tells whether one of the processes is the tool's child.
func sleeping(pids []int) bool {
	for _, pid := range pids {
		if strings.HasPrefix(commandOf(pid), "sleep") {
			return true
		}
	}
	return false
}
