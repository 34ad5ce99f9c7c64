//go:build !linux

package sched

import (
	"os"
	"syscall"
)

var guardSignals = []os.Signal{os.Interrupt, syscall.SIGTERM}

func dieWithParent() *syscall.SysProcAttr { return nil }
func ownGroup() *syscall.SysProcAttr      { return nil }
func wake(*os.Process)                    {}
