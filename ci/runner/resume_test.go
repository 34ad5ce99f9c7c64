package runner_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/llama-regress/llama-regress/ci/plan"
	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/ci/runner"
)

// butTimes ignores what a pause may change in a record.
var butTimes = cmp.Options{
	cmpopts.IgnoreFields(record.Run{}, "ID", "Started", "Finished", "Notes"),
	cmpopts.IgnoreFields(record.Trial{}, "Start", "Seconds"),
}

// uninterrupted is the record of p as a run without any trouble writes it.
func uninterrupted(t *testing.T, p *plan.Plan) *record.Run {
	t.Helper()
	run, err := runner.Run(context.Background(), p, &fakeBench{}, options(t.TempDir()))
	if err != nil {
		t.Fatal(err)
	}
	return run
}

// interruptAt runs p in dir until the trial in that position begins, and
// returns the journal.
func interruptAt(t *testing.T, p *plan.Plan, dir string, order int) []byte {
	t.Helper()
	ctx, cancel := context.WithCancelCause(context.Background())
	stop := errors.New("enough")
	bench := &fakeBench{before: func(_ context.Context, t plan.Trial) {
		if t.Order == order {
			cancel(stop)
		}
	}}
	run, err := runner.Run(ctx, p, bench, options(dir))
	if !errors.Is(err, stop) {
		t.Fatalf("error is %v, want the cause of the cancellation", err)
	}
	if run.Interrupted != "interrupt" || len(run.Trials) != order {
		t.Fatalf("interrupted %q with %d trials, want %d", run.Interrupted, len(run.Trials), order)
	}
	journal, err := os.ReadFile(filepath.Join(dir, runner.JournalFile))
	if err != nil {
		t.Fatal(err)
	}
	return journal
}

func TestInterruptKeepsWhatWasMeasured(t *testing.T) {
	dir := t.TempDir()
	p := makePlan(t, dir, 2)
	out := filepath.Join(dir, "out")
	interruptAt(t, p, out, 5)
	run, err := record.ReadFile(filepath.Join(out, runner.RecordFile))
	if err != nil {
		t.Fatal(err)
	}
	if run.Interrupted != "interrupt" || len(run.Trials) != 5 {
		t.Errorf("record: interrupted %q, %d trials", run.Interrupted, len(run.Trials))
	}
	opts := options(out)
	opts.Resume = true
	bench := &fakeBench{}
	resumed, err := runner.Run(context.Background(), p, bench, opts)
	if err != nil {
		t.Fatal(err)
	}
	if len(bench.measured) != 3 || bench.measured[0] != p.Trials[5].ID {
		t.Errorf("measured after resuming: %v", bench.measured)
	}
	if resumed.ID != run.ID || !resumed.Started.Equal(run.Started) {
		t.Error("a resumed run is another run")
	}
	if diff := cmp.Diff(uninterrupted(t, p), resumed, butTimes); diff != "" {
		t.Errorf("record (-uninterrupted +resumed):\n%s", diff)
	}
	if len(resumed.Notes) != 1 || !strings.Contains(resumed.Notes[0], "after 5 of 8 trials") || !strings.Contains(resumed.Notes[0], "the pause lies within a block, before "+p.Trials[5].ID) {
		t.Errorf("notes: %q", resumed.Notes)
	}
	if _, err := os.Stat(filepath.Join(out, runner.JournalFile)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the journal is still there: %v", err)
	}
}

// Whatever part of the last line reached the disk, each whole line before it
// counts, the rest is measured again, and nothing is measured twice.
func TestResumeFromEveryTornEnd(t *testing.T) {
	dir := t.TempDir()
	p := makePlan(t, dir, 2)
	want := uninterrupted(t, p)
	journal := interruptAt(t, p, filepath.Join(dir, "whole"), 6)
	first := bytes.IndexByte(journal, '\n') + 1
	for size := first; size <= len(journal); size++ {
		if near := bytes.Contains(journal[size-2:min(size+2, len(journal))], []byte("\n")); !near && size%97 != 0 {
			continue // every byte around the ends of lines, some within them
		}
		out := filepath.Join(dir, fmt.Sprint("at", size))
		writeFile(t, filepath.Join(out, runner.JournalFile), string(journal[:size]))
		whole := bytes.Count(journal[:size], []byte("\n")) - 1
		recovered, err := runner.Recover(out)
		if err != nil {
			t.Fatalf("%d bytes: recover: %v", size, err)
		}
		if len(recovered.Trials) != whole || recovered.Interrupted != "killed" {
			t.Fatalf("%d bytes: recovered %d trials, want %d", size, len(recovered.Trials), whole)
		}
		if whole > 0 && (recovered.Arms[0].Build.Commit != "abcbase" || recovered.Models[0].Type != "llama tiny") {
			t.Fatalf("%d bytes: recovered %+v and %+v", size, recovered.Arms[0].Build, recovered.Models[0])
		}
		bench := &fakeBench{}
		opts := options(out)
		opts.Resume = true
		run, err := runner.Run(context.Background(), p, bench, opts)
		if err != nil {
			t.Fatalf("%d bytes: %v", size, err)
		}
		if len(bench.measured) != len(p.Trials)-whole {
			t.Fatalf("%d bytes: measured %v after %d whole lines", size, bench.measured, whole)
		}
		if diff := cmp.Diff(want, run, butTimes); diff != "" {
			t.Fatalf("%d bytes: record (-uninterrupted +resumed):\n%s", size, diff)
		}
		torn := journal[size-1] != '\n'
		if said := strings.Contains(strings.Join(run.Notes, " "), "torn"); said != torn {
			t.Fatalf("%d bytes: torn is %v, notes are %q", size, torn, run.Notes)
		}
		os.RemoveAll(out)
	}
}

