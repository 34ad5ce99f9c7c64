package runner_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/llama-regress/llama-regress/ci/plan"
	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/ci/runner"
)

// A trial takes a second of this clock and everything else nothing, so a
// budget buys a known number of blocks.
func budgetRun(t *testing.T, p *plan.Plan, out string, budget time.Duration, resume bool) *record.Run {
	t.Helper()
	c := &manualClock{t: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)}
	opts := options(out)
	opts.Now, opts.Budget, opts.Resume = c.now, budget, resume
	bench := &fakeBench{before: func(_ context.Context, t plan.Trial) {
		c.add(time.Duration(1+t.Cell) * time.Second) // tiny 1 s, small 2 s
	}}
	run, err := runner.Run(context.Background(), p, bench, opts)
	if err != nil {
		t.Fatal(err)
	}
	return run
}

func TestBudget(t *testing.T) {
	for _, c := range []struct {
		budget time.Duration
		trials int
		why    string
	}{
		{time.Hour, 12, ""},
		{18 * time.Second, 12, ""},       // exactly what 3 blocks of 2 x 1 s and 2 x 2 s take
		{17 * time.Second, 10, "budget"}, // the last block of small would end after 18 s
		{14 * time.Second, 10, "budget"},
		{13 * time.Second, 8, "budget"},
		{1, 2, "budget"}, // nothing is known of the first block, so it is begun
	} {
		dir := t.TempDir()
		p := makePlan(t, dir, 3)
		out := filepath.Join(dir, "out")
		run := budgetRun(t, p, out, c.budget, false)
		if len(run.Trials) != c.trials || run.Interrupted != c.why {
			t.Errorf("%v: %d trials, interrupted %q; want %d, %q", c.budget, len(run.Trials), run.Interrupted, c.trials, c.why)
		}
		if c.why == "" {
			continue
		}
		onDisk, err := record.ReadFile(filepath.Join(out, runner.RecordFile))
		if err != nil || onDisk.Interrupted != "budget" {
			t.Errorf("%v: record: %v", c.budget, err)
		}
		if whole := budgetRun(t, p, out, time.Hour, true); len(whole.Trials) != 12 || whole.Interrupted != "" {
			t.Errorf("%v: after resuming %d trials, interrupted %q", c.budget, len(whole.Trials), whole.Interrupted)
		}
	}
}

// A block that has begun is finished, though it takes longer than foreseen: a
// candidate without its baseline is worth nothing.
func TestBudgetNeverCutsABlock(t *testing.T) {
	dir := t.TempDir()
	p := makePlan(t, dir, 3)
	c := &manualClock{t: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)}
	opts := options(filepath.Join(dir, "out"))
	opts.Now, opts.Budget = c.now, 20*time.Second
	bench := &fakeBench{before: func(_ context.Context, t plan.Trial) {
		c.add(time.Second)
		if t.Order == 4 {
			c.add(time.Minute)
		}
	}}
	run, err := runner.Run(context.Background(), p, bench, opts)
	if err != nil {
		t.Fatal(err)
	}
	if len(run.Trials) != 6 || run.Interrupted != "budget" {
		t.Errorf("%d trials, interrupted %q; want 6, budget", len(run.Trials), run.Interrupted)
	}
}

// An interrupt spoils the trial it hits only when that failed.
func TestInterruptedTrial(t *testing.T) {
	for name, c := range map[string]struct {
		outcome record.Trial
		err     error
		kept    int
	}{
		"it failed by it":   {fail(record.Crashed, "killed"), nil, 2},
		"it returns it":     {record.Trial{}, context.Canceled, 2},
		"it ended in time":  {record.Trial{Outcome: record.OK}, nil, 3},
		"it returns others": {record.Trial{}, errors.New("signal: interrupt"), 2},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			p := makePlan(t, dir, 2)
			ctx, cancel := context.WithCancelCause(context.Background())
			why := errors.New("SIGTERM")
			bench := &fakeBench{change: func(t plan.Trial, r record.Trial) (record.Trial, error) {
				if t.Order != 2 {
					return r, nil
				}
				cancel(why)
				if c.outcome.Outcome == record.OK {
					return r, c.err
				}
				return c.outcome, c.err
			}}
			run, err := runner.Run(ctx, p, bench, options(filepath.Join(dir, "out")))
			if !errors.Is(err, why) || run.Interrupted != "interrupt" || len(run.Trials) != c.kept {
				t.Errorf("error %v, interrupted %q, %d trials, want %d", err, run.Interrupted, len(run.Trials), c.kept)
			}
		})
	}
}

