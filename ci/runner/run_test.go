package runner_test

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/llama-regress/llama-regress/ci/plan"
	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/ci/runner"
)

func TestRunMeasuresThePlanInOrder(t *testing.T) {
	dir := t.TempDir()
	p := makePlan(t, dir, 3)
	bench, out := &fakeBench{}, filepath.Join(dir, "out")
	opts := options(out)
	opts.Now = newClock().now
	run, err := runner.Run(context.Background(), p, bench, opts)
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, trial := range p.Trials {
		want = append(want, trial.ID)
	}
	if diff := cmp.Diff(want, bench.measured); diff != "" {
		t.Errorf("order of trials (-plan +measured):\n%s", diff)
	}
	onDisk, err := record.ReadFile(filepath.Join(out, runner.RecordFile))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(run, onDisk); diff != "" {
		t.Errorf("returned and written differ (-returned +written):\n%s", diff)
	}
	if run.Interrupted != "" || len(run.Notes) != 0 || len(run.Trials) != len(p.Trials) {
		t.Errorf("interrupted %q, notes %q, %d trials", run.Interrupted, run.Notes, len(run.Trials))
	}
	if _, err := os.Stat(filepath.Join(out, runner.JournalFile)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the journal is still there: %v", err)
	}
	for i, trial := range run.Trials {
		if trial.Order != i || trial.Seconds != 1 || trial.Start.IsZero() {
			t.Errorf("trial %s: order %d, %v s, start %v", trial.ID, trial.Order, trial.Seconds, trial.Start)
		}
	}
	last := run.Trials[len(run.Trials)-1]
	if !run.Finished.Equal(last.Start.Add(1e9)) {
		t.Errorf("finished %v, the last trial began %v", run.Finished, last.Start)
	}
}

func TestRunLearnsBuildAndModelFromTheFirstTrial(t *testing.T) {
	dir := t.TempDir()
	p := makePlan(t, dir, 1)
	run, err := runner.Run(context.Background(), p, &fakeBench{}, options(filepath.Join(dir, "out")))
	if err != nil {
		t.Fatal(err)
	}
	head := run.Arms[1].Build
	if head.Commit != "abchead" || head.Number != 6000 || head.Backends != "CPU" || head.CPU != "a processor" || len(head.SHA256) != 64 {
		t.Errorf("build of head: %+v", head)
	}
	small := run.Models[1]
	// printf GGUFsmall | sha256sum
	const sum = "244a1e9155ae68bc55bd7c6b0d9241db129c64a1e2db359563625e88936a41d8"
	if small.Type != "llama small" || small.Parameters != 42 || small.Bytes != 9 || small.SHA256 != sum {
		t.Errorf("model small: %+v", small)
	}
	if p.Arms[1].Build != (record.Build{}) {
		t.Error("the plan was changed")
	}
}

func TestFailedTrialsAreKeptAndTheRunGoesOn(t *testing.T) {
	dir := t.TempDir()
	p := makePlan(t, dir, 2)
	bench := &fakeBench{change: func(t plan.Trial, r record.Trial) (record.Trial, error) {
		if t.Order == 1 {
			return fail(record.Crashed, "llama-bench crashed"), nil
		}
		return r, nil
	}}
	run, err := runner.Run(context.Background(), p, bench, options(filepath.Join(dir, "out")))
	if err != nil {
		t.Fatal(err)
	}
	if len(run.Trials) != len(p.Trials) || run.Trials[1].Outcome != record.Failed || run.Trials[1].Failure.Class != record.Crashed {
		t.Errorf("%d trials, the second: %+v", len(run.Trials), run.Trials[1])
	}
}

