//go:build linux

package sched

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/fixtures/fakesched"
)

// rightsVariable is what a guard of these tests answers to the question for its
// rights, instead of looking at its own.
const rightsVariable = "TEST_RIGHTS"

// shortVariable makes a guard of these tests soon lose its patience.
const shortVariable = "TEST_SHORT_PATIENCE"

func TestMain(m *testing.M) {
	fakesched.TakeOver()
	switch {
	case len(os.Args) > 2 && os.Args[1] == "guard" && os.Args[2] == probeFlag:
		fmt.Println(os.Getenv(rightsVariable))
		os.Exit(0)
	case len(os.Args) > 2 && os.Args[1] == "guard":
		if os.Getenv(shortVariable) != "" {
			guardPatience = 50 * time.Millisecond
		}
		os.Exit(Hold("", os.Args[2:], os.Stdin, os.Stdout, os.Stderr))
	case len(os.Args) > 2 && os.Args[1] == "measure":
		os.Exit(measureForever(os.Args[2]))
	}
	os.Exit(m.Run())
}

// rig is a fake kernel, fake schedulers and a manager of them.
func rig(t *testing.T, change ...func(*Options)) (*Manager, fakesched.Kernel) {
	t.Helper()
	root := t.TempDir()
	bin, err := fakesched.Install(filepath.Join(root, "bin"), "scx_simple", "scx_rusty", "scx_layered")
	if err != nil {
		t.Fatal(err)
	}
	k := fakesched.NewKernel(t.Context(), root)
	t.Setenv(fakesched.Variable, root)
	t.Setenv(rightsVariable, "privileged")
	t.Setenv("GORACE", "atexit_sleep_ms=0") // else each program sleeps for 1 s before it ends
	m := New(testOptions(root, bin, change...))
	m.privileged = true // so that no guard has to be asked
	t.Cleanup(func() {
		if err := m.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
		if k.State() == "enabled" && k.PID() != 0 {
			t.Error("a scheduler is still loaded")
		}
	})
	return m, k
}

func testOptions(root, bin string, change ...func(*Options)) Options {
	opts := Options{
		Guard: []string{os.Args[0], "guard"}, Root: root, Path: []string{bin},
		StartTimeout: 2 * time.Minute, Poll: 5 * time.Millisecond, // a slow machine starts slowly
	}
	for _, f := range change {
		f(&opts)
	}
	return opts
}

func ok(context.Context) (record.Trial, error) {
	return record.Trial{Outcome: record.OK, Measurements: []record.Measurement{{Metric: "pp512", Values: []float64{1}}}}, nil
}

// under runs a trial that must not end the run.
func under(t *testing.T, m *Manager, scheduler string, measure func(context.Context) (record.Trial, error)) record.Trial {
	t.Helper()
	trial, err := m.Under(t.Context(), scheduler, measure)
	if err != nil {
		t.Fatalf("Under(%s): %v", scheduler, err)
	}
	return trial
}

func TestEveryTrialSaysWhichSchedulerItRanUnder(t *testing.T) {
	m, k := rig(t)
	for i, step := range []struct {
		scheduler, state, ops string
		seq                   int
	}{
		{Default, "disabled", "", 0},
		{"scx_rusty --name=rusty_1.0.14_g1234_x86_64_unknown_linux_gnu", "enabled", "rusty_1.0.14_g1234_x86_64_unknown_linux_gnu", 1},
		{"scx_rusty --name=rusty_1.0.14_g1234_x86_64_unknown_linux_gnu", "enabled", "rusty_1.0.14_g1234_x86_64_unknown_linux_gnu", 1}, // not loaded again
		{"scx_simple", "enabled", "simple", 2},
		{Default, "disabled", "", 2},
		{filepath.Join(string(k), "bin", "scx_simple"), "enabled", "simple", 3},
	} {
		trial := under(t, m, step.scheduler, func(ctx context.Context) (record.Trial, error) {
			if k.State() != step.state {
				t.Errorf("step %d: measured while the kernel's state was %q", i, k.State())
			}
			return ok(ctx)
		})
		s := trial.Scheduler
		if trial.Outcome != record.OK || s == nil {
			t.Fatalf("step %d: %+v, %+v", i, trial.Failure, s)
		}
		if s.Asked != step.scheduler || s.State != step.state || s.Ops != step.ops || s.SeqBefore != step.seq || s.SeqAfter != step.seq {
			t.Errorf("step %d: record says %+v, want %+v", i, s, step)
		}
	}
}

func TestDefaultArgumentsAreThoseOfTheCatalogue(t *testing.T) {
	m, _ := rig(t)
	trial := under(t, m, "scx_layered", ok)
	if got := strings.Join(trial.Scheduler.Command, " "); !strings.HasSuffix(got, "/scx_layered --run-example") {
		t.Errorf("command %q", got)
	}
}