func TestInterruptBeforeTheFirstTrial(t *testing.T) {
	dir := t.TempDir()
	p := makePlan(t, dir, 2)
	ctx, cancel := context.WithCancelCause(context.Background())
	why := errors.New("SIGTERM")
	bench := &fakeBench{identify: func(record.Arm) (record.Build, error) {
		cancel(why)
		return record.Build{}, ctx.Err()
	}}
	run, err := runner.Run(ctx, p, bench, options(filepath.Join(dir, "out")))
	if run != nil || err != why {
		t.Errorf("run %v, error %v", run, err)
	}
	if _, err := runner.Run(context.Background(), p, &fakeBench{}, options(filepath.Join(dir, "out"))); err != nil {
		t.Errorf("the folder cannot be used any more: %v", err)
	}
}

// A bench that cannot go on ends the run; the record says so and what was measured stays.
func TestBenchErrorEndsTheRun(t *testing.T) {
	dir := t.TempDir()
	p := makePlan(t, dir, 2)
	full := errors.New("log of trial: no space left on device")
	bench := &fakeBench{change: func(t plan.Trial, r record.Trial) (record.Trial, error) {
		if t.Order == 3 {
			return record.Trial{}, full
		}
		return r, nil
	}}
	opts := options(filepath.Join(dir, "out"))
	run, err := runner.Run(context.Background(), p, bench, opts)
	if !errors.Is(err, full) || run.Interrupted != "error" || len(run.Trials) != 3 {
		t.Fatalf("error %v, interrupted %q, %d trials", err, run.Interrupted, len(run.Trials))
	}
	if notes := strings.Join(run.Notes, ""); !strings.Contains(notes, full.Error()) {
		t.Errorf("notes: %q", notes)
	}
	opts.Resume = true
	if run, err := runner.Run(context.Background(), p, &fakeBench{}, opts); err != nil || len(run.Trials) != 8 {
		t.Errorf("resumed: %v", err)
	}
}

func TestModelThatChangesFailsItsTrials(t *testing.T) {
	dir := t.TempDir()
	p := makePlan(t, dir, 4)
	model := p.Models[0].Path
	later := time.Now().Add(time.Hour)
	bench := &fakeBench{before: func(_ context.Context, trial plan.Trial) {
		switch trial.ID { // the change shows in the next trial of tiny
		case "b00.c0001.base":
			if err := os.Chtimes(model, later, later); err != nil { // touched, not changed
				t.Error(err)
			}
		case "b01.c0001.base":
			writeFile(t, model, "GGUFTINY")
		case "b02.c0001.base":
			if err := os.Remove(model); err != nil {
				t.Error(err)
			}
			writeFile(t, model, "GGUFtiny")
		}
	}}
	run, err := runner.Run(context.Background(), p, bench, options(filepath.Join(dir, "out")))
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range run.Trials {
		changed := r.Block == 2 && r.Cell == p.Cells[0].Cell.Key
		if (r.Outcome == record.Failed) != changed {
			t.Errorf("%s: %s %+v", r.ID, r.Outcome, r.Failure)
		}
		if changed && (r.Failure.Class != record.BuildChanged || !strings.Contains(r.Failure.Message, "tiny.gguf changed")) {
			t.Errorf("%s: %+v", r.ID, r.Failure)
		}
	}
}

// The clock of the wall may jump; a duration is never negative.
func TestClockThatJumpsBack(t *testing.T) {
	dir := t.TempDir()
	p := makePlan(t, dir, 1)
	c := &manualClock{t: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)}
	opts := options(filepath.Join(dir, "out"))
	opts.Now = c.now
	bench := &fakeBench{before: func(context.Context, plan.Trial) { c.add(-time.Hour) }}
	run, err := runner.Run(context.Background(), p, bench, opts)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range run.Trials {
		if r.Seconds != 0 {
			t.Errorf("%s took %v s", r.ID, r.Seconds)
		}
	}
}
