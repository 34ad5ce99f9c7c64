package history

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/ci/store"
	"github.com/llama-regress/llama-regress/compare"
)

var first = time.Date(2026, 3, 1, 21, 0, 0, 0, time.UTC)

// session is that of the nth night: two cells, three trials.
func session(n int) *record.Run {
	at := first.AddDate(0, 0, n)
	run := &record.Run{
		Schema: record.Schema, ID: fmt.Sprintf("night-%02d", n), Started: at, Finished: at.Add(time.Minute), Baseline: "nightly",
		Host:   record.Host{Name: "r", Hard: map[string]string{"cpu": "x"}, Soft: map[string]string{"microcode": fmt.Sprint(n)}},
		Arms:   []record.Arm{{Name: "nightly", Build: record.Build{Commit: fmt.Sprintf("%040x", n)}}},
		Models: []record.Model{{Name: "a", SHA256: "1"}, {Name: "b", SHA256: "2"}},
		Plan:   record.Plan{Trials: 6},
	}
	for i, model := range []string{"a", "b"} {
		run.Cells = append(run.Cells, record.Cell{Key: record.CellKey("bench", model, nil), Workload: "bench", Model: model, Metrics: []record.Metric{record.Test{Gen: 128}.Metric()}})
		for k := range 3 {
			run.Trials = append(run.Trials, record.Trial{
				ID: fmt.Sprint(model, k), Arm: "nightly", Cell: run.Cells[i].Key, Block: k, Order: 2*k + i, Start: at, Outcome: record.OK,
				Measurements: []record.Measurement{{Metric: "tg128", Values: []float64{40 + float64((n*7+k*3)%5)/10}}},
			})
		}
	}
	return run
}

