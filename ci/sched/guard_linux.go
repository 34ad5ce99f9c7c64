package sched

import (
	"os"
	"syscall"
)

// guardSignals would end a guard by default, and leave nobody to unload. That
// the reader of its output is gone (SIGPIPE) is one of them.
var guardSignals = []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGPIPE}

func wake(p *os.Process) { _ = p.Signal(syscall.SIGCONT) }
