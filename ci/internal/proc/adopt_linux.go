package proc

import (
	"os"
	"slices"
	"sync/atomic"
	"syscall"

	"golang.org/x/sys/unix"
)

var adopting atomic.Bool

// Adopt makes this process the parent of whatever its descendants leave behind,
// instead of the machine's first process. So no descendant can hide: EndAdopted
// also finds one that left its group and its session and dropped its environment.
// It is for a program whose children are all known, not for a library: an adopted
// process cannot be told from a child that somebody else started.
func Adopt() error {
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return err
	}
	adopting.Store(true)
	return nil
}

// Children returns the children of this process that Adopt would not bring, to be
// asked before one is started whose leavings are to be found. Without Adopt it
// returns nil.
func Children() (pids []int) {
	if !adopting.Load() {
		return nil
	}
	for _, p := range processes() {
		if p.parent == os.Getpid() {
			pids = append(pids, p.pid)
		}
	}
	return pids
}

// EndAdopted ends and collects the children of this process that are neither the
// child pid nor among known, which is what Children said before pid was started.
// Nobody else may have started any since. It goes on until none is left, for each
// that ends may leave others, and names those that had left the group of pid, "NAME
// (PID)". Without Adopt it does nothing.
func EndAdopted(pid int, known []int) (killed []string) {
	if !adopting.Load() {
		return nil
	}
	known = append(slices.Clone(known), pid)
	for range mostRounds {
		left := false
		for _, p := range processes() {
			if p.parent != os.Getpid() || slices.Contains(known, p.pid) {
				continue
			}
			name, err := end(p.pid)
			if err != nil { // another user's now: it cannot be ended, nor waited for
				known = append(known, p.pid)
				continue
			}
			left = true
			if p.group != pid && !p.ended {
				killed = append(killed, name)
			}
			_, _ = syscall.Wait4(p.pid, nil, 0, nil)
		}
		if !left {
			break
		}
	}
	return killed
}

// mostRounds ends an endless race with a program that forks faster than it is ended.
const mostRounds = 1000
