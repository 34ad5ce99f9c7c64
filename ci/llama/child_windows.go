package llama

import (
	"os"
	"os/exec"
	"syscall"

	"github.com/llama-regress/llama-regress/ci/record"
)

// Windows has no process groups to signal: the first process alone is ended.

func ownGroup() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP}
}

func terminateGroup(cmd *exec.Cmd) { _ = cmd.Process.Kill() }
func killGroup(cmd *exec.Cmd)      { _ = cmd.Process.Kill() }

func waitFor(cmd *exec.Cmd, ended func()) error {
	err := cmd.Wait()
	ended()
	return err
}

func endSignal(*os.ProcessState) syscall.Signal { return 0 }

func resources(state *os.ProcessState) record.Resources {
	return record.Resources{UserSeconds: state.UserTime().Seconds(), SystemSeconds: state.SystemTime().Seconds()}
}
