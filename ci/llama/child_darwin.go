package llama

import "os/exec"

// waitFor collects the child and then calls ended: these systems have no
// portable way to see the end without collecting it.
func waitFor(cmd *exec.Cmd, ended func()) error {
	err := cmd.Wait()
	ended()
	return err
}
