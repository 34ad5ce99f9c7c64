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

	"github.com/llama-regress/llama-regress/ci/internal/proc"
	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/ci/sched"
)

const (
	gracePeriod = 5 * time.Second // between asking a process group to end and ending it
	drainPeriod = 2 * time.Second // how long a left-over process may hold the output open
)

// newExcerpt keeps the beginning and the end of what a program says.
func newExcerpt() *proc.Excerpt { return &proc.Excerpt{Head: 16 << 10, Tail: 64 << 10} }

// A childSpec is one run of one program. Its standard input is empty.
type childSpec struct {
	program   string
	args      []string
	env       []string      // whole environment, not an addition
	timeout   time.Duration // 0 for none
	limit     time.Duration // the one that a message names: of all calls together, of which timeout is what is left
	grace     time.Duration // 0 for gracePeriod
	maxStdout int           // bytes; more of them end the child
	loading   *loadClock    // of --progress on stderr; nil for none
	log       io.Writer     // what it writes to stderr, all of it; nil for nowhere
	output    io.Writer     // takes stdout and stderr together, and none is kept; nil keeps them apart
	placement sched.Placement
	counter   instructionCounter // of its instructions; nil for none
}

// command is what is started: the program, behind those that put it in its place.
func (s *childSpec) command() ([]string, error) { return s.placement.Wrap(s.program, s.args) }