// An ejection ends the measurement, which has no numbers then, and the record
// has the kernel's reason.
func TestEjectionFailsTheTrial(t *testing.T) {
	for _, c := range []struct{ what, reason, kernel string }{
		{fakesched.Stall, "runnable task stall: llama-bench[165] failed to run for 6.112s", `BPF scheduler "simple" disabled (runnable task stall)`},
		{fakesched.Error, "scx_bpf_error: scx_qmap.bpf.c:388: test triggering error", "disabled (scx_bpf_error)"},
		{fakesched.SysRq, "disabled by sysrq-S", "disabled (disabled by sysrq-S)"},
		{fakesched.Hotplug, "unregistered from the main kernel: cpu 1 going offline, exiting scheduler", "enabled"},
		{fakesched.Exit, "its program ended (exit status 3)", "disabled (unregistered from user space)"},
		{"kill", "its program ended (signal: killed)", "disabled (unregistered from user space)"},
	} {
		t.Run(c.what, func(t *testing.T) {
			m, k := rig(t)
			under(t, m, "scx_simple", ok) // one that went well before
			trial := under(t, m, "scx_simple", func(ctx context.Context) (record.Trial, error) {
				if c.what == "kill" {
					_ = syscall.Kill(k.PID(), syscall.SIGKILL)
				} else {
					k.Do(c.what)
				}
				<-ctx.Done() // whoever measures is told to stop
				return record.Trial{}, ctx.Err()
			})
			f, s := trial.Failure, trial.Scheduler
			if trial.Outcome != record.Failed || f == nil || f.Class != record.SchedulerEjected || s == nil {
				t.Fatalf("outcome %s, failure %+v", trial.Outcome, f)
			}
			if s.Ejected != c.reason || !strings.Contains(f.Message, c.reason) {
				t.Errorf("reason %q, message %q; want %q", s.Ejected, f.Message, c.reason)
			}
			if s.Ops != "simple" || s.SeqBefore != 1 {
				t.Errorf("record says %+v", s)
			}
			if want := map[bool]int{true: 2, false: 1}[c.what == fakesched.Hotplug]; s.SeqAfter != want {
				t.Errorf("enable_seq after is %d, want %d", s.SeqAfter, want)
			}
			if !strings.Contains(strings.Join(s.Kernel, "\n"), c.kernel) || strings.Contains(strings.Join(s.Kernel, "\n"), "before all this") {
				t.Errorf("kernel's messages %q", s.Kernel)
			}
			again := under(t, m, "scx_simple", ok) // the next trial gets a fresh one
			if again.Outcome != record.OK || again.Scheduler.SeqBefore != s.SeqAfter+1 {
				t.Errorf("after it: %+v, %+v", again.Failure, again.Scheduler)
			}
		})
	}
}

// A benchmark that finishes although the scheduler was thrown out, as real ones
// do, has its numbers taken away: they are of the kernel's own scheduler.
func TestNumbersMeasuredAfterAnEjectionAreNotUsed(t *testing.T) {
	m, k := rig(t, func(o *Options) { o.Poll = time.Hour }) // only the look at the end can see it
	trial := under(t, m, "scx_simple", func(ctx context.Context) (record.Trial, error) {
		k.Do(fakesched.Stall)
		await(t, "the ejection", func() bool { return k.State() == "disabled" })
		return ok(ctx)
	})
	if trial.Outcome != record.Failed || trial.Measurements != nil || trial.Failure.Class != record.SchedulerEjected {
		t.Errorf("%+v", trial)
	}
}

// What happens between two trials is seen by the next, which loads it afresh.
func TestEjectionBetweenTrials(t *testing.T) {
	m, k := rig(t)
	under(t, m, "scx_simple", ok)
	k.Do(fakesched.Stall)
	await(t, "the ejection", func() bool { return k.State() == "disabled" })
	trial := under(t, m, "scx_simple", ok)
	if trial.Outcome != record.OK || trial.Scheduler.SeqBefore != 2 {
		t.Errorf("%+v %+v", trial.Failure, trial.Scheduler)
	}
}

// Somebody else's scheduler spoils the default's trial too.
func TestDefaultIsWatched(t *testing.T) {
	m, k := rig(t)
	trial := under(t, m, Default, func(ctx context.Context) (record.Trial, error) {
		k.Set("root/ops", "rogue")
		k.Set("state", "enabled")
		<-ctx.Done()
		return record.Trial{}, ctx.Err()
	})
	if trial.Failure == nil || trial.Failure.Class != record.SchedulerEjected || !strings.Contains(trial.Failure.Message, "rogue") {
		t.Errorf("%+v", trial.Failure)
	}
	next := under(t, m, Default, ok)
	if next.Failure == nil || next.Failure.Class != record.SchedulerNotLoaded {
		t.Errorf("the default was measured beside another scheduler: %+v", next)
	}
	k.Set("state", "disabled")
}

