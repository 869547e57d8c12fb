//go:build unix

package localcloud

import (
	"os"
	"syscall"
)

// lockFile takes the exclusive lock of a file until it is closed.
func lockFile(f *os.File) error { return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) }
