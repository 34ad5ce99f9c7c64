package sched

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/llama-regress/llama-regress/ci/internal/environ"
	"github.com/llama-regress/llama-regress/ci/internal/proc"
)

// A guard is a process between this program and a scheduler. It has the right
// to end the scheduler, which this program may not have when it started it by
// sudo, and it lives as long as its standard input is open: when this program
// ends, however it does, the kernel closes the other end, and the guard unloads
// the scheduler. The scheduler in turn dies with its guard.
//
// On its standard output it says "started PID" or "failed REASON" and, when the
// scheduler is gone, "ended HOW"; what the scheduler writes goes to its
// standard error.

// probeFlag asks a guard, instead of the name of a program, whether it has the
// rights that a scheduler needs.
const probeFlag = "--probe"

// Patience of a guard between asking a scheduler to end, asking again, and
// ending it; shorter in tests of the deaf.
var guardPatience = 3 * time.Second

// Hold is the guard: the whole of a process that Manager starts by
// Options.Guard. args are a program and its arguments, root is Options.Root. It
// returns the exit status.
func Hold(root string, args []string, in io.Reader, out, errs *os.File) int {
	stopped := make(chan os.Signal, 8)
	signal.Notify(stopped, guardSignals...)
	switch {
	case len(args) == 0:
		fmt.Fprintln(errs, "want the program of a sched_ext scheduler; llama-regress starts this itself")
		return 2
	case args[0] == probeFlag:
		if err := privileged(tree(root)); err != nil {
			fmt.Fprintln(out, "failed", err)
			return 1
		}
		fmt.Fprintln(out, "privileged")
		return 0
	}
	if os.Getenv(sudoVariable) != "" {
		path, err := throughSudo(args[0])
		if err != nil {
			fmt.Fprintln(out, "failed", proc.OneLine(err.Error(), mostWords))
			return 1
		}
		args = append([]string{path}, args[1:]...)
	}
	stop := make(chan struct{})
	go func() { _, _ = io.Copy(io.Discard, in); close(stop) }()

	// The parent-death signal of Linux is tied to the thread that started the
	// child, so one locked thread starts it and waits for it.
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Stdout, cmd.Stderr = errs, errs
	cmd.SysProcAttr = proc.TiedGroup()
	cmd.Env = environ.Without(os.Environ())
	started, ended := make(chan error), make(chan struct{})
	go func() {
		runtime.LockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait() // its state says more
			close(ended)
		}
	}()
	if err := <-started; err != nil {
		fmt.Fprintln(out, "failed", proc.OneLine(err.Error(), mostWords))
		return 1
	}
	fmt.Fprintln(out, "started", cmd.Process.Pid)
	for waiting := true; waiting; {
		select {
		case <-ended:
			waiting = false
		case <-stop:
			endProcess(cmd.Process, ended)
			waiting = false
		case s := <-stopped:
			if s != syscall.SIGPIPE {
				endProcess(cmd.Process, ended)
				waiting = false
			}
		}
	}
	fmt.Fprintln(out, "ended", cmd.ProcessState)
	return 0
}

// endProcess asks a scheduler to unload itself, asks again, and then ends it,
// upon which the kernel unloads it. It returns when the process has ended.
func endProcess(p *os.Process, ended <-chan struct{}) {
	wake(p) // a stopped process hears nothing
	for _, s := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		_ = p.Signal(s)
		select {
		case <-ended:
			return
		case <-time.After(guardPatience):
		}
	}
	_ = p.Kill()
	<-ended
}

// privileged says why this process cannot load a scheduler, nil when it has the
// capabilities. root is that of the kernel's files.
func privileged(root tree) error {
	const sysAdmin, bpf = 21, 39 // capability(7)
	for line := range strings.Lines(root.text("proc/self/status")) {
		digits, ok := strings.CutPrefix(line, "CapEff:")
		if !ok {
			continue
		}
		var has uint64
		if _, err := fmt.Sscanf(strings.TrimSpace(digits), "%x", &has); err != nil {
			break
		}
		if has>>sysAdmin&1 == 1 || has>>bpf&1 == 1 {
			return nil
		}
		return fmt.Errorf("neither CAP_SYS_ADMIN nor CAP_BPF among the capabilities (CapEff %s)", strings.TrimSpace(digits))
	}
	return fmt.Errorf("its capabilities cannot be read")
}
