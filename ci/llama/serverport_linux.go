package llama

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/llama-regress/llama-regress/ci/internal/proc"
)

// stranger looks for a process outside of the group that listens on a TCP port
// of this machine, and describes it; "" when there is none that can be seen.
// Builds with an older cpp-httplib share a port that another server of the
// same user listens on (SO_REUSEPORT), and the kernel deals out the
// connections: an answer alone does not tell whose it is.
func stranger(port, group int) string {
	sockets := listeners(port)
	if sockets == nil {
		return ""
	}
	members := proc.GroupMembers(group)
	for _, pid := range members {
		for _, socket := range socketsOf(pid) {
			sockets = slices.DeleteFunc(sockets, func(s string) bool { return s == socket })
		}
	}
	if len(sockets) == 0 {
		return ""
	}
	for _, pid := range proc.PIDs("/proc") {
		if slices.ContainsFunc(socketsOf(pid), func(s string) bool { return slices.Contains(sockets, s) }) && !slices.Contains(members, pid) {
			name, _ := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
			return fmt.Sprintf("process %d (%s)", pid, proc.OneLine(string(name), 100))
		}
	}
	return ""
}

// listeners returns the inodes of the sockets that listen on a port.
func listeners(port int) []string {
	var inodes []string
	for _, table := range []string{"/proc/self/net/tcp", "/proc/self/net/tcp6"} {
		data, _ := os.ReadFile(table)
		for line := range strings.Lines(string(data)) {
			const local, state, inode, listening = 1, 3, 9, "0A"
			fields := strings.Fields(line)
			if len(fields) > inode && fields[state] == listening && strings.HasSuffix(fields[local], fmt.Sprintf(":%04X", port)) {
				inodes = append(inodes, fields[inode])
			}
		}
	}
	return inodes
}

// socketsOf returns the inodes of a process's sockets, none where we may not look.
func socketsOf(pid int) []string {
	folder := fmt.Sprintf("/proc/%d/fd", pid)
	entries, _ := os.ReadDir(folder)
	var inodes []string
	for _, e := range entries {
		target, _ := os.Readlink(filepath.Join(folder, e.Name()))
		if inode, ok := strings.CutPrefix(target, "socket:["); ok {
			inodes = append(inodes, strings.TrimSuffix(inode, "]"))
		}
	}
	return inodes
}