// What is torn is cut away for good: the journal that goes on from there can
// itself be resumed.
func TestResumeFromTheJournalThatATornOneBecame(t *testing.T) {
	dir := t.TempDir()
	p := makePlan(t, dir, 2)
	out := filepath.Join(dir, "out")
	journal := interruptAt(t, p, out, 3)
	writeFile(t, filepath.Join(out, runner.JournalFile), string(journal[:len(journal)-20]))
	writeFile(t, filepath.Join(out, "."+runner.RecordFile+".1234"), "half a reco")
	opts := options(out)
	opts.Resume = true
	ctx, cancel := context.WithCancel(context.Background())
	bench := &fakeBench{before: func(_ context.Context, t plan.Trial) {
		if t.Order == 4 {
			cancel()
		}
	}}
	if _, err := runner.Run(ctx, p, bench, opts); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if recovered, err := runner.Recover(out); err != nil || len(recovered.Trials) != 4 {
		t.Fatalf("recovered %v, error %v", recovered, err)
	}
	run, err := runner.Run(context.Background(), p, &fakeBench{}, opts)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(uninterrupted(t, p), run, butTimes); diff != "" {
		t.Errorf("record (-uninterrupted +resumed):\n%s", diff)
	}
	if halves, _ := filepath.Glob(filepath.Join(out, ".run.json.*")); len(halves) > 0 {
		t.Errorf("left behind: %v", halves)
	}
}

// A kill between the last trial and the record costs neither.
func TestResumeWhenOnlyTheRecordIsMissing(t *testing.T) {
	dir := t.TempDir()
	p := makePlan(t, dir, 2)
	p.Trials = append(p.Trials, plan.Trial{ID: "one more", Block: 2, Order: len(p.Trials)})
	opts := options(filepath.Join(dir, "out"))
	interruptAt(t, p, opts.Dir, 8)
	p.Trials = p.Trials[:8]
	opts.Resume = true
	bench := &fakeBench{}
	run, err := runner.Run(context.Background(), p, bench, opts)
	if err != nil {
		t.Fatal(err)
	}
	if len(bench.measured) > 0 || len(run.Trials) != 8 || run.Interrupted != "" || len(run.Notes) > 0 {
		t.Errorf("measured %v, %d trials, interrupted %q, notes %q", bench.measured, len(run.Trials), run.Interrupted, run.Notes)
	}
}

func TestResumeTwice(t *testing.T) {
	dir := t.TempDir()
	p := makePlan(t, dir, 2)
	out := filepath.Join(dir, "out")
	interruptAt(t, p, out, 2)
	opts := options(out)
	opts.Resume = true
	ctx, cancel := context.WithCancel(context.Background())
	bench := &fakeBench{before: func(_ context.Context, t plan.Trial) {
		if t.Order == 4 {
			cancel()
		}
	}}
	if _, err := runner.Run(ctx, p, bench, opts); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	run, err := runner.Run(context.Background(), p, &fakeBench{}, opts)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(uninterrupted(t, p), run, butTimes); diff != "" {
		t.Errorf("record (-uninterrupted +resumed):\n%s", diff)
	}
	if len(run.Notes) != 2 {
		t.Errorf("notes: %q", run.Notes)
	}
	again, err := runner.Run(context.Background(), p, &fakeBench{before: func(_ context.Context, trial plan.Trial) { t.Errorf("measured %s again", trial.ID) }}, opts)
	if err != nil {
		t.Fatalf("resuming a complete run: %v", err)
	}
	if diff := cmp.Diff(run, again); diff != "" {
		t.Errorf("a complete run changed when resumed:\n%s", diff)
	}
}