func TestSchedulersThatDoNotLoad(t *testing.T) {
	for _, c := range []struct{ args, message string }{
		{"--fail", "[SCX_BUG] scx_simple.c:193 (Permission denied)"},
		{"--partial", "switch_all is 0"},
		{"--name=rusty_1.0", `"rusty_1.0", not simple`},
		{"--name=simpler", `"simpler", not simple`},
	} {
		t.Run(c.args, func(t *testing.T) {
			m, k := rig(t)
			trial := under(t, m, "scx_simple "+c.args, func(ctx context.Context) (record.Trial, error) {
				t.Error("measured all the same")
				return ok(ctx)
			})
			if trial.Failure == nil || trial.Failure.Class != record.SchedulerNotLoaded || !strings.Contains(trial.Failure.Message, c.message) {
				t.Errorf("failure %+v, want %q", trial.Failure, c.message)
			}
			if k.State() != "disabled" {
				t.Errorf("left the kernel %s", k.State())
			}
			if next := under(t, m, "scx_rusty", ok); next.Outcome != record.OK {
				t.Errorf("the next scheduler: %+v", next.Failure)
			}
		})
	}
}

func TestSchedulerThatNeverLoads(t *testing.T) {
	m, _ := rig(t, func(o *Options) { o.StartTimeout = 50 * time.Millisecond })
	trial := under(t, m, "scx_simple --hang", ok)
	if trial.Failure == nil || !strings.Contains(trial.Failure.Message, "start_timeout") {
		t.Errorf("%+v", trial.Failure)
	}
}

// Pipes are drained, and what is kept of the output is bounded.
func TestSchedulerThatWritesWithoutEnd(t *testing.T) {
	var log bytes.Buffer
	m, _ := rig(t, func(o *Options) { o.Log = &log })
	if trial := under(t, m, "scx_simple --flood", ok); trial.Outcome != record.OK {
		t.Errorf("%+v", trial.Failure)
	}
	if n := len(m.current.out.String()); n > 2*mostKept+100 {
		t.Errorf("kept %d bytes", n)
	}
	_ = m.Close()
	if log.Len() < 1<<20 {
		t.Errorf("the log has %d bytes", log.Len())
	}
}

// One that hears no signal is killed by its guard.
func TestStubbornSchedulerIsEnded(t *testing.T) {
	m, k := rig(t)
	t.Setenv(shortVariable, "1")
	under(t, m, "scx_simple --stubborn", ok)
	pid := k.PID()
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	if k.State() != "disabled" || alive(pid) {
		t.Errorf("state %s, alive %v", k.State(), alive(pid))
	}
}

func TestInterruptUnloads(t *testing.T) {
	m, k := rig(t)
	ctx, cancel := context.WithCancel(t.Context())
	_, err := m.Under(ctx, "scx_simple", func(ctx context.Context) (record.Trial, error) {
		cancel()
		return record.Trial{}, ctx.Err()
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if err := m.Close(); err != nil || k.State() != "disabled" {
		t.Errorf("%v, state %s", err, k.State())
	}
}

// measureForever is a process that measures under a scheduler until it is killed.
func measureForever(root string) int {
	m := New(testOptions(root, filepath.Join(root, "bin")))
	m.isRoot = true
	_, _ = m.Under(context.Background(), "scx_simple", func(context.Context) (record.Trial, error) { select {} })
	return 1
}

// Whoever of tool and guard is killed, the scheduler does not stay.
func TestKilledToolOrGuardLeavesNoScheduler(t *testing.T) {
	for _, victim := range []string{"tool", "guard"} {
		t.Run(victim, func(t *testing.T) {
			_, k := rig(t)
			tool := exec.Command(os.Args[0], "measure", string(k))
			if err := tool.Start(); err != nil {
				t.Fatal(err)
			}
			defer func() { _ = tool.Process.Kill(); _ = tool.Wait() }()
			await(t, "the scheduler", func() bool { return k.State() == "enabled" && k.PID() != 0 })
			pid := k.PID()
			target := tool.Process.Pid
			if victim == "guard" {
				target = parentOf(pid)
			}
			if err := syscall.Kill(target, syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
			await(t, "the end of the scheduler", func() bool { return k.State() == "disabled" && !alive(pid) })
		})
	}
}

func parentOf(pid int) int {
	data, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	parent := 0
	for line := range strings.Lines(string(data)) {
		_, _ = fmt.Sscanf(line, "PPid:\t%d", &parent)
	}
	return parent
}

// alive says whether a process exists and has not ended.
func alive(pid int) bool {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && !strings.Contains(string(data), ") Z ")
}

// await polls for a condition that must come true, however slow the machine is.
func await(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); !holds(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s did not come", what)
		}
	}
}

// A scheduler is a program that the configuration names: neither it nor its
// guard gets a secret.
func TestSchedulerInheritsNoSecrets(t *testing.T) {
	t.Setenv("GITHUB_TOKEN", "not-for-you")
	m, k := rig(t)
	under(t, m, "scx_simple", ok)
	for _, pid := range []int{k.PID(), m.current.cmd.Process.Pid} {
		env, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
		if err != nil || strings.Contains(string(env), "not-for-you") || !strings.Contains(string(env), fakesched.Variable) {
			t.Errorf("process %d: %v; it inherits %q", pid, err, env)
		}
	}
}
