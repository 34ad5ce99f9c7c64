package proc

import "syscall"

// TiedGroup is OwnGroup for a child that also ends when the thread that started
// it does (golang/go#27505), and so when this process does, however it does. The
// signal reaches the first process only: a wrapper script should exec its program.
func TiedGroup() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