func TestRunGivesUpWhereAnUninterruptedRunWould(t *testing.T) {
	dir := t.TempDir()
	p := makePlan(t, dir, 5)
	change := func(t plan.Trial, r record.Trial) (record.Trial, error) {
		if t.Cell == 1 && t.Arm == 1 {
			return fail(record.Crashed, "crashed"), nil
		}
		return r, nil
	}
	want, err := runner.Run(context.Background(), p, &fakeBench{change: change}, options(t.TempDir()))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	opts := options(filepath.Join(dir, "out"))
	bench := &fakeBench{change: change, before: func(_ context.Context, t plan.Trial) {
		if t.Order == 9 { // two failures so far
			cancel()
		}
	}}
	if _, err := runner.Run(ctx, p, bench, opts); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	opts.Resume = true
	got, err := runner.Run(context.Background(), p, &fakeBench{change: change}, opts)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got, butTimes); diff != "" {
		t.Errorf("record (-uninterrupted +resumed):\n%s", diff)
	}
	if diff := cmp.Diff(want.Notes, got.Notes[1:]); diff != "" {
		t.Errorf("notes (-uninterrupted +resumed):\n%s", diff)
	}
}

// A process that is killed between a trial's requests and its entry in the
// journal leaves requests that the resumed run measures again: they are there
// once, and a torn end is gone.
func TestResumeKeepsRequestsOnce(t *testing.T) {
	for _, torn := range []int64{0, 7} {
		dir := t.TempDir()
		p := makePlan(t, dir, 2)
		out := filepath.Join(dir, "out")
		path := filepath.Join(out, record.RequestFile)
		requests := func(trial string) []record.Request {
			return []record.Request{{Trial: trial, Index: 0}, {Trial: trial, Index: 1}}
		}
		interruptAt(t, p, out, 3)
		for _, next := range p.Trials[:4] { // one more than the journal has
			if err := record.AppendRequests(path, requests(next.ID)); err != nil {
				t.Fatal(err)
			}
		}
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(path, info.Size()-torn); err != nil {
			t.Fatal(err)
		}
		opts := options(out)
		opts.Resume = true
		bench := &fakeBench{before: func(_ context.Context, next plan.Trial) {
			if err := record.AppendRequests(path, requests(next.ID)); err != nil {
				t.Error(err)
			}
		}}
		run, err := runner.Run(context.Background(), p, bench, opts)
		if err != nil {
			t.Fatal(err)
		}
		rows := make(map[string]int)
		for row, err := range record.ReadRequests(path) {
			if err != nil {
				t.Fatal(err)
			}
			rows[row.Trial]++
		}
		for _, trial := range run.Trials {
			if rows[trial.ID] != 2 {
				t.Errorf("torn by %d bytes: %d rows of %s, want 2", torn, rows[trial.ID], trial.ID)
			}
		}
	}
}

// What failed under its load measured something: the arm is not given up, and
// what explains a trial that cannot be used stays with it.
func TestServedTrialsAreKept(t *testing.T) {
	dir := t.TempDir()
	p := makePlan(t, dir, 5)
	for i := range p.Cells {
		p.Cells[i].Cell.Metrics = record.ServeMetrics(record.ServeDesign{Requests: 12, Tokens: 8})[:1]
	}
	dead := func(_ plan.Trial, r record.Trial) (record.Trial, error) {
		r.Outcome, r.Failure = record.Failed, &record.Failure{Class: record.NoneSucceeded, Message: "none of 12 requests succeeded"}
		r.Load = &record.Load{Requests: 12, Failures: map[record.RequestFailureClass]int{record.HTTP5xx: 12}}
		r.Measurements = []record.Measurement{{Metric: record.SuccessRate, Values: []float64{0}, Count: &record.Count{Total: 12}}}
		return r, nil
	}
	run, err := runner.Run(context.Background(), p, &fakeBench{change: dead}, options(filepath.Join(dir, "out")))
	if err != nil {
		t.Fatal(err)
	}
	if len(run.Trials) != len(p.Trials) {
		t.Errorf("%d of %d trials ran: an arm whose success rate is 0 was given up", len(run.Trials), len(p.Trials))
	}
	lacking := func(of plan.Trial, r record.Trial) (record.Trial, error) {
		r, _ = dead(of, r)
		r.Outcome, r.Failure, r.Measurements = record.OK, nil, nil
		return r, nil
	}
	run, err = runner.Run(context.Background(), p, &fakeBench{change: lacking}, options(filepath.Join(dir, "lacking")))
	if err != nil {
		t.Fatal(err)
	}
	if r := run.Trials[0]; r.Outcome != record.Failed || r.Load == nil || r.Load.Failures[record.HTTP5xx] != 12 {
		t.Errorf("the trial is now %+v", r)
	}
}
