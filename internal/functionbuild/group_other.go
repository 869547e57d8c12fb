//go:build !unix

package functionbuild

import "os/exec"

// endWithChildren does nothing where the system has no process groups.
func endWithChildren(*exec.Cmd) {}
