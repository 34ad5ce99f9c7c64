package proc

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/llama-regress/llama-regress/ci/internal/environ"
)

// StartGuard starts a guard: a process that ends the marked descendants of this
// one when it ends, however it does, also by a signal that it cannot catch. The
// guard is command with an argument more, which has to call Guard. It is in a
// session of its own, so that what ends this process's whole group does not end it.
func StartGuard(command ...string) error {
	cmd := exec.Command(command[0], append(command[1:len(command):len(command)], marks)...)
	cmd.Env = environ.Without(os.Environ())
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if _, err := cmd.StdinPipe(); err != nil { // stays open until this process ends
		return err
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("what ends left-over processes cannot be started: %w", err)
	}
	go func() { _ = cmd.Wait() }()
	return nil
}

// Guard waits until in ends, which its starter holds open as long as it lives,
// and then ends all processes that have a mark which begins with prefix, or the
// limit that stands for such marks, until none has been seen for a while: one that
// was just being started gets its environment a moment later. The error says that
// prefix is none of StartGuard.
func Guard(in io.Reader, prefix string) error {
	if name, _, _ := strings.Cut(marks, "="); !strings.HasPrefix(prefix, name+"=") || len(prefix) != len(marks) {
		return errors.New("want the mark of a process; llama-regress starts this itself")
	}
	signal.Ignore(os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	_, _ = io.Copy(io.Discard, in)
	for quiet, end := 0, time.Now().Add(guardTime); quiet < 8 && time.Now().Before(end); quiet++ {
		if append(KillMarked(prefix, 0), killLimited(prefix)...) != nil {
			quiet = 0
		}
		time.Sleep(25 * time.Millisecond)
	}
	return nil
}

// guardTime bounds Guard's work: a process that waits for a device does not end
// before the device answers, and a guard must not stay for it.
const guardTime = time.Minute
