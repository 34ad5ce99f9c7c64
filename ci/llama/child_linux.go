package llama

import (
	"errors"
	"os/exec"

	"golang.org/x/sys/unix"
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
