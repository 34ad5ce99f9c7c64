package proc

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
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
	members := GroupMembers(group)
	for _, pid := range PIDs("/proc") {
		env, _ := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid)) // of other users' processes nothing
		if !bytes.Contains(append([]byte{0}, env...), []byte("\x00"+mark)) {
			continue
		}
		if !slices.Contains(members, pid) {
			if name, err := end(pid); err == nil {
				killed = append(killed, name)
			}
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
	for _, pid := range PIDs("/proc") {
		if p, ok := processAt(fmt.Sprintf("/proc/%d/stat", pid)); ok {
			all = append(all, p)
		}
	}
	return all
}

// processAt reads a stat file; not ok means that the process has ended meanwhile.
func processAt(path string) (p process, ok bool) {
	data, err := os.ReadFile(path)
	text := string(data)
	fields := strings.Fields(text[strings.LastIndexByte(text, ')')+1:]) // from the third on; the name before may hold blanks
	if err != nil || len(fields) < 3 {
		return process{}, false
	}
	number := func(text string) int { n, _ := strconv.Atoi(text); return n }
	p = process{pid: number(filepath.Base(filepath.Dir(path))), parent: number(fields[1]), group: number(fields[2])}
	p.ended = fields[0] == "Z" || fields[0] == "X"
	return p, true
}
