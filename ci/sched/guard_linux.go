package sched

import (
	"os"
	"syscall"
)

// guardSignals would end a guard by default, and leave nobody to unload. That
// the reader of its output is gone (SIGPIPE) is one of them.
var guardSignals = []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGPIPE}

// dieWithParent makes a child end when the thread that starts it does.
func dieWithParent() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// ownGroup keeps the terminal's interrupt from a child.
func ownGroup() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

func wake(p *os.Process) { _ = p.Signal(syscall.SIGCONT) }
