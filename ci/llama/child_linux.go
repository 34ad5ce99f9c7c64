package llama

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/llama-regress/llama-regress/ci/internal/proc"
)

// waitFor waits until the child has ended, calls ended while its pid still
// belongs to it (so that signals to its group cannot reach a stranger), and
// then collects it.
func waitFor(cmd *exec.Cmd, ended func()) error {
	for {
		err := unix.Waitid(unix.P_PID, cmd.Process.Pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
		if !errors.Is(err, unix.EINTR) {
			break
		}
	}
	ended()
	return cmd.Wait()
}

// killMarked ends the processes outside of a group that have the entry in
// their environment, and names them. Only what a child started can have
// inherited it, wherever it has gone since: a daemon leaves its group, its
// session and its parent, but keeps this.
func killMarked(entry string, group int) (killed []string) {
	if entry == "" {
		return nil
	}
	members := groupMembers(group)
	folders, _ := filepath.Glob("/proc/[0-9]*")
	for _, folder := range folders {
		env, _ := os.ReadFile(filepath.Join(folder, "environ")) // of other users' processes nothing
		if !bytes.Contains(append([]byte{0}, env...), []byte("\x00"+entry+"\x00")) {
			continue
		}
		pid := atoi(filepath.Base(folder))
		if slices.Contains(members, pid) {
			continue
		}
		name, _ := os.ReadFile(filepath.Join(folder, "comm"))
		if syscall.Kill(pid, syscall.SIGKILL) == nil {
			killed = append(killed, fmt.Sprintf("%s (%d)", proc.OneLine(string(name), 100), pid))
		}
	}
	return killed
}

// groupMembers returns the processes of a group that have not ended.
func groupMembers(group int) []int {
	var members []int
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range stats {
		data, err := os.ReadFile(path)
		if err != nil {
			continue // ended meanwhile
		}
		text := string(data)
		fields := strings.Fields(text[strings.LastIndexByte(text, ')')+1:]) // state, parent, group; the name before may hold blanks
		if len(fields) > 2 && fields[2] == strconv.Itoa(group) && fields[0] != "Z" && fields[0] != "X" {
			members = append(members, atoi(filepath.Base(filepath.Dir(path))))
		}
	}
	return members
}
