//go:build linux

package sched

import (
	"context"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/fixtures/fakesched"
)

// killed is a rig whose scheduler was killed after a trial.
func killed(t *testing.T) (*Manager, fakesched.Kernel) {
	m, k := rig(t)
	under(t, m, "scx_simple", ok)
	_ = syscall.Kill(k.PID(), syscall.SIGKILL)
	await(t, "the end of the scheduler", func() bool { return k.State() == "disabled" })
	return m, k
}

// A scheduler of somebody else that came after ours is left alone.
func TestUnloadLeavesOthersAlone(t *testing.T) {
	m, k := killed(t)
	k.Set("root/ops", "rogue")
	k.Set("state", "enabled")
	if err := m.Close(); err != nil || m.current != nil {
		t.Errorf("%v, at hand %+v", err, m.current)
	}
	next := under(t, m, "scx_simple", ok)
	if next.Failure == nil || !strings.Contains(next.Failure.Message, `another scheduler is active: "rogue"`) {
		t.Errorf("beside another: %+v", next.Failure)
	}
	k.Set("state", "disabled")
}

// A kernel that is not rid of a scheduler ends the run, which says what can be done.
func TestKernelThatKeepsAScheduler(t *testing.T) {
	patience := unloadTime
	t.Cleanup(func() { unloadTime = patience })
	unloadTime = 30 * time.Millisecond
	m, k := killed(t)
	k.Set("root/ops", "simple")
	k.Set("state", "enabled")
	_, err := m.Under(t.Context(), Default, ok)
	if err == nil || !strings.Contains(err.Error(), "scx_simple cannot be unloaded: the kernel's state is enabled; try sudo pkill -KILL scx_simple, or") {
		t.Errorf("error %v", err)
	}
	k.Set("state", "disabled")
}

// A guard asks twice before it ends a scheduler; it is not given up before that.
func TestReleasePatience(t *testing.T) {
	if p := releasePatience(); p <= 2*guardPatience+time.Second {
		t.Errorf("a guard is given %v, and a scheduler twice %v", p, guardPatience)
	}
}

// What a scheduler wrote stands in the failure that it caused, of either kind, and
// the record says how long was waited.
func TestFailuresHoldTheSchedulersWords(t *testing.T) {
	m, k := rig(t, func(o *Options) { o.Settle = time.Millisecond })
	none := under(t, m, "scx_simple --fail", ok)
	if none.Failure == nil || !strings.Contains(none.Failure.Stderr, "Failed to load skel") || none.Scheduler.Settle != 0.001 {
		t.Errorf("%+v, %+v", none.Failure, none.Scheduler)
	}
	thrown := under(t, m, "scx_simple", func(context.Context) (record.Trial, error) {
		k.Set("nr_rejected", "3")
		k.Do(fakesched.Error)
		await(t, "the ejection", func() bool { return k.State() == "disabled" })
		return record.Trial{}, errEjected
	})
	if thrown.Failure == nil || !strings.Contains(thrown.Failure.Stderr, "DEBUG DUMP") || thrown.Scheduler.Rejected != 3 || m.settled {
		t.Errorf("%+v, %+v, settled %t", thrown.Failure, thrown.Scheduler, m.settled)
	}
}
