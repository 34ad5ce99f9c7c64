//go:build !linux

package sched

import (
	"os"
	"syscall"
)

var guardSignals = []os.Signal{os.Interrupt, syscall.SIGTERM}

func wake(*os.Process) {}
