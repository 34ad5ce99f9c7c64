package sched

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/llama-regress/llama-regress/ci/record"
)

// Options say how schedulers are loaded. Only Guard has no default.
type Options struct {
	// Guard is the command that becomes the guard of a scheduler, by calling
	// Hold with the arguments that follow it.
	Guard []string

	Sudo         []string      // put before Guard where this user is not root; nil: sudo -n
	Settle       time.Duration // waited after each change of scheduler, before anything is measured
	StartTimeout time.Duration // until the kernel has a scheduler; 0: 30 s
	Poll         time.Duration // how often the kernel is asked during a trial; 0: 100 ms
	Log          io.Writer     // gets what schedulers write, 16 MiB of each at most; nil for nowhere
	Root         string        // of /proc, /sys and /dev; "": /
	Path         []string      // folders that programs are looked for in; nil: those of PATH and a few more
}

const (
	defaultStart = 30 * time.Second
	defaultPoll  = 100 * time.Millisecond
)

// unloadTime is how long the kernel may take to be rid of a scheduler whose program
// has ended; shorter in the test of a kernel that never is.
var unloadTime = 10 * time.Second

// A Manager loads schedulers, one at a time. Its methods must not be called at
// the same time. Close must be called.
type Manager struct {
	opts Options
	root tree

	privileged bool
	sudo       []string // put before the guard

	current *loaded  // nil for the kernel's own
	base    snapshot // when current was loaded
	settled bool     // Settle has passed since the last change

	isRoot bool // what this process runs as
}

// New returns a manager that has not touched anything.
func New(opts Options) *Manager {
	if opts.Sudo == nil {
		opts.Sudo = []string{"sudo", "-n"}
	}
	if opts.StartTimeout <= 0 {
		opts.StartTimeout = defaultStart
	}
	if opts.Poll <= 0 {
		opts.Poll = defaultPoll
	}
	if opts.Path == nil {
		opts.Path = filepath.SplitList(os.Getenv("PATH"))
		for _, dir := range []string{"/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin"} {
			if !slices.Contains(opts.Path, dir) { // a user's PATH often lacks the sbin folders
				opts.Path = append(opts.Path, dir)
			}
		}
		if home, err := os.UserHomeDir(); err == nil {
			opts.Path = append(opts.Path, filepath.Join(home, ".cargo", "bin"))
		}
	}
	return &Manager{opts: opts, root: tree(opts.Root), settled: true, isRoot: os.Geteuid() == 0}
}

// Check says, all at once, why the schedulers cannot be put in force on this
// machine. The default needs only that no other is loaded.
func (m *Manager) Check(ctx context.Context, schedulers []string) error {
	var faults []error
	extended := false
	for _, text := range schedulers {
		if text == Default {
			continue
		}
		extended = true
		s, err := parse(text)
		if err == nil {
			if _, refusal := m.find(s); refusal != nil {
				err = refusal
			}
		}
		if err != nil {
			faults = append(faults, fmt.Errorf("scheduler: %w", err))
		}
	}
	for _, r := range m.Obstacles(ctx) {
		if extended || r.Kind == Occupied || r.Kind == Managed { // these hinder the default too
			faults = append(faults, fmt.Errorf("scheduler: %w", r))
		}
	}
	return errors.Join(faults...)
}

// Under runs a trial under a scheduler: it puts it in force unless it is,
// watches it, and says in the trial's record what the kernel reported. A
// scheduler that cannot be put in force, or does not stay so, makes the trial a
// failed one without measurements; measure is then cancelled, or not begun.
// The error is measure's own, or says that the machine cannot be brought back
// under the kernel's scheduler, and ends the run.
func (m *Manager) Under(ctx context.Context, scheduler string, measure func(context.Context) (record.Trial, error)) (record.Trial, error) {
	failure, err := m.require(ctx, scheduler)
	if err != nil {
		return record.Trial{}, err
	}
	in := m.describe(scheduler)
	if failure != nil {
		return record.Trial{Outcome: record.Failed, Failure: failure, Scheduler: &in}, nil
	}
	w := m.watch(ctx)
	in.SeqBefore, in.SeqAfter = w.base.seq, w.base.seq
	trial, err := measure(w.ctx)
	ejection := w.stop()
	if ctx.Err() != nil && err != nil {
		return record.Trial{}, err
	}
	in.SeqAfter, in.Rejected = w.last.seq, w.last.rejected
	if ejection != nil {
		in.Ejected, in.Kernel = ejection.reason, ejection.kernel
		trial.Outcome, trial.Measurements, trial.Failure = record.Failed, nil, ejection.failure(scheduler)
		m.settled = false
		if errors.Is(err, context.Canceled) || errors.Is(err, errEjected) {
			err = nil
		}
	}
	trial.Scheduler = &in
	return trial, err
}

// describe is what the record says of the scheduler at hand.
func (m *Manager) describe(asked string) record.Scheduler {
	now := m.root.snapshot()
	in := record.Scheduler{Asked: asked, State: now.state, Ops: now.ops, SeqBefore: now.seq, SeqAfter: now.seq, Settle: m.opts.Settle.Seconds()}
	if m.current != nil {
		in.Command = slices.Clone(m.current.command)
	}
	return in
}

