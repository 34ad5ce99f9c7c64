package proc

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"syscall"
)

// KillMarked ends the processes outside of a group whose environment has an
// entry that starts with mark, and names them, "NAME (PID)". Only what a marked
// child started can have inherited the entry, wherever it has gone since: a daemon
// leaves its group, its session and its parent, but keeps it. Group 0 is nobody's.
func KillMarked(mark string, group int) (killed []string) {
	if mark == "" {
		return nil
	}
	entry, buf := []byte("\x00"+mark), make([]byte, 1, 16<<10) // its first byte stands before the first entry
	return killThose(func(pid int) bool {
		buf = appendFile(buf[:1], pid, "environ") // of other users' processes nothing
		return bytes.Contains(buf, entry)
	}, group)
}

// killThose ends the processes outside of a group that which picks, and names them.
func killThose(which func(pid int) bool, group int) (killed []string) {
	for _, pid := range PIDs("/proc") {
		if !which(pid) {
			continue
		}
		if p, ok := processAt(pid); !ok || p.ended || group != 0 && p.group == group {
			continue
		}
		if name, err := end(pid); err == nil {
			killed = append(killed, name)
		}
	}
	return killed
}

// GroupMembers returns the processes of a group that have not ended.
func GroupMembers(group int) []int {
	var members []int
	for _, p := range processes() {
		if p.group == group && !p.ended {
			members = append(members, p.pid)
		}
	}
	return members
}

// end kills a process and names it, "NAME (PID)".
func end(pid int) (string, error) {
	name, _ := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
	return fmt.Sprintf("%s (%d)", OneLine(string(name), 100), pid), syscall.Kill(pid, syscall.SIGKILL)
}

// A process as /proc/PID/stat has it; see proc_pid_stat(5).
type process struct {
	pid, parent, group int
	ended              bool // nobody has collected it yet
}

func processes() (all []process) {
	buf := make([]byte, 0, 4<<10)
	for _, pid := range PIDs("/proc") {
		buf = appendFile(buf[:0], pid, "stat")
		if p, ok := parseStat(pid, buf); ok {
			all = append(all, p)
		}
	}
	return all
}

// processAt reads the stat file of a process; not ok means that the process has
// ended meanwhile.
func processAt(pid int) (p process, ok bool) {
	return parseStat(pid, appendFile(nil, pid, "stat"))
}

func parseStat(pid int, text []byte) (p process, ok bool) {
	_, rest, ok := bytes.Cut(text[bytes.LastIndexByte(text, ')')+1:], []byte(" ")) // from the third field on; the name before may hold blanks
	if !ok || !bytes.ContainsRune(text, ')') {
		return process{}, false
	}
	state, rest, _ := bytes.Cut(rest, []byte(" "))
	parent, rest, _ := bytes.Cut(rest, []byte(" "))
	group, _, ok := bytes.Cut(rest, []byte(" "))
	number := func(text []byte) int { n, _ := strconv.Atoi(string(text)); return n }
	return process{
		pid: pid, parent: number(parent), group: number(group),
		ended: string(state) == "Z" || string(state) == "X",
	}, ok
}

// appendFile appends to b what a file of a process holds, as far as it can be
// read. It is asked for each process of the machine between two trials, so it
// goes without os.File, whose deadlines such files do not have and which takes
// twice as many system calls.
func appendFile(b []byte, pid int, name string) []byte {
	fd, err := retry(func() (int, error) {
		return syscall.Open("/proc/"+strconv.Itoa(pid)+"/"+name, syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
	})
	if err != nil {
		return b
	}
	defer syscall.Close(fd)
	for {
		if cap(b)-len(b) < 1<<10 {
			b = append(b, make([]byte, max(len(b), 4<<10))...)[:len(b)]
		}
		n, err := retry(func() (int, error) { return syscall.Read(fd, b[len(b):cap(b)]) })
		if err != nil || n <= 0 {
			return b
		}
		b = b[:len(b)+n]
	}
}

// retry calls a system call until no signal interrupts it.
func retry(call func() (int, error)) (n int, err error) {
	for {
		if n, err = call(); !errors.Is(err, syscall.EINTR) {
			return n, err
		}
	}
}
