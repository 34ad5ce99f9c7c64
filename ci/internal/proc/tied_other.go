//go:build !linux

package proc

import "syscall"

// TiedGroup is OwnGroup: only Linux can also tie a child's life to ours.
func TiedGroup() *syscall.SysProcAttr { return OwnGroup() }
