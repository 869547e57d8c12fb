package bedrock

import (
	"context"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// Exactly waits until d is over or the client has left, as a timer of the kernel
// tells: those of Go are late by up to a millisecond, the more the less a process
// has to do, and a latency that is compared with others should be the same for
// all.
func Exactly(ctx context.Context, d time.Duration) error {
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil {
		return pause(ctx, d)
	}
	timer := os.NewFile(uintptr(fd), "timer")
	defer func() { _ = timer.Close() }()
	if err := unix.TimerfdSettime(fd, 0, &unix.ItimerSpec{Value: unix.NsecToTimespec(d.Nanoseconds())}, nil); err != nil {
		return pause(ctx, d)
	}
	stop := context.AfterFunc(ctx, func() { _ = timer.SetReadDeadline(time.Now()) })
	defer stop()
	_, _ = timer.Read(make([]byte, 8)) // returns when either is over
	return ctx.Err()
}
