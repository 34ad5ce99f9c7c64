package runner_test

import (
	"context"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/llama-regress/llama-regress/ci/plan"
	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/ci/runner"
)

// disturbed is a bench of which these trials are disturbed, and options that
// notice it and repeat once.
func disturbed(dir string, which func(id string) bool) (*fakeBench, runner.Options) {
	opts := options(dir)
	opts.Repeat = 1
	opts.Conditions = func(round ...*record.Samples) []string {
		for _, s := range round {
			if s == nil || s.Series["noise"][0] == 0 {
				return nil
			}
		}
		return []string{"others made noise"}
	}
	bench := &fakeBench{change: func(t plan.Trial, r record.Trial) (record.Trial, error) {
		noise := 0.0
		if which(t.ID) {
			noise = 1
		}
		r.Samples = &record.Samples{Every: 1, Series: map[string][]float64{"noise": {noise}}}
		return r, nil
	}}
	return bench, opts
}

func repeats(run *record.Run) (ids []string) {
	for _, t := range run.Trials {
		if t.Repeats != "" {
			ids = append(ids, t.ID+"<"+t.Repeats)
		}
	}
	return ids
}

func TestRepeatDisturbed(t *testing.T) {
	dir := t.TempDir()
	p := makePlan(t, dir, 8)
	bench, opts := disturbed(filepath.Join(dir, "out"), func(id string) bool {
		return strings.HasPrefix(id, "b01.c0000.") && !strings.Contains(id, "again") || strings.HasPrefix(id, "b02.c0001.") || id == "b04.c0000.head"
	})
	run, err := runner.Run(t.Context(), p, bench, opts)
	if err != nil {
		t.Fatal(err)
	}
	// One repetition helps, the other is disturbed too and not repeated again. What
	// only one arm met is not repeated.
	got := repeats(run)
	slices.Sort(got)
	if got := strings.Join(got, " "); got != "b01.c0000.base.again1<b01.c0000.base b01.c0000.head.again1<b01.c0000.head b02.c0001.base.again1<b02.c0001.base b02.c0001.head.again1<b02.c0001.head" {
		t.Errorf("repeated %s", got)
	}
	spoilt := 0
	for i, r := range run.Trials {
		if len(r.Disturbed) > 0 {
			spoilt++
		}
		if r.Repeats == "" {
			continue
		}
		was := run.Trials[i-2] // the whole round, at once and in the same order
		if was.ID != r.Repeats || was.Block != r.Block || was.Order != r.Order || was.Arm != r.Arm || was.Cell != r.Cell {
			t.Errorf("%s follows %s", r.ID, was.ID)
		}
	}
	if spoilt != 6 || len(run.Trials) != len(p.Trials)+4 {
		t.Errorf("%d disturbed of %d trials", spoilt, len(run.Trials))
	}
	if notes := strings.Join(run.Notes, "; "); notes != "6 of 36 trials ran while something else disturbed the machine; 4 were repeated" {
		t.Errorf("notes: %s", notes)
	}
	if _, err := record.ReadFile(filepath.Join(dir, "out", runner.RecordFile)); err != nil {
		t.Error(err)
	}
}

// Repeating has an end: a fifth of the plan, the budget, a machine that is busy
// rather than disturbed, and no repetition where none was asked for.
func TestRepeatEnds(t *testing.T) {
	first := func(id string) bool { return !strings.Contains(id, "again") }
	for name, tt := range map[string]struct {
		which  func(id string) bool
		change func(*runner.Options)
		want   int
	}{
		"a third is disturbed":    {func(id string) bool { return first(id) && strings.Contains(id, "c0000") }, nil, 4},
		"one arm is disturbed":    {func(id string) bool { return strings.Contains(id, "head") }, nil, 0},
		"everything is disturbed": {func(string) bool { return true }, nil, 2},
		"nothing is":              {func(string) bool { return false }, nil, 0},
		"no repetition":           {first, func(o *runner.Options) { o.Repeat = 0 }, 0},
		"the time would not suffice": {func(id string) bool { return strings.HasPrefix(id, "b00.c0000.") }, func(o *runner.Options) {
			o.Now, o.Budget = newClock().now, 3*time.Second
		}, 0},
	} {
		dir := t.TempDir()
		bench, opts := disturbed(filepath.Join(dir, "out"), tt.which)
		if tt.change != nil {
			tt.change(&opts)
		}
		run, err := runner.Run(t.Context(), makePlan(t, dir, 5), bench, opts)
		if err != nil {
			t.Fatal(err)
		}
		if got := len(repeats(run)); got != tt.want {
			t.Errorf("%s: %d repeated, want %d: %v", name, got, tt.want, repeats(run))
		}
	}
}

// A failed trial has no numbers that could be disturbed.
func TestFailedIsNotDisturbed(t *testing.T) {
	dir := t.TempDir()
	bench, opts := disturbed(filepath.Join(dir, "out"), func(string) bool { return true })
	noisy := bench.change
	bench.change = func(pt plan.Trial, r record.Trial) (record.Trial, error) {
		f := fail(record.Crashed, "it crashed")
		r, err := noisy(pt, r)
		f.Samples = r.Samples
		return f, err
	}
	run, err := runner.Run(t.Context(), makePlan(t, dir, 2), bench, opts)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range run.Trials {
		if len(r.Disturbed) > 0 || r.Repeats != "" {
			t.Errorf("%+v", r)
		}
	}
}

// A run that is interrupted in a repetition, or after one, goes on.
func TestResumeRepeated(t *testing.T) {
	for _, at := range []string{"b01.c0000.base.again1", "b01.c0000.head.again1", "b03.c0000.base"} {
		dir := t.TempDir()
		p := makePlan(t, dir, 8)
		out := filepath.Join(dir, "out")
		bench, opts := disturbed(out, func(id string) bool { return strings.HasPrefix(id, "b01.c0000.") && !strings.Contains(id, "again") })
		ctx, cancel := context.WithCancel(t.Context())
		bench.before = func(_ context.Context, t plan.Trial) {
			if t.ID == at {
				cancel()
			}
		}
		if run, err := runner.Run(ctx, p, bench, opts); err == nil || run == nil || run.Interrupted != "interrupt" {
			t.Fatalf("%s: %v", at, err)
		}
		bench.before, opts.Resume = nil, true
		run, err := runner.Run(t.Context(), p, bench, opts)
		if err != nil {
			t.Fatalf("%s: %v", at, err)
		}
		// The repetitions that are in the journal stay; what is then missing of a round
		// is not made up for, and counts for nothing.
		if len(run.Trials) < len(p.Trials) || len(repeats(run)) > 2 {
			t.Errorf("%s: %d trials, repeated %v", at, len(run.Trials), repeats(run))
		}
		want := len(repeats(run))
		if at == "b03.c0000.base" && want != 2 {
			t.Errorf("%s: repeated %v", at, repeats(run))
		}
		if len(run.Trials) != len(p.Trials)+want || len(repeats(run)) != want {
			t.Errorf("%s: %d trials, repeated %v", at, len(run.Trials), repeats(run))
		}
		if !strings.Contains(strings.Join(run.Notes, " "), "resumed") || !strings.Contains(strings.Join(run.Notes, " "), "disturbed the machine") {
			t.Errorf("%s: notes %q", at, run.Notes)
		}
	}
}
