//go:build unix

package functionbuild

import (
	"os/exec"
	"syscall"
)

// endWithChildren makes the end of a command's context end the compilers that
// it has started too.
func endWithChildren(command *exec.Cmd) {
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	command.Cancel = func() error { return syscall.Kill(-command.Process.Pid, syscall.SIGKILL) }
}
