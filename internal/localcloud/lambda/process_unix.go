//go:build unix

package lambda

import (
	"os"
	"syscall"
)

func killGroup(p *os.Process)     { _ = syscall.Kill(-p.Pid, syscall.SIGKILL) }
func stopGroup(p *os.Process)     { _ = syscall.Kill(-p.Pid, syscall.SIGSTOP) }
func continueGroup(p *os.Process) { _ = syscall.Kill(-p.Pid, syscall.SIGCONT) }
