package proc

import (
	"crypto/sha256"
	"encoding/binary"
	"os/exec"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

var starting sync.Mutex

// start starts a command that has a mark, and gives it the mark a second time, as a
// limit of its real-time microseconds that nobody reaches (2^62 at least). A process
// inherits its limits as its environment, yet neither an empty environment nor a
// session of its own takes them away. Where the limit is already bounded, as by
// LimitRTTIME of systemd, the environment has to do.
func start(cmd *exec.Cmd, mark string) error {
	starting.Lock()
	defer starting.Unlock()
	var was unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_RTTIME, &was) == nil && was.Max == unix.RLIM_INFINITY {
		least, _ := limits(mark)
		if unix.Setrlimit(unix.RLIMIT_RTTIME, &unix.Rlimit{Cur: least, Max: was.Max}) == nil {
			defer func() { _ = unix.Setrlimit(unix.RLIMIT_RTTIME, &was) }()
		}
	}
	return cmd.Start()
}

// limits returns the least and the largest limit that stand for a mark: one for the
// mark of one child, all that a process may give for the beginning that these share.
func limits(mark string) (least, largest uint64) {
	beginning, child, _ := strings.Cut(mark, ".")
	sum := sha256.Sum256([]byte(beginning))
	least = 1<<62 | uint64(binary.BigEndian.Uint32(sum[:])>>2)<<32
	if n, err := strconv.ParseUint(child, 10, 32); err == nil {
		return least + n, least + n
	}
	return least, least + 1<<32 - 1
}

// limited says whether a process has a limit that stands for a mark.
func limited(pid int, mark string) bool {
	data := appendFile(nil, pid, "limits")
	_, line, _ := strings.Cut(string(data), "\nMax realtime timeout ")
	fields := strings.Fields(line)
	if len(fields) == 0 {
		return false
	}
	n, err := strconv.ParseUint(fields[0], 10, 64)
	least, largest := limits(mark)
	return err == nil && least <= n && n <= largest
}
