//go:build !linux

package sched

import (
	"errors"
	"syscall"
)

// A Group is a control group, which only Linux has.
type Group struct{ dir string }

// Enter refuses limits.
func (p *Placement) Enter(*syscall.SysProcAttr) (*Group, error) {
	if p.cores == 0 && p.memory == 0 {
		return &Group{}, nil
	}
	return nil, errors.New("limits of processor time and memory need the control groups of Linux")
}

func (g *Group) verify(int, *Placement, map[string]string) error { return nil }

func (g *Group) keeps(<-chan struct{}) error { return nil }

// OutOfMemory is never so.
func (g *Group) OutOfMemory() bool { return false }

// Leave does nothing.
func (g *Group) Leave() {}
