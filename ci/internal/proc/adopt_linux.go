package proc

import (
	"os"
	"os/exec"
	"slices"
	"sync"
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

// brood is what has been started while others of it run. The last of them to end
// takes along what all of them left: whom an adopted process came from is not known,
// and one that still runs may need it.
var brood struct {
	sync.Mutex
	running int
	spared  []int // children that nobody adopted: those before the first, and all that were started
}

// startOfBrood starts a command that EndAdopted will be told the end of. Without
// Adopt it only starts it.
func startOfBrood(cmd *exec.Cmd, start func(*exec.Cmd) error) error {
	if !adopting.Load() {
		return start(cmd)
	}
	brood.Lock()
	defer brood.Unlock()
	if brood.running == 0 {
		brood.spared = children()
	}
	if err := start(cmd); err != nil {
		return err
	}
	brood.running++
	brood.spared = append(brood.spared, cmd.Process.Pid)
	return nil
}

// children are those of this process now, those that have ended among them.
func children() (pids []int) {
	for _, p := range processes() {
		if p.parent == os.Getpid() {
			pids = append(pids, p.pid)
		}
	}
	return pids
}

// EndAdopted is to be called once for each command that StartMarked has started,
// after it has ended. Where no other one runs it ends and collects the children of
// this process that came by Adopt. It goes on until none is left, for each that ends
// may leave others, and names those that had left the group of pid, "NAME (PID)".
// Children that somebody else has started while commands ran are taken for adopted.
// Without Adopt it does nothing.
func EndAdopted(pid int) (killed []string) {
	if !adopting.Load() {
		return nil
	}
	brood.Lock()
	defer brood.Unlock()
	if brood.running--; brood.running > 0 {
		return nil
	}
	spared := brood.spared
	for range mostRounds {
		left := false
		for _, p := range processes() {
			if p.parent != os.Getpid() || slices.Contains(spared, p.pid) {
				continue
			}
			name, err := end(p.pid)
			if err != nil { // another user's now: it cannot be ended, nor waited for
				spared = append(spared, p.pid)
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
