package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// fullProcessor is the memory, in MB, with which Lambda gives a function one
// whole processor; less of it gives a share (Lambda developer guide,
// configuration-memory).
const fullProcessor = 1769

// cfsPeriod is how often the share is granted anew. Lambda's own period is not
// documented; 20 ms is what others have measured.
const cfsPeriod = 20 * time.Millisecond

// cgroups are where Linux keeps control groups of the processor, in version 1
// and 2, and how a share is written there.
var cgroups = []struct {
	dir   string
	share func(period, quota int64) map[string]string
}{
	{"/sys/fs/cgroup/cpu", func(period, quota int64) map[string]string {
		return map[string]string{"cpu.cfs_period_us": strconv.FormatInt(period, 10), "cpu.cfs_quota_us": strconv.FormatInt(quota, 10)}
	}},
	{"/sys/fs/cgroup", func(period, quota int64) map[string]string {
		return map[string]string{"cpu.max": fmt.Sprintf("%d %d", quota, period)}
	}},
}

// throttle gives a process the share of a processor that Lambda gives to a
// function with so much memory. The process must have ended before release.
func throttle(pid, memoryMB int) (release func(), err error) {
	period := cfsPeriod.Microseconds()
	quota := period * int64(memoryMB) / fullProcessor
	var failures []error
	for _, group := range cgroups {
		dir := filepath.Join(group.dir, fmt.Sprintf("benchmark-%d", pid))
		if err := os.Mkdir(dir, 0o755); err != nil { //nolint:gosec // control groups are readable
			failures = append(failures, err)
			continue
		}
		release := func() { _ = os.Remove(dir) } // an empty group does no harm
		settings := group.share(period, quota)
		for _, name := range []string{"cpu.cfs_period_us", "cpu.cfs_quota_us", "cpu.max"} {
			if value, ok := settings[name]; ok && err == nil {
				err = os.WriteFile(filepath.Join(dir, name), []byte(value), 0o600)
			}
		}
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, "cgroup.procs"), []byte(strconv.Itoa(pid)), 0o600)
		}
		if err == nil {
			return release, nil
		}
		release()
		failures = append(failures, err)
		err = nil
	}
	return nil, fmt.Errorf("limiting the processor: %w", errors.Join(failures...))
}
