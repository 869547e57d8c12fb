//go:build unix && !linux

package lambda

import "syscall"

// processAttributes: a group of its own, so that a terminal's Ctrl-C does not
// reach it. A process ends by itself when the Runtime API is gone.
func processAttributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
