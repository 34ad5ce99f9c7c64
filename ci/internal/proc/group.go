// Package proc runs programs of other people: it ends them with all that they
// started (group.go), bounds what is kept of their output (output.go, read.go),
// makes their words fit for a message (text.go), and locks files that they
// inherit (lock.go).
package proc

import (
	"os/exec"
	"syscall"
	"time"
)

// OwnGroup makes a child lead a process group of its own. The interrupt of a
// terminal does not reach it there, and KillGroup reaches all of it.
func OwnGroup() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// TerminateGroup asks the child's process group to end.
func TerminateGroup(cmd *exec.Cmd) { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }

// KillGroup ends the child's process group.
func KillGroup(cmd *exec.Cmd) { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }

// EndTogether makes a command, made by exec.CommandContext, lead a process group
// of its own that ends when its context does. After the end of the first process
// others may hold the output open for five seconds more.
func EndTogether(cmd *exec.Cmd) {
	cmd.SysProcAttr = OwnGroup()
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 5 * time.Second
}