// require puts a scheduler in force. A failure is the trial's.
func (m *Manager) require(ctx context.Context, scheduler string) (*record.Failure, error) {
	if scheduler == Default {
		if err := m.unload(ctx); err != nil {
			return nil, err
		}
		if now := m.root.snapshot(); !now.off() {
			return failure(record.SchedulerNotLoaded, "the kernel's own scheduler was asked for, and %s is active%s; end it", now.name(), m.owners()), nil
		}
		return nil, m.settle(ctx)
	}
	s, err := parse(scheduler)
	if err != nil {
		return failure(record.SchedulerNotLoaded, "%v", err), nil
	}
	program, refusal := m.find(s)
	if refusal != nil {
		return failure(record.SchedulerNotLoaded, "%v", refusal), nil
	}
	if m.inForce(s, program) {
		return nil, m.settle(ctx)
	}
	if err := m.unload(ctx); err != nil {
		return nil, err
	}
	if f, err := m.load(ctx, s, program); f != nil || err != nil {
		return f, errors.Join(err, m.unload(context.WithoutCancel(ctx)))
	}
	return nil, m.settle(ctx)
}

// inForce says whether the scheduler at hand is s, alive, and has been the
// kernel's ever since it was loaded.
func (m *Manager) inForce(s spec, program string) bool {
	c := m.current
	return c != nil && slices.Equal(c.command, append([]string{program}, s.args...)) &&
		c.gone() == "" && m.base.differs(m.root.snapshot()) == ""
}

// load starts a scheduler and waits until the kernel has it.
func (m *Manager) load(ctx context.Context, s spec, program string) (*record.Failure, error) {
	if r := m.rights(ctx); r != nil {
		return failure(record.SchedulerNotLoaded, "%v", r), nil
	}
	before := m.root.snapshot()
	if !before.off() {
		return failure(record.SchedulerNotLoaded, "another scheduler is active: %s%s; end it", before.name(), m.owners()), nil
	}
	l, err := m.start(s, program)
	if err != nil {
		return failure(record.SchedulerNotLoaded, "%v", err), nil
	}
	m.current, m.settled = l, false
	limit := time.NewTimer(m.opts.StartTimeout)
	defer limit.Stop()
	tick := time.NewTicker(min(m.opts.Poll, 20*time.Millisecond))
	defer tick.Stop()
	for {
		now := m.root.snapshot()
		// The kernel counts a load a moment after it calls it enabled.
		ready := now.state == enabled && now.ops != "" && now.seq != before.seq
		switch {
		case ready && !s.is(now.ops):
			return m.notLoaded(l, "the kernel calls what was loaded %s, not %s", now.name(), s.ops()), nil
		case ready && !now.all:
			return m.notLoaded(l, "%s takes only the tasks that ask for it (switch_all is 0), and llama.cpp's do not; leave out the option that makes it partial", s), nil
		case ready && now.seq != before.seq+1:
			return m.notLoaded(l, "the kernel counts %d loads, before %d: something else loads schedulers too", now.seq, before.seq), nil
		case ready:
			m.base = now
			return nil, nil
		}
		select {
		case <-l.done:
			return m.notLoaded(l, "%s: %s", s, l.unloaded()), nil
		case <-limit.C:
			return m.notLoaded(l, "%s: the kernel did not have it after %v (state %s); raise schedulers.start_timeout", s, m.opts.StartTimeout, now.state), nil
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-tick.C:
		}
	}
}

func (m *Manager) notLoaded(l *loaded, format string, args ...any) *record.Failure {
	f := failure(record.SchedulerNotLoaded, format, args...)
	f.Stderr = l.out.last(8 << 10)
	return f
}

func failure(class record.FailureClass, format string, args ...any) *record.Failure {
	return &record.Failure{Class: class, Message: fmt.Sprintf(format, args...)}
}

// settle waits, once after each change of scheduler.
func (m *Manager) settle(ctx context.Context) error {
	if m.settled || m.opts.Settle <= 0 {
		return nil
	}
	select {
	case <-time.After(m.opts.Settle):
		m.settled = true
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// unload ends the scheduler at hand and makes sure that the kernel has none.
func (m *Manager) unload(ctx context.Context) error {
	l := m.current
	if l == nil {
		return nil
	}
	m.settled = false
	err := l.release(ctx)
	deadline := time.Now().Add(unloadTime)
	for {
		now := m.root.snapshot()
		if now.off() {
			m.current = nil
			return nil // whatever the guard does: the kernel has it no more
		}
		if now.state == enabled && !l.spec.is(now.ops) { // not ours to end
			m.current = nil
			return nil
		}
		if time.Now().After(deadline) {
			return errors.Join(err, fmt.Errorf("%s cannot be unloaded: the kernel's state is %s; try sudo pkill -KILL %s, or echo S | sudo tee /proc/sysrq-trigger",
				l.spec.program, now.state, strings.TrimSpace(filepath.Base(l.spec.program))))
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// Close unloads what is loaded. It may be called again.
func (m *Manager) Close() error { return m.unload(context.Background()) }
