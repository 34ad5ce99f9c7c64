package runner_test

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/llama-regress/llama-regress/ci/plan"
	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/ci/runner"
)

// A script stops cells after the number of blocks it names, and says how many
// more the others need.
type script struct {
	stop map[string]int // by model
	need map[string]int
	asks []string
}

func (s *script) Interim(run *record.Run, due []record.Interim) []record.Interim {
	text := ""
	for i := range due {
		l := &due[i]
		model := run.Cells[slices.IndexFunc(run.Cells, func(c record.Cell) bool { return c.Key == l.Cell })].Model
		if at := s.stop[model]; at > 0 && l.Blocks >= at {
			l.Stop = record.StopDecided
		}
		l.Need = s.need[model]
		text += fmt.Sprintf("%s@%d ", model, l.Blocks)
	}
	s.asks = append(s.asks, fmt.Sprintf("%safter %d trials", text, len(run.Trials)))
	return due
}

func adaptivePlan(tb helper, dir string) *plan.Plan {
	p := makePlan(tb, dir, 6)
	p.Interims = []int{2, 4, 6}
	return p
}

func perCell(run *record.Run) map[string]int {
	n := make(map[string]int)
	for _, t := range run.Trials {
		n[t.Cell+" "+t.Arm]++
	}
	return n
}

const tiny, small = "bench/tiny/threads=2", "bench/small/threads=2"

func TestCellsStopAtTheirLooks(t *testing.T) {
	dir := t.TempDir()
	s := &script{stop: map[string]int{"tiny": 2}}
	opts := options(filepath.Join(dir, "out"))
	opts.Decider = s
	run, err := runner.Run(context.Background(), adaptivePlan(t, dir), &fakeBench{}, opts)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]int{tiny + " base": 2, tiny + " head": 2, small + " base": 6, small + " head": 6}
	if diff := cmp.Diff(want, perCell(run)); diff != "" {
		t.Errorf("trials: -want +got:\n%s", diff)
	}
	asks := []string{"tiny@2 small@2 after 8 trials", "small@4 after 12 trials", "small@6 after 16 trials"}
	if diff := cmp.Diff(asks, s.asks); diff != "" {
		t.Errorf("asked: -want +got:\n%s", diff)
	}
	var interims []string
	for _, l := range run.Interims {
		interims = append(interims, fmt.Sprintf("%s %d %s", l.Cell, l.Blocks, l.Stop))
	}
	if diff := cmp.Diff([]string{tiny + " 2 decided", small + " 2 ", small + " 4 ", small + " 6 last"}, interims); diff != "" {
		t.Errorf("interims: -want +got:\n%s", diff)
	}
	if run.Interrupted != "" || len(run.Notes) > 0 || run.Plan.Trials != 24 {
		t.Errorf("interrupted %q, notes %q, %d planned", run.Interrupted, run.Notes, run.Plan.Trials)
	}
}

// The null control goes on with its baseline in a cell that stopped, until no
// cell is measured any more.
func TestControlWatchesToTheEnd(t *testing.T) {
	dir := t.TempDir()
	p := adaptivePlan(t, dir)
	p.Arms = append(p.Arms, record.Arm{Name: "base~control", Bin: p.Arms[0].Bin, ControlOf: "base"})
	var trials []plan.Trial
	for _, trial := range p.Trials {
		trials = append(trials, trial)
		if trial.Cell == 0 && trial.Arm == 1 {
			trial.ID, trial.Arm = trial.ID+"~control", 2
			trials = append(trials, trial)
		}
	}
	for i := range trials {
		trials[i].Order = i
	}
	p.Trials = trials
	opts := options(filepath.Join(dir, "out"))
	opts.Decider = &script{stop: map[string]int{"tiny": 2, "small": 4}}
	run, err := runner.Run(context.Background(), p, &fakeBench{}, opts)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]int{tiny + " base": 4, tiny + " base~control": 4, tiny + " head": 2, small + " base": 4, small + " head": 4}
	if diff := cmp.Diff(want, perCell(run)); diff != "" {
		t.Errorf("trials: -want +got:\n%s", diff)
	}
}