func TestRunGivesUpOnACellThatOnlyFails(t *testing.T) {
	dir := t.TempDir()
	p := makePlan(t, dir, 6)
	bench := &fakeBench{change: func(t plan.Trial, r record.Trial) (record.Trial, error) {
		alwaysFails := t.Cell == 0 && t.Arm == 1
		failsButOnce := t.Cell == 1 && t.Arm == 0 && t.Block != 1
		if alwaysFails || failsButOnce {
			return fail(record.ModelLoad, "cannot load\nthe model"), nil
		}
		return r, nil
	}}
	run, err := runner.Run(context.Background(), p, bench, options(filepath.Join(dir, "out")))
	if err != nil {
		t.Fatal(err)
	}
	count := func(arm, cell string) (n int) {
		for _, trial := range run.Trials {
			if trial.Arm == arm && trial.Cell == cell {
				n++
			}
		}
		return n
	}
	tiny, small := p.Cells[0].Cell.Key, p.Cells[1].Cell.Key
	for _, c := range []struct {
		arm, cell string
		want      int
	}{{"base", tiny, 6}, {"head", tiny, 3}, {"base", small, 6}, {"head", small, 6}} {
		if got := count(c.arm, c.cell); got != c.want {
			t.Errorf("%s %s: %d trials, want %d", c.arm, c.cell, got, c.want)
		}
	}
	want := []string{tiny + " was not measured for arm head: each of its first 3 trials failed, the last with model_load: cannot load the model; its other 3 trials were left out"}
	if diff := cmp.Diff(want, run.Notes); diff != "" {
		t.Errorf("notes (-want +got):\n%s", diff)
	}
}

// A Bench that breaks its contract costs the trial, never the record.
func TestUnusableTrialsBecomeFailures(t *testing.T) {
	for name, c := range map[string]struct {
		change func(record.Trial) record.Trial
		class  record.FailureClass
		says   string
	}{
		"nan":             {func(r record.Trial) record.Trial { r.Measurements[0].Values[1] = nan; return r }, record.BadOutput, "NaN"},
		"nan in warm-up":  {func(r record.Trial) record.Trial { r.Measurements[0].Warmup[0] = nan; return r }, record.BadOutput, "NaN"},
		"no values":       {func(r record.Trial) record.Trial { r.Measurements[0].Values = nil; return r }, record.BadOutput, "no values"},
		"unknown metric":  {func(r record.Trial) record.Trial { r.Measurements[0].Metric = "pp1"; return r }, record.BadOutput, "pp1"},
		"metric missing":  {func(r record.Trial) record.Trial { r.Measurements = r.Measurements[:1]; return r }, record.MissingTest, "tg128"},
		"no outcome":      {func(r record.Trial) record.Trial { r.Outcome = ""; return r }, record.BadOutput, "outcome"},
		"failed, why not": {func(r record.Trial) record.Trial { r.Outcome = record.Failed; return r }, record.BadOutput, "no failure"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			p := makePlan(t, dir, 1)
			bench := &fakeBench{change: func(t plan.Trial, r record.Trial) (record.Trial, error) {
				if t.Order == 2 {
					return c.change(r), nil
				}
				return r, nil
			}}
			run, err := runner.Run(context.Background(), p, bench, options(filepath.Join(dir, "out")))
			if err != nil {
				t.Fatal(err)
			}
			bad := run.Trials[2]
			if bad.Outcome != record.Failed || bad.Failure.Class != c.class || !strings.Contains(bad.Failure.Message, c.says) {
				t.Errorf("trial: %+v, failure %+v", bad, bad.Failure)
			}
			if run.Trials[3].Outcome != record.OK {
				t.Error("the next trial failed too")
			}
		})
	}
}

func TestEveryArmIsIdentified(t *testing.T) {
	dir := t.TempDir()
	p := makePlan(t, dir, 1)
	control := p.Arms[0]
	control.Name, control.ControlOf = "base~control", "base"
	p.Arms = append(p.Arms, control)
	bench := &fakeBench{}
	run, err := runner.Run(context.Background(), p, bench, options(filepath.Join(dir, "out")))
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"base", "head", "base~control"}; !slices.Equal(bench.asked, want) {
		t.Errorf("identified %v, want %v", bench.asked, want)
	}
	if run.Arms[2].Build.SHA256 != run.Arms[0].Build.SHA256 || run.Arms[2].Build.SHA256 == "" {
		t.Errorf("build of the control: %+v", run.Arms[2].Build)
	}
}

var nan = math.NaN()