// A childEnd is how it went.
type childEnd struct {
	reason   endReason
	state    *os.ProcessState
	stdout   []byte
	working  bool   // it had begun to serve: its last words tell why it ended, not its first
	stderr   string // beginning and end; the middle of a long one is left out
	seconds  float64
	killed   bool     // it was asked to end and did not within the grace period
	strays   []string // processes that had left its group and were ended, "NAME (PID)"
	heldOpen bool     // a process it left behind kept its output open

	placed    map[string]string // where it ran, as the kernel said; nil where no place was asked for
	misplaced error             // it was not in the place asked for
	starved   bool              // the kernel ended it, or a part of it, for the limit of its control group

	resources record.Resources
	inherited int64   // bytes of memory that the account in resources began with
	loaded    float64 // seconds until it was ready, where a loadClock saw that; else 0

	instructions int64 // where there was a counter
	uncounted    error // why they could not be counted
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

// A child is a running program, or one that has ended. It leads a process
// group of its own.
type child struct {
	cmd    *exec.Cmd
	cancel context.CancelCauseFunc // asks it to end
	hurry  context.CancelFunc      // ends the grace period
	done   chan struct{}           // closed once it has been collected; its group was killed before
	end    *childEnd               // after done

	group  *sched.Group
	placed func() (map[string]string, error) // to be called before it is collected
}

// runChild runs a program in a process group of its own and returns once it
// has ended and every process left in its group was killed. A child that outlives its time, floods its
// output or loses its context is asked to end (SIGTERM), and after the grace
// period made to. The error is ctx.Err() when the context ended the child, or
// says why the program could not be started.
func runChild(ctx context.Context, spec childSpec) (*childEnd, error) {
	c, err := startChild(ctx, spec)
	if err != nil {
		return nil, err
	}
	<-c.done
	if c.end.reason == endedCancel {
		return c.end, ctx.Err()
	}
	return c.end, nil
}

// startChild starts a program as runChild does and returns while it runs.
func startChild(ctx context.Context, spec childSpec) (*child, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	command, err := spec.command()
	if err != nil {
		return nil, err
	}
	attr := proc.TiedGroup()
	group, err := spec.placement.Enter(attr)
	if err != nil {
		return nil, err
	}
	limited, cancel := context.WithCancelCause(ctx)
	release := func() {}
	if spec.timeout > 0 {
		limited, release = context.WithTimeoutCause(limited, spec.timeout, errTimeout)
	}
	patience, hurry := context.WithCancel(context.Background())
	stdout := &proc.Head{Max: spec.maxStdout, Full: func() { cancel(errFlood) }}
	stderr := newExcerpt()

	// Not CommandContext: its kill reaches the first process only.
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Env = spec.env
	cmd.Stdout, cmd.Stderr = stdout, stderr
	switch {
	case spec.output != nil:
		cmd.Stdout, cmd.Stderr = spec.output, spec.output
	case spec.log != nil:
		cmd.Stderr = io.MultiWriter(stderr, spec.log)
	}
	if spec.loading != nil {
		spec.loading.next = cmd.Stderr
		cmd.Stderr = spec.loading
	}
	cmd.WaitDelay = drainPeriod
	cmd.SysProcAttr = attr

	// The parent-death signal of Linux is tied to the thread that started the
	// child (golang/go#27505), so one locked thread starts it and waits for it.
	c := &child{cmd: cmd, cancel: cancel, hurry: hurry, done: make(chan struct{})}
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer cancel(nil)
		defer release()
		defer hurry()
		begin := time.Now()
		defer group.Leave()
		var counted countReading
		var uncounted error
		if spec.counter != nil {
			counted, uncounted = spec.counter.Begin() // of this thread, whose children are counted
		}
		mark, err := proc.StartMarked(cmd)
		inherited := ownPeak()
		if err == nil {
			c.group, c.placed = group, spec.placement.Follow(cmd.Process.Pid, group)
		}
		started <- err
		if err != nil {
			return
		}
		c.end = c.waitAndEnd(limited, patience, begin, cmp.Or(spec.grace, gracePeriod), mark)
		if l := spec.loading; l != nil {
			l.end()
			if !l.ready.IsZero() {
				c.end.loaded = l.ready.Sub(begin).Seconds()
			}
		}
		c.end.inherited = inherited
		c.end.stdout, c.end.stderr = stdout.Data, stderr.String()
		if c.end.uncounted = uncounted; counted != nil {
			c.end.instructions, c.end.uncounted = counted.End()
		}
		close(c.done)
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	return c, nil
}

// stop asks the child to end, kills its group after the grace period, at once
// when ctx is done, and returns when it has ended.
func (c *child) stop(ctx context.Context) {
	c.cancel(nil)
	select {
	case <-c.done:
	case <-ctx.Done():
		c.hurry()
		<-c.done
	}
}

// waitAndEnd waits until the child has ended, and sees to it that it does when
// ctx is done.
func (c *child) waitAndEnd(ctx, patience context.Context, begin time.Time, grace time.Duration, mark string) *childEnd {
	end, cmd := new(childEnd), c.cmd
	exited := make(chan struct{})
	var watcher sync.WaitGroup
	watcher.Go(func() { end.reason, end.killed = endOnDone(ctx, patience, exited, cmd, grace) })

	err := waitFor(cmd, func() { // between the child's end and its pid being free again
		end.seconds = time.Since(begin).Seconds()
		close(exited)
		watcher.Wait()
		end.placed, end.misplaced = c.placed()
		end.starved = c.group.OutOfMemory()
		proc.KillGroup(cmd) // whoever it left behind would disturb the next trial
		end.strays = append(proc.KillMarked(mark, cmd.Process.Pid), proc.EndAdopted(cmd.Process.Pid)...)
	})
	end.heldOpen = errors.Is(err, exec.ErrWaitDelay)
	end.state = cmd.ProcessState
	end.resources = resources(cmd.ProcessState)
	return end
}

// endOnDone ends the child's group when ctx is done, and says why it did and
// whether it had to kill.
func endOnDone(ctx, patience context.Context, exited <-chan struct{}, cmd *exec.Cmd, grace time.Duration) (reason endReason, killed bool) {
	select {
	case <-exited:
		return endedItself, false
	case <-ctx.Done():
	}
	proc.TerminateGroup(cmd)
	select {
	case <-exited:
	case <-patience.Done():
		killed = true
	case <-time.After(grace):
		killed = true
	}
	if killed {
		proc.KillGroup(cmd)
	}
	switch context.Cause(ctx) {
	case errTimeout:
		return endedTimeout, killed
	case errFlood:
		return endedFlood, killed
	}
	return endedCancel, killed
}