// Wherever a run with interim analyses is interrupted, it ends as it would have without.
func TestLooksSurviveAPause(t *testing.T) {
	dir := t.TempDir()
	p := adaptivePlan(t, dir)
	opts := options(filepath.Join(dir, "whole"))
	opts.Decider = &script{stop: map[string]int{"tiny": 2, "small": 4}}
	want, err := runner.Run(context.Background(), p, &fakeBench{}, opts)
	if err != nil {
		t.Fatal(err)
	}
	for order := range want.Trials {
		out := filepath.Join(dir, fmt.Sprint("at", order))
		ctx, cancel := context.WithCancel(context.Background())
		n := 0
		first := &fakeBench{before: func(context.Context, plan.Trial) {
			if n++; n > order {
				cancel()
			}
		}}
		opts := options(out)
		opts.Decider = &script{stop: map[string]int{"tiny": 2, "small": 4}}
		if _, err := runner.Run(ctx, p, first, opts); err == nil {
			t.Fatalf("at %d: not interrupted", order)
		}
		opts.Resume = true
		second := &fakeBench{}
		got, err := runner.Run(context.Background(), p, second, opts)
		if err != nil {
			t.Fatalf("at %d: %v", order, err)
		}
		if diff := cmp.Diff(want, got, butTimes); diff != "" {
			t.Fatalf("at %d: -uninterrupted +resumed:\n%s", order, diff)
		}
		if len(second.measured) != len(want.Trials)-order {
			t.Errorf("at %d: measured %d again", order, len(second.measured))
		}
		if again, err := runner.Run(context.Background(), p, &fakeBench{}, opts); err != nil || len(again.Interims) != len(want.Interims) {
			t.Errorf("at %d: a complete run has %d looks, then %d: %v", order, len(want.Interims), len(again.Interims), err)
		}
	}
}

// A decision that is in the journal stands, whatever the decider would say now.
func TestJournaledLooksStand(t *testing.T) {
	dir := t.TempDir()
	p := adaptivePlan(t, dir)
	opts := options(filepath.Join(dir, "out"))
	opts.Decider = &script{stop: map[string]int{"tiny": 2}}
	ctx, cancel := context.WithCancel(context.Background())
	bench := &fakeBench{before: func(_ context.Context, t plan.Trial) {
		if t.Block == 2 {
			cancel()
		}
	}}
	if _, err := runner.Run(ctx, p, bench, opts); err == nil {
		t.Fatal("not interrupted")
	}
	opts.Resume, opts.Decider = true, &script{}
	run, err := runner.Run(context.Background(), p, &fakeBench{}, opts)
	if err != nil {
		t.Fatal(err)
	}
	if n := perCell(run); n[tiny+" base"] != 2 || n[small+" base"] != 6 {
		t.Errorf("trials: %v", n)
	}
}

// A budget that does not last for all goes to the cell closest to its verdict;
// what is left open is named.
func TestBudgetGoesToTheClosest(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct {
		name   string
		need   map[string]int
		budget time.Duration
		want   map[string]int
		open   string
	}{
		{"the second is closer", map[string]int{"tiny": 60, "small": 7}, 0, map[string]int{tiny + " base": 2, small + " base": 4}, "2 of 2 cells were left undecided: " + tiny + ", " + small},
		{"the first is closer", map[string]int{"tiny": 7}, 0, map[string]int{tiny + " base": 4, small + " base": 2}, "2 of 2 cells were left undecided"},
	} {
		t.Run(c.name, func(t *testing.T) {
			clock := &handClock{t: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)}
			opts := options(filepath.Join(dir, strings.ReplaceAll(c.name, " ", "-")))
			opts.Decider, opts.Now = &script{need: c.need}, clock.now
			opts.Budget = 125 * time.Second // 12 trials of 10 s: 8 until the first look
			bench := &fakeBench{before: func(context.Context, plan.Trial) { clock.t = clock.t.Add(10 * time.Second) }}
			run, err := runner.Run(context.Background(), adaptivePlan(t, dir), bench, opts)
			if err != nil {
				t.Fatal(err)
			}
			got := perCell(run)
			for key, n := range c.want {
				if got[key] != n || got[strings.Replace(key, "base", "head", 1)] != n {
					t.Errorf("%s: %d blocks, want %d", key, got[key], n)
				}
			}
			if run.Interrupted != "budget" || len(run.Notes) != 1 || !strings.Contains(run.Notes[0], c.open) {
				t.Errorf("interrupted %q, notes %q", run.Interrupted, run.Notes)
			}

			opts.Resume, opts.Budget = true, 0
			whole, err := runner.Run(context.Background(), adaptivePlan(t, dir), &fakeBench{}, opts)
			if err != nil {
				t.Fatal(err)
			}
			if n := perCell(whole); n[tiny+" base"] != 6 || n[small+" head"] != 6 || whole.Interrupted != "" || len(whole.Interims) != 6 {
				t.Errorf("resumed without a budget: %v, %d looks, interrupted %q", n, len(whole.Interims), whole.Interrupted)
			}
		})
	}
}

