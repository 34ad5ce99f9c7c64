package llama

import (
	"os/exec"
	"syscall"
)

// ownGroup makes the child lead a process group of its own. Only Linux can
// also tie its life to ours.
func ownGroup() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}

// waitFor collects the child and then calls ended: these systems have no
// portable way to see the end without collecting it.
func waitFor(cmd *exec.Cmd, ended func()) error {
	err := cmd.Wait()
	ended()
	return err
}
