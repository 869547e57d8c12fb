//go:build linux

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// descendants lists the processes below one.
func descendants(t *testing.T, pid int) []int {
	t.Helper()
	found := []int{}
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	if err != nil {
		t.Fatal(err)
	}
	for _, task := range tasks {
		children, err := os.ReadFile(task)
		if err != nil {
			continue // the thread has ended
		}
		for text := range strings.FieldsSeq(string(children)) {
			child, err := strconv.Atoi(text)
			if err != nil {
				t.Fatal(err)
			}
			found = append(found, child)
			found = append(found, descendants(t, child)...)
		}
	}
	return found
}

// commandOf returns the command line of a process, "" for one that has ended,
// whether or not somebody has taken notice of that.
func commandOf(pid int) string {
	line, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "cmdline"))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(strings.ReplaceAll(string(line), "\x00", " "))
}
