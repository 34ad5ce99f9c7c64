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

// startLimited starts a command with a limit of its real-time microseconds that
// nobody reaches (2^62 at least) and that stands for the marks of this process. A
// process inherits its limits as its environment, yet neither an empty environment
// nor a session of its own takes them away. Where the limit is already bounded, as
// by LimitRTTIME of systemd, the environment has to do.
//
// What another goroutine starts in the same moment may have the limit too. So only
// the guard goes by it, once this process has ended.
func startLimited(cmd *exec.Cmd) error {
	starting.Lock()
	defer starting.Unlock()
	var was unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_RTTIME, &was) == nil && was.Max == unix.RLIM_INFINITY {
		if unix.Setrlimit(unix.RLIMIT_RTTIME, &unix.Rlimit{Cur: limitOf(marks), Max: was.Max}) == nil {
			defer func() { _ = unix.Setrlimit(unix.RLIMIT_RTTIME, &was) }()
		}
	}
	return cmd.Start()
}

// killLimited ends the processes that have the limit of marks that begin so.
func killLimited(beginning string) []string {
	limit := limitOf(beginning)
	return killThose(func(pid int) bool { return hasLimit(pid, limit) }, 0)
}

// limitOf is the limit that stands for marks with a beginning.
func limitOf(beginning string) uint64 {
	sum := sha256.Sum256([]byte(beginning))
	return 1<<62 | binary.BigEndian.Uint64(sum[:])>>2
}

func hasLimit(pid int, limit uint64) bool {
	_, line, _ := strings.Cut(string(appendFile(nil, pid, "limits")), "\nMax realtime timeout ")
	fields := strings.Fields(line)
	return len(fields) > 0 && fields[0] == strconv.FormatUint(limit, 10)
}
