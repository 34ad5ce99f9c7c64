package llama

import (
	"cmp"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"time"

	"github.com/llama-regress/llama-regress/ci/record"
)

const (
	gracePeriod = 5 * time.Second // between asking a process group to end and ending it
	drainPeriod = 2 * time.Second // how long a left-over process may hold the output open
)

// A childSpec is one run of one program. Its standard input is empty.
type childSpec struct {
	program   string
	args      []string
	env       []string      // whole environment, not an addition
	timeout   time.Duration // 0 for none
	grace     time.Duration // 0 for gracePeriod
	maxStdout int           // bytes; more of them end the child
	log       io.Writer     // what it writes to stderr, all of it; nil for nowhere
}

// A childEnd is how it went.
type childEnd struct {
	reason    endReason
	state     *os.ProcessState
	stdout    []byte
	stderr    string // beginning and end; the middle of a long one is left out
	seconds   float64
	heldOpen  bool // a process it left behind kept its output open
	resources record.Resources
}

// An endReason says who ended a child.
type endReason int

const (
	endedItself endReason = iota // exit or a signal that was not ours
	endedTimeout
	endedFlood // more than maxStdout
	endedCancel
)

var (
	errTimeout = errors.New("time limit")
	errFlood   = errors.New("output limit")
)

// runChild runs a program in a process group of its own and returns once no
// process of that group is left. A child that outlives its time, floods its
// output or loses its context is asked to end (SIGTERM), and after the grace
// period made to. The error is ctx.Err() when the context ended the child, or
// says why the program could not be started.
func runChild(ctx context.Context, spec childSpec) (*childEnd, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	limited, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	if spec.timeout > 0 {
		var release context.CancelFunc
		limited, release = context.WithTimeoutCause(limited, spec.timeout, errTimeout)
		defer release()
	}
	stdout := &boundedBuffer{max: spec.maxStdout, full: func() { cancel(errFlood) }}
	stderr := new(excerpt)

	// Not CommandContext: its kill reaches the first process only.
	cmd := exec.Command(spec.program, spec.args...)
	cmd.Env = spec.env
	cmd.Stdout = stdout
	cmd.Stderr = stderr
	if spec.log != nil {
		cmd.Stderr = io.MultiWriter(stderr, spec.log)
	}
	cmd.WaitDelay = drainPeriod
	ownGroup(cmd)

	// The parent-death signal of Linux is tied to the thread that started the
	// child (golang/go#27505), so one locked thread starts it and waits for it.
	type outcome struct {
		end *childEnd
		err error
	}
	done := make(chan outcome)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		end, err := startAndWait(limited, cmd, cmp.Or(spec.grace, gracePeriod))
		done <- outcome{end, err}
	}()
	out := <-done
	if out.err != nil {
		return nil, out.err
	}
	out.end.stdout, out.end.stderr = stdout.data, stderr.String()
	if out.end.reason == endedCancel {
		return out.end, ctx.Err()
	}
	return out.end, nil
}

func startAndWait(ctx context.Context, cmd *exec.Cmd, grace time.Duration) (*childEnd, error) {
	started := time.Now()
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	end := new(childEnd)
	exited := make(chan struct{})
	var watcher sync.WaitGroup
	watcher.Go(func() { end.reason = endOnDone(ctx, exited, cmd, grace) })

	err := waitFor(cmd, func() { // between the child's end and its pid being free again
		end.seconds = time.Since(started).Seconds()
		close(exited)
		watcher.Wait()
		killGroup(cmd) // whoever it left behind would disturb the next trial
	})
	end.heldOpen = errors.Is(err, exec.ErrWaitDelay)
	end.state = cmd.ProcessState
	end.resources = resources(cmd.ProcessState)
	return end, nil
}

// endOnDone ends the child's group when ctx is done, and says why it did.
func endOnDone(ctx context.Context, exited <-chan struct{}, cmd *exec.Cmd, grace time.Duration) endReason {
	select {
	case <-exited:
		return endedItself
	case <-ctx.Done():
	}
	terminateGroup(cmd)
	select {
	case <-exited:
	case <-time.After(grace):
		killGroup(cmd)
	}
	switch context.Cause(ctx) {
	case errTimeout:
		return endedTimeout
	case errFlood:
		return endedFlood
	}
	return endedCancel
}
