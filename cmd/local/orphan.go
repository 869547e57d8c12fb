package main

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// orphanPoll is how often the parent is looked at.
const orphanPoll = 250 * time.Millisecond

// orphaned returns a channel that closes when the `go run` that started this
// process has ended: a signal that ends the go command does not reach the
// program that it runs. Any other parent may end without consequence.
func orphaned(ctx context.Context) <-chan struct{} {
	gone := make(chan struct{})
	parent := os.Getppid()
	if !isGoCommand(parent) {
		return gone
	}
	go func() {
		ticker := time.NewTicker(orphanPoll)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
				if os.Getppid() != parent {
					close(gone)
					return
				}
			}
		}
	}()
	return gone
}

// isGoCommand tells whether a process is the go command, where the system
// shows the names of processes as files.
func isGoCommand(pid int) bool {
	name, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "comm"))
	return err == nil && strings.TrimSpace(string(name)) == "go"
}
