package sched

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/llama-regress/llama-regress/ci/internal/environ"
	"github.com/llama-regress/llama-regress/ci/internal/proc"
)

// A loaded is a scheduler that this program started, through its guard.
type loaded struct {
	spec    spec
	command []string // program and arguments, without guard and sudo
	out     *output
	input   io.Closer     // the guard's: closing it unloads
	done    chan struct{} // closed when the guard has ended, and its scheduler with it
	cmd     *exec.Cmd

	mu     sync.Mutex
	failed string // why the program could not be started
	how    string // it ended: "exit status 1", "signal: killed"
}

// start starts the guard, which starts the scheduler.
func (m *Manager) start(s spec, program string) (*loaded, error) {
	command := append([]string{program}, s.args...)
	guard := slices.Concat(m.sudo, m.opts.Guard, command)
	l := &loaded{
		spec: s, command: command, out: newOutput(m.opts.Log),
		done: make(chan struct{}),
		cmd:  exec.Command(guard[0], guard[1:]...),
	}
	l.cmd.SysProcAttr = proc.OwnGroup()
	l.cmd.Env = environ.Without(os.Environ())
	l.cmd.Stderr = l.out
	l.cmd.WaitDelay = 2 * time.Second
	stdin, err := l.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := l.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	l.input = stdin
	if m.opts.Log != nil {
		fmt.Fprintf(m.opts.Log, "$ %s\n", strings.Join(command, " "))
	}
	if err := l.cmd.Start(); err != nil {
		return nil, fmt.Errorf("cannot start the guard of a scheduler: %w", err)
	}
	go l.listen(stdout)
	return l, nil
}

// listen follows what the guard says until it ends.
func (l *loaded) listen(r io.Reader) {
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		word, rest, _ := strings.Cut(lines.Text(), " ")
		l.mu.Lock()
		switch word {
		case "failed":
			l.failed = proc.OneLine(rest, mostWords)
		case "ended":
			l.how = proc.OneLine(rest, mostWords)
		}
		l.mu.Unlock()
	}
	_, _ = io.Copy(io.Discard, r) // a line too long for a protocol
	err := l.cmd.Wait()
	l.mu.Lock()
	if l.how == "" {
		l.how = "its guard ended"
		if err != nil {
			l.how = fmt.Sprintf("its guard ended: %v", err)
		}
	}
	l.mu.Unlock()
	close(l.done)
}

// gone says how the scheduler's process ended, "" while it lives.
func (l *loaded) gone() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.how
}

// unloaded says why a scheduler that has ended was never the kernel's.
func (l *loaded) unloaded() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.failed != "" {
		return "it could not be started: " + l.failed
	}
	return fmt.Sprintf("it ended (%s) before the kernel had it: %s", l.how, l.out.why())
}

// releasePatience is longer than a guard that works takes for a deaf scheduler.
func releasePatience() time.Duration { return 3*guardPatience + 5*time.Second }

// release asks the guard to unload the scheduler and waits until it has ended.
// A guard that does not is ended itself, and its scheduler with it.
func (l *loaded) release(ctx context.Context) error {
	l.input.Close()
	select {
	case <-l.done:
		return nil
	case <-time.After(releasePatience()):
	case <-ctx.Done():
	}
	if err := l.cmd.Process.Kill(); err != nil { // of another user: sudo's
		return fmt.Errorf("the guard of %s does not end and cannot be ended: %w", l.spec.program, err)
	}
	select {
	case <-l.done:
		return nil
	case <-time.After(5 * time.Second):
		return errors.New("the guard of " + l.spec.program + " does not end")
	}
}
