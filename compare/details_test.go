package compare

import (
	"fmt"
	"slices"
	"testing"

	"github.com/llama-regress/llama-regress/ci/record"
)

// Unless stages share it, the claim "equivalent" may spend all of the error.
func TestShare(t *testing.T) {
	for have, want := range map[float64]float64{0: 1, 0.2: 0.2, 0.8: 0.8} {
		if got := (&Comparison{equivalence: have}).share(); got != want {
			t.Errorf("%v: %v, want %v", have, got, want)
		}
	}
}

// One request that succeeded is enough for a trial not to be dead, and one that
// failed for it not to be without failure.
func TestOneOfManyRequests(t *testing.T) {
	trial := func(succeeded int) Point { return Point{Count: &record.Count{Succeeded: succeeded, Total: 12}} }
	s := Side{Trials: []Point{trial(0), trial(1), trial(11), trial(12), {}}}
	var got []string
	for _, p := range s.Trials {
		got = append(got, fmt.Sprint(failed(p), succeeded(p)))
	}
	if want := []string{"true false", "true true", "true true", "false true", "true false"}; !slices.Equal(got, want) || s.dead() != 2 {
		t.Errorf("failed and succeeded: %q, want %q; %d dead", got, want, s.dead())
	}
	if (Side{}).neverFailed() || (Side{}).alwaysFailed() {
		t.Error("a side without trials")
	}
}

// Cells that differ in a few parameters are near each other.
func TestApartIn(t *testing.T) {
	cell := func(n int) record.Cell {
		c := record.Cell{Workload: "bench", Model: "m", Params: map[string]string{"same": "1"}, Metrics: []record.Metric{{Name: "pp512"}}}
		for i := range fewParams + 1 {
			c.Params[fmt.Sprint("p", i)] = fmt.Sprint(i < n)
		}
		return c
	}
	for n, want := range map[int]int{0: 0, 1: 1, fewParams: fewParams, fewParams + 1: 0} {
		diffs := apartIn(cell(0), cell(n))
		if len(diffs) != want {
			t.Errorf("%d parameters: %v", n, diffs)
		}
		for _, d := range diffs {
			if d.A != "false" || d.B != "true" {
				t.Errorf("%+v", d)
			}
		}
	}
	other := cell(1)
	other.Metrics = []record.Metric{{Name: "tg128"}}
	if diffs := apartIn(cell(0), other); diffs != nil {
		t.Errorf("another test: %v", diffs)
	}
}

// Numbers of builds are told where they differ, and where one has none.
func TestBuildNumbers(t *testing.T) {
	arm := func(n int) record.Arm { return record.Arm{Name: "head", Build: record.Build{Number: n}} }
	for _, c := range []struct {
		base, head int
		want       string
	}{{0, 0, "[]"}, {5, 5, "[]"}, {5, 6, "[{build.number 5 6 head false}]"}, {0, 1, "[{build.number  1 head false}]"}} {
		if got := fmt.Sprint(buildDifferences(arm(c.base), arm(c.head))); got != c.want {
			t.Errorf("%d and %d: %s, want %s", c.base, c.head, got, c.want)
		}
	}
}

// What differs is told against the last session before, and no other.
func TestHistoryDiffersFromTheLastNight(t *testing.T) {
	past, head := nights(4, 1, 0.01, 0, 3)
	for i := range past {
		past[i].Run.Arms[0].Build.Commit = fmt.Sprint("commit", min(i, 2))
		past[i].Run.Started = head.Run.Started.AddDate(0, 0, i)
	}
	head.Run.Started = head.Run.Started.AddDate(0, 0, len(past))
	head.Run.Arms[0].Build.Commit = "commit2"
	if got := History(past, head, DefaultPolicy()).Differences; len(got) != 0 {
		t.Errorf("as the last night: %v", got)
	}
	past[len(past)-1].Run.Arms[0].Build.Commit = "commit1"
	if got := fmt.Sprint(History(past, head, DefaultPolicy()).Differences); got != "[{build.commit commit1 commit2 main false}]" {
		t.Errorf("unlike the last night: %v", got)
	}
}

// A cell that nothing can be planned for keeps no other from its plan.
func TestOutlooksLeaveOut(t *testing.T) {
	run := session{arms: []string{"base", "head"}, blocks: 20, noise: 0.02, cells: 3, seed: 3}.run()
	for i := range run.Trials {
		if run.Trials[i].Cell != run.Cells[1].Key { // of this one nobody knows how long it took
			run.Trials[i].Seconds = 5
		}
	}
	var cells []string
	for _, o := range Outlooks(run, DefaultPolicy(), 6000) {
		cells = append(cells, o.Cell)
	}
	if want := []string{run.Cells[0].Key, run.Cells[2].Key}; !slices.Equal(cells, want) {
		t.Errorf("plans for %q, want %q", cells, want)
	}
}

// Every candidate is asked how reliable it was, whatever the order of the arms, and
// no control.
func TestStagesCountFailures(t *testing.T) {
	run := session{arms: []string{"base", "head", "control", "other"}, blocks: 12, noise: 0.02, cells: 2, seed: 5}.run()
	run.Plan.Screen = 6
	failed := 0
	for i := range run.Trials {
		if trial := &run.Trials[i]; trial.Arm == "other" && trial.Block%2 == 0 {
			trial.Outcome, trial.Measurements, trial.Failure = record.Failed, nil, &record.Failure{Class: record.Crashed}
			failed++
		}
	}
	res := stages(run, DefaultPolicy())
	if len(res.Reliability) != 1 || res.Reliability[0].Candidate != "other" || res.Reliability[0].Failed != failed {
		t.Errorf("%+v, want %d failures of other", res.Reliability, failed)
	}
}

// What the arms' differences have in common is looked for in one arm at a time.
func TestDifferenceTableOfOneArm(t *testing.T) {
	run := session{arms: []string{"base", "head", "other"}, blocks: 20, noise: 0.02, cells: 3, seed: 5}.run()
	cs := Run(run, DefaultPolicy()).Comparisons
	if len(cs) != 6 {
		t.Fatalf("%d comparisons", len(cs))
	}
	cs[0].Estimator = PooledRates // of head, in the first cell
	if cs[0].Candidate.Arm != "head" {
		t.Fatalf("the first is of %s", cs[0].Candidate.Arm)
	}
	for arm, want := range map[string]int{"head": 2, "other": 3, "none": 0} {
		if got := newDifferenceTable(cs, arm); len(got.rows) != want {
			t.Errorf("%s: %d rows, want %d", arm, len(got.rows), want)
		}
	}
}

// A family is the comparisons that have p-values.
func TestInFamily(t *testing.T) {
	with, without := Comparison{P: &PValues{}}, Comparison{}
	if n := inFamily([]Comparison{with, without, with}); n != 2 {
		t.Errorf("%d, want 2", n)
	}
}

// Of two parameters that are swept, that with more values comes first, else that whose
// name does.
func TestSweptParams(t *testing.T) {
	for _, c := range []struct{ a, b int }{{2, 2}, {3, 2}, {2, 3}} {
		var cells []record.Cell
		for i := range c.a {
			for j := range c.b {
				cells = append(cells, record.Cell{Params: map[string]string{"a": fmt.Sprint(i), "b": fmt.Sprint(j), "c": "1"}})
			}
		}
		want := "a b"
		if c.b > c.a {
			want = "b a"
		}
		if x, y, ok := sweptParams(cells); !ok || x+" "+y != want {
			t.Errorf("%d by %d: %s %s, %t, want %s", c.a, c.b, x, y, ok, want)
		}
	}
}