// A cell that a look decides leaves its time to those that had to wait.
func TestBudgetComesBackToThoseWhoWaited(t *testing.T) {
	dir := t.TempDir()
	clock := &handClock{t: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)}
	opts := options(filepath.Join(dir, "out"))
	opts.Decider, opts.Now = &script{need: map[string]int{"tiny": 60, "small": 7}, stop: map[string]int{"small": 4}}, clock.now
	opts.Budget = 155 * time.Second // until the first look 80 s, to the next of one cell 40 s, and 35 s that remain
	bench := &fakeBench{before: func(context.Context, plan.Trial) { clock.t = clock.t.Add(10 * time.Second) }}
	run, err := runner.Run(context.Background(), adaptivePlan(t, dir), bench, opts)
	if err != nil {
		t.Fatal(err)
	}
	if n := perCell(run); n[small+" base"] != 4 || n[tiny+" base"] != 3 {
		t.Errorf("trials: %v", n)
	}
	if run.Interrupted != "budget" || !strings.Contains(strings.Join(run.Notes, " "), "1 of 2 cells were left undecided: "+tiny) {
		t.Errorf("interrupted %q, notes %q", run.Interrupted, run.Notes)
	}
}

// Where the closest cell is too long for what is left, another may have it.
func TestBudgetDropsWhatItHasNoRoomFor(t *testing.T) {
	dir := t.TempDir()
	clock := &handClock{t: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)}
	opts := options(filepath.Join(dir, "out"))
	opts.Decider, opts.Now = &script{need: map[string]int{"tiny": 60, "small": 3}}, clock.now
	p := adaptivePlan(t, dir)
	opts.Budget = 205 * time.Second // 160 s until the first interim analysis, then 120 s of the one cell or 40 s of the other
	bench := &fakeBench{before: func(_ context.Context, t plan.Trial) {
		seconds := 10
		if p.Cells[t.Cell].Cell.Key == small {
			seconds = 30
		}
		clock.t = clock.t.Add(time.Duration(seconds) * time.Second)
	}}
	run, err := runner.Run(context.Background(), p, bench, opts)
	if err != nil {
		t.Fatal(err)
	}
	if n := perCell(run); n[small+" base"] != 2 || n[tiny+" base"] != 4 {
		t.Errorf("trials: %v", n)
	}
}

// A handClock stands still unless it is moved.
type handClock struct{ t time.Time }

func (c *handClock) now() time.Time { return c.t }

func TestFixedPlanSaysWhatItsBudgetLeft(t *testing.T) {
	dir := t.TempDir()
	opts := options(filepath.Join(dir, "out"))
	s := &script{stop: map[string]int{"tiny": 1}}
	opts.Decider = s
	clock := &handClock{t: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)}
	opts.Now, opts.Budget = clock.now, 65*time.Second
	bench := &fakeBench{before: func(context.Context, plan.Trial) { clock.t = clock.t.Add(10 * time.Second) }}
	run, err := runner.Run(context.Background(), makePlan(t, dir, 2), bench, opts)
	if err != nil {
		t.Fatal(err)
	}
	if len(run.Trials) != 6 || len(run.Notes) != 1 || !strings.Contains(run.Notes[0], "1 of 2 cells did not get all their blocks: "+small) {
		t.Errorf("%d trials, notes %q", len(run.Trials), run.Notes)
	}
	if len(s.asks) > 0 || len(run.Interims) > 0 {
		t.Errorf("a fixed number of blocks was looked at: %q", s.asks)
	}
}
