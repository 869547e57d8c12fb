//go:build !unix

package lambda

import (
	"os"
	"syscall"
)

func processAttributes() *syscall.SysProcAttr { return nil }

func killGroup(p *os.Process) { _ = p.Kill() }

// Processes cannot be frozen here.
func stopGroup(*os.Process)     {}
func continueGroup(*os.Process) {}
