package sched

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/llama-regress/llama-regress/ci/record"
)

// reasonPatience is how long a scheduler's own words about its end are waited for.
const reasonPatience = 3 * time.Second

var errEjected = errors.New("the scheduler did not stay in force")

// A watch follows the scheduler during a trial.
type watch struct {
	m      *Manager
	base   snapshot
	last   snapshot // after stop
	kernel *kernelLog
	ctx    context.Context // cancelled when the scheduler is no longer in force
	cancel context.CancelCauseFunc
	quit   chan struct{}
	found  chan string // what the poll saw; closed when it has ended
}

// An ejection is what was seen of a scheduler's end.
type ejection struct {
	saw    string   // how the kernel's state differed, or that the program ended
	reason string   // the kernel's or the scheduler's own, else what was seen
	kernel []string // its messages
	stderr string
}

// watch begins to. What happened to a scheduler since it was loaded counts too.
func (m *Manager) watch(ctx context.Context) *watch {
	base := m.base
	if m.current == nil {
		base = m.root.snapshot()
	}
	w := &watch{m: m, base: base, kernel: openKernelLog(m.root), quit: make(chan struct{}), found: make(chan string, 1)}
	w.ctx, w.cancel = context.WithCancelCause(ctx)
	go w.poll()
	return w
}

// poll looks at the kernel until it sees another scheduler or is told to stop.
func (w *watch) poll() {
	defer close(w.found)
	tick := time.NewTicker(w.m.opts.Poll)
	defer tick.Stop()
	var gone <-chan struct{}
	if w.m.current != nil {
		gone = w.m.current.done
	}
	for {
		if saw := w.look(); saw != "" {
			w.found <- saw
			w.cancel(errEjected)
			return
		}
		select {
		case <-w.quit:
			return
		case <-gone:
			gone = nil // look says so
		case <-tick.C:
		}
	}
}

// look says how the scheduler is no longer in force, "" when it is.
func (w *watch) look() string {
	if saw := w.base.differs(w.m.root.snapshot()); saw != "" {
		return saw
	}
	if c := w.m.current; c != nil {
		if how := c.gone(); how != "" {
			return fmt.Sprintf("its program ended (%s)", how)
		}
	}
	return ""
}

// stop ends the watch after a last look and returns what ended the scheduler,
// nil when it was in force all the time.
func (w *watch) stop() *ejection {
	close(w.quit)
	saw, ejected := <-w.found
	defer w.kernel.close()
	defer w.cancel(nil)
	if !ejected {
		saw = w.look()
	}
	w.last = w.m.root.snapshot()
	if saw == "" {
		return nil
	}
	e := &ejection{saw: saw}
	e.reason, e.stderr = w.reason()
	w.last = w.m.root.snapshot()
	e.kernel = w.kernel.messages()
	if why := reasonIn(e.kernel); why != "" {
		e.reason = why
	}
	if e.reason == "" {
		e.reason = saw
	}
	return e
}

// reason is what the scheduler itself says, once it has said it or ended and the
// kernel is rid of it. Its exit status is not asked: it is 0 after most ejections.
func (w *watch) reason() (reason, stderr string) {
	c := w.m.current
	if c == nil {
		return "", ""
	}
	deadline := time.NewTimer(reasonPatience)
	defer deadline.Stop()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	told := func() bool { return c.out.reason() != "" || c.gone() != "" }
	for waiting := true; waiting && !(told() && w.base.differs(w.m.root.snapshot()) != ""); {
		select {
		case <-deadline.C:
			waiting = false
		case <-tick.C:
		}
	}
	reason = c.out.reason()
	if how := c.gone(); reason == "" && how != "" {
		reason = fmt.Sprintf("its program ended (%s)", how)
	}
	return reason, c.out.last(8 << 10)
}

func (e *ejection) failure(scheduler string) *record.Failure {
	f := failure(record.SchedulerEjected, "%s was in force no longer: %s; what was measured may be of the kernel's own scheduler and is not used", scheduler, e.reason)
	if scheduler == Default {
		f = failure(record.SchedulerEjected, "the kernel's own scheduler was not in force all the time: %s; what was measured is not used", e.reason)
	}
	f.Stderr = e.stderr
	return f
}