func stored(t *testing.T, runs ...*record.Run) (store.Store, *store.Contents) {
	t.Helper()
	s, err := store.Open("dir:"+t.TempDir(), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, run := range runs {
		if _, err := store.Record(context.Background(), s, run, store.RecordOptions{Now: first.AddDate(1, 0, 0)}); err != nil {
			t.Fatal(err)
		}
	}
	return s, contents(t, s)
}

func contents(t *testing.T, s store.Store) *store.Contents {
	t.Helper()
	c, err := store.Load(context.Background(), s, store.LoadOptions{})
	if err != nil || len(c.Faults) > 0 {
		t.Fatal(err, c.Faults)
	}
	return c
}

func ids(sessions []store.Session) (names []string) {
	for _, s := range sessions {
		names = append(names, s.Run.ID)
	}
	return names
}

const a, b = "bench/a", "bench/b"

func TestChooseTheLatestInOrder(t *testing.T) {
	var runs []*record.Run
	for n := range 30 {
		runs = append(runs, session(n))
	}
	_, c := stored(t, runs...)
	choice := Choose(c, session(28), Options{Most: 3}) // which is stored, as is a later one
	for _, cell := range []string{a, b} {
		if diff := cmp.Diff([]string{"night-25", "night-26", "night-27"}, ids(choice.Cells[cell])); diff != "" {
			t.Errorf("%s: %s", cell, diff)
		}
	}
	if diff := cmp.Diff([]Reason{{"not earlier than this session", 1}}, choice.PassedOver); diff != "" {
		t.Error(diff)
	}
	if n := len(Choose(c, session(40), Options{}).Cells[a]); n != 20 {
		t.Errorf("%d sessions by default", n)
	}
	if got := Choose(c, session(40), Options{Machine: "other"}); len(got.Cells) != 0 || got.PassedOver != nil {
		t.Errorf("another machine's: %+v", got)
	}
	if got := Choose(new(store.Contents), session(1), Options{}); len(got.Cells) != 0 {
		t.Errorf("of an empty store: %+v", got)
	}
}

// Every reason why a session cannot serve, for all cells or for one.
func TestChooseComparable(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*record.Run)
		a, b   bool
		why    string
	}{
		"same":           {func(r *record.Run) {}, true, true, ""},
		"soft key":       {func(r *record.Run) { r.Host.Soft["microcode"] = "z" }, true, true, ""},
		"unknown key":    {func(r *record.Run) { r.Host.Hard["gpu"] = "z" }, true, true, ""},
		"hard key":       {func(r *record.Run) { r.Host.Hard["cpu"] = "y" }, false, false, "differs in cpu"},
		"parameters":     {func(r *record.Run) { r.Arms[0].Params = map[string]string{"poll": "0"} }, false, false, "ran with other parameters or environment"},
		"environment":    {func(r *record.Run) { r.Arms[0].Env = map[string]string{"X": "0"} }, false, false, "ran with other parameters or environment"},
		"arm's name":     {func(r *record.Run) { rename(r, "main") }, true, true, ""},
		"one model":      {func(r *record.Run) { r.Models[0].SHA256 = "9" }, false, true, ""},
		"both models":    {func(r *record.Run) { r.Models[0].SHA256, r.Models[1].SHA256 = "9", "9" }, false, false, "measured another file of model b"},
		"model unknown":  {func(r *record.Run) { r.Models[0].SHA256 = "" }, true, true, ""},
		"cell failed":    {func(r *record.Run) { fail(r, a) }, false, true, ""},
		"nothing worked": {func(r *record.Run) { fail(r, a); fail(r, b) }, false, false, "measured nothing: every trial failed"},
		"other cells":    {func(r *record.Run) { r.Cells, r.Trials = r.Cells[:1], r.Trials[:3] }, true, false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			run := session(1)
			c.change(run)
			_, stored := stored(t, run)
			choice := Choose(stored, session(2), Options{})
			if got := len(choice.Cells[a]) == 1; got != c.a {
				t.Errorf("serves for a: %v", got)
			}
			if got := len(choice.Cells[b]) == 1; got != c.b {
				t.Errorf("serves for b: %v", got)
			}
			var want []Reason
			if c.why != "" {
				want = []Reason{{c.why, 1}}
			}
			if diff := cmp.Diff(want, choice.PassedOver); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func rename(r *record.Run, arm string) {
	r.Arms[0].Name, r.Baseline = arm, arm
	for i := range r.Trials {
		r.Trials[i].Arm = arm
	}
}

func fail(r *record.Run, cell string) {
	for i := range r.Trials {
		if t := &r.Trials[i]; t.Cell == cell {
			t.Outcome, t.Measurements, t.Failure = record.Failed, nil, &record.Failure{Class: record.Crashed}
		}
	}
}

// An accepted change of one cell leaves the other's history alone, and what is
// read for the comparison holds no trial from before.
func TestChooseCurrentSegment(t *testing.T) {
	ctx := context.Background()
	var runs []*record.Run
	for n := range 10 {
		runs = append(runs, session(n))
	}
	s, c := stored(t, runs...)
	from := c.Sessions[7].Key.String()
	if _, err := store.Promote(ctx, s, store.Segment{Machine: "r", From: from, Cells: []string{a}, Reason: "agreed", Made: first.AddDate(0, 0, 20)}); err != nil {
		t.Fatal(err)
	}
	head := session(10)
	choice := Choose(contents(t, s), head, Options{})
	if diff := cmp.Diff([]string{"night-07", "night-08", "night-09"}, ids(choice.Cells[a])); diff != "" {
		t.Error(diff)
	}
	if n := len(choice.Cells[b]); n != 10 {
		t.Errorf("the other cell has %d", n)
	}
	past, err := choice.Selections(ctx, s)
	if err != nil || len(past) != 10 {
		t.Fatalf("%d selections, %v", len(past), err)
	}
	if !slices.IsSortedFunc(past, func(x, y compare.Selection) int { return x.Run.Started.Compare(y.Run.Started) }) {
		t.Error("not in order")
	}
	res := compare.History(past, compare.Selection{Run: head, Arm: choice.Arm}, compare.DefaultPolicy())
	have := map[string]int{}
	for _, x := range res.Comparisons {
		have[x.Cell] = len(x.Baseline.Trials)
	}
	if diff := cmp.Diff(map[string]int{a: 3, b: 10}, have); diff != "" {
		t.Errorf("what was compared: %s", diff)
	}
	if err := s.Remove(ctx, []string{from}); err != nil {
		t.Fatal(err)
	}
	if past, err := choice.Selections(ctx, s); err != nil || len(past) != 9 {
		t.Errorf("after one was pruned: %d, %v", len(past), err)
	}
	// All cells: nothing from before serves, and the reason says why.
	if _, err := store.Promote(ctx, s, store.Segment{Machine: "r", From: c.Sessions[9].Key.String(), Reason: "agreed again", Made: first.AddDate(0, 0, 21)}); err != nil {
		t.Fatal(err)
	}
	choice = Choose(contents(t, s), head, Options{})
	if len(choice.Cells[a]) != 1 || len(choice.Cells[b]) != 1 {
		t.Errorf("%v", choice.Cells)
	}
	if diff := cmp.Diff([]Reason{{"before history began anew on 2026-03-10: agreed again", 8}}, choice.PassedOver); diff != "" {
		t.Error(diff)
	}
}

// Where hard keys alone keep every session from serving, the latest of them is
// handed on, so that the comparison names the keys and not a missing baseline.
func TestMismatchedKeysAreNamed(t *testing.T) {
	head := session(9)
	head.Host.Hard = map[string]string{"cpu": "y"}
	s, c := stored(t, session(1), session(2), session(12))
	choice := Choose(c, head, Options{})
	if choice.Mismatched == nil || choice.Mismatched.Run.ID != "night-02" {
		t.Fatalf("mismatched %+v", choice.Mismatched)
	}
	past, err := choice.Selections(context.Background(), s)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range compare.History(past, compare.Selection{Run: head, Arm: "nightly"}, compare.DefaultPolicy()).Comparisons {
		if c.Reason == nil || c.Reason.Code != compare.EnvironmentMixed || !cmp.Equal(c.Reason.Keys, []string{"cpu"}) {
			t.Errorf("%s: %+v", c.Cell, c.Reason)
		}
	}
	if choice := Choose(c, session(9), Options{}); choice.Mismatched != nil || len(choice.Sessions()) != 2 {
		t.Errorf("mismatched %v, %v", choice.Mismatched, ids(choice.Sessions()))
	}
}
