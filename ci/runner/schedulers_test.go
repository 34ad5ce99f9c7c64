package runner_test

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/llama-regress/llama-regress/ci/config"
	"github.com/llama-regress/llama-regress/ci/plan"
	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/ci/runner"
)

// fakeSchedulers keep what they are asked for.
type fakeSchedulers struct {
	checked, used []string
	closed        int
	refuse, stuck error
}

func (f *fakeSchedulers) Check(_ context.Context, all []string) error {
	f.checked = all
	return f.refuse
}

func (f *fakeSchedulers) Under(ctx context.Context, scheduler string, measure func(context.Context) (record.Trial, error)) (record.Trial, error) {
	f.used = append(f.used, scheduler)
	trial, err := measure(ctx)
	trial.Scheduler = &record.Scheduler{Asked: scheduler, Ops: strings.TrimPrefix(scheduler, "scx_")}
	return trial, err
}

func (f *fakeSchedulers) Close() error { f.closed++; return f.stuck }

// scheduled is a plan whose head runs under another scheduler.
func scheduled(t *testing.T, dir string) *plan.Plan {
	p := makePlan(t, dir, 2)
	p.Schedulers = &config.Schedulers{}
	p.Arms[1].Params = map[string]string{record.SchedulerParam: "scx_lavd"}
	return p
}

func TestEachTrialRunsUnderItsScheduler(t *testing.T) {
	dir := t.TempDir()
	p := scheduled(t, dir)
	f := &fakeSchedulers{}
	opts := options(filepath.Join(dir, "out"))
	opts.Schedulers = f
	run, err := runner.Run(t.Context(), p, &fakeBench{}, opts)
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for i, trial := range p.Trials {
		want = append(want, p.Scheduler(trial))
		if s := run.Trials[i].Scheduler; s == nil || s.Asked != want[i] {
			t.Errorf("trial %s: %+v", trial.ID, s)
		}
	}
	if !slices.Equal(f.used, want) || f.closed != 1 || len(f.checked) != 2 {
		t.Errorf("used %q, want %q; closed %d times, checked %q", f.used, want, f.closed, f.checked)
	}
}

func TestSchedulersAreCheckedBeforeAnythingRuns(t *testing.T) {
	for name, c := range map[string]struct {
		schedulers runner.Schedulers
		says       string
	}{
		"none":    {nil, "nothing loads the schedulers"},
		"refused": {&fakeSchedulers{refuse: errors.New("no sched_ext")}, "no sched_ext"},
	} {
		dir := t.TempDir()
		bench := &fakeBench{}
		opts := options(filepath.Join(dir, "out"))
		opts.Schedulers = c.schedulers
		_, err := runner.Run(t.Context(), scheduled(t, dir), bench, opts)
		var unmeasurable *runner.UnmeasurableError
		if !errors.As(err, &unmeasurable) || !strings.Contains(err.Error(), c.says) || len(bench.measured) > 0 {
			t.Errorf("%s: %v, measured %q", name, err, bench.measured)
		}
	}
}

// A machine that cannot be brought back is said, and not called complete.
func TestSchedulerThatStays(t *testing.T) {
	dir := t.TempDir()
	opts := options(filepath.Join(dir, "out"))
	opts.Schedulers = &fakeSchedulers{stuck: errors.New("scx_lavd cannot be unloaded")}
	run, err := runner.Run(t.Context(), scheduled(t, dir), &fakeBench{}, opts)
	if err == nil || run == nil || run.Interrupted != "error" || !strings.Contains(strings.Join(run.Notes, " "), "cannot be unloaded") {
		t.Errorf("%v, %+v", err, run)
	}
}

func TestInterruptClosesSchedulers(t *testing.T) {
	dir := t.TempDir()
	f := &fakeSchedulers{}
	opts := options(filepath.Join(dir, "out"))
	opts.Schedulers = f
	ctx, cancel := context.WithCancel(t.Context())
	bench := &fakeBench{before: func(context.Context, plan.Trial) { cancel() }}
	if _, err := runner.Run(ctx, scheduled(t, dir), bench, opts); !errors.Is(err, context.Canceled) || f.closed != 1 {
		t.Errorf("%v, closed %d times", err, f.closed)
	}
}
