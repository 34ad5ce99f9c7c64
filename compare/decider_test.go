package compare

import (
	"slices"
	"testing"

	"github.com/llama-regress/llama-regress/ci/record"
)

func dueAt(run *record.Run, blocks int) []record.Interim {
	var due []record.Interim
	for _, c := range run.Cells {
		due = append(due, record.Interim{Cell: c.Key, Blocks: blocks})
	}
	return due
}

// until is what a run looks like while it is under way.
func until(run *record.Run, blocks int) *record.Run {
	early := blocksFrom(run, 0, blocks, run.Plan.Interims)
	early.Plan = run.Plan
	return early
}

func TestDeciderStopsWhatIsDecided(t *testing.T) {
	run := session{arms: []string{"base", "head"}, blocks: 20, noise: 0.004, cells: 3, seed: 3}.run()
	run.Plan.Interims = []int{6, 10, 15, 20}
	slower(run, run.Cells[0].Key)
	for i, tr := range run.Trials { // and one that nobody can decide
		if tr.Cell == run.Cells[2].Key && tr.Arm == "head" && tr.Block%2 == 0 {
			multiply(run.Trials[i].Measurements[0].Values, 1+0.1*float64(tr.Block%4-1))
		}
	}
	d := Decider{DefaultPolicy()}
	var stops []record.Stop
	for _, l := range d.Interim(until(run, 10), dueAt(run, 10)) {
		stops = append(stops, l.Stop)
		if len(l.Seen) != 1 || l.Seen[0].Change == nil || l.Seen[0].Low == nil {
			t.Errorf("%s: seen %+v", l.Cell, l.Seen)
		}
	}
	if !slices.Equal(stops, []record.Stop{record.StopDecided, record.StopDecided, ""}) {
		t.Errorf("stops %q", stops)
	}
	res := Run(until(run, 10), DefaultPolicy())
	checkVerdict(t, res.Comparisons[0], Regression, "")
	checkVerdict(t, res.Comparisons[1], Equivalent, "")

	// Nothing can be had of an arm that never measures.
	for i, tr := range run.Trials {
		if tr.Arm == "head" {
			run.Trials[i].Outcome, run.Trials[i].Failure, run.Trials[i].Measurements = record.Failed, &record.Failure{Class: record.Crashed}, nil
		}
	}
	for _, l := range d.Interim(until(run, 6), dueAt(run, 6)) {
		if l.Stop != record.StopUseless {
			t.Errorf("%s never measured: stop %q, %+v", l.Cell, l.Stop, l.Seen)
		}
	}
}

// A look is held to less error than a fixed number of blocks: its interval is
// wider, its p-values larger, and the last of one look is as good as none.
func TestLookCosts(t *testing.T) {
	s := session{arms: []string{"base", "head"}, blocks: 10, noise: 0.01, seed: 8, cells: 2, change: map[string]float64{"head": -0.02}}
	fixed := s.run()
	plain := Run(fixed, DefaultPolicy()).Comparisons[0]
	looked := s.run()
	looked.Plan.Interims = []int{6, 10, 20}
	early := Run(looked, DefaultPolicy()).Comparisons[0]
	if early.Interim == nil || early.Interim.Blocks != 10 || !(early.Interval.Low < plain.Interval.Low) || !(early.Interval.High > plain.Interval.High) {
		t.Errorf("interval %+v at %+v, of a fixed number %+v", early.Interval, early.Interim, plain.Interval)
	}
	if early.P.Regression < plain.P.Regression || early.P.Equivalence <= plain.P.Equivalence || early.P.Worse != plain.P.Worse || early.MDE <= plain.MDE {
		t.Errorf("p %+v, of a fixed number %+v", early.P, plain.P)
	}
	looked.Plan.Interims = []int{10}
	last := Run(looked, DefaultPolicy()).Comparisons[0]
	if d := last.Interval.Low - plain.Interval.Low; d > 1e-9 || d < -1e-9 {
		t.Errorf("the only look has the interval %+v, want %+v", last.Interval, plain.Interval)
	}
	// Cut short between two looks it is judged all the same, at a look more.
	looked.Plan.Interims = []int{6, 12, 20}
	if between := Run(looked, DefaultPolicy()).Comparisons[0]; between.Interim.Blocks != 10 || between.P == nil {
		t.Errorf("between two looks: %+v", between.Interim)
	}
}

// A record in two stages: the screening clears what shows no sign of a loss, and
// the fresh blocks alone judge the rest.
func TestStages(t *testing.T) {
	s := session{arms: []string{"base", "head", "control"}, blocks: 18, noise: 0.02, cells: 20, seed: 12}
	run := s.run()
	run.Plan.Screen = 6
	slow := run.Cells[4].Key
	slower(run, slow)

	d := Decider{DefaultPolicy()}
	goOn := make(map[string]bool)
	looks := d.Interim(until(run, 6), dueAt(run, 6))
	for _, l := range looks {
		if goOn[l.Cell] = l.Stop == ""; goOn[l.Cell] && l.Need <= 6 {
			t.Errorf("%s goes on and needs %d blocks in all", l.Cell, l.Need)
		}
	}
	if !goOn[slow] {
		t.Fatal("the slow cell is cleared")
	}
	for _, c := range Run(until(run, 6), DefaultPolicy()).Comparisons {
		if unconfirmed := c.Reason != nil && c.Reason.Code == Unconfirmed; unconfirmed != goOn[c.Cell] {
			t.Errorf("%s goes on: %v, yet without fresh blocks it is %v, %+v", c.Cell, goOn[c.Cell], c.Verdict, c.Reason)
		}
	}
	run.Trials = slices.DeleteFunc(run.Trials, func(tr record.Trial) bool { return tr.Block >= 6 && !goOn[tr.Cell] })
	res := Run(run, DefaultPolicy())
	for _, c := range res.Comparisons {
		if want := map[bool]int{true: 12, false: 6}[goOn[c.Cell]]; c.Replicates != want || c.Confirmed != goOn[c.Cell] {
			t.Errorf("%s rests on %d blocks, want %d; confirmed %v", c.Cell, c.Replicates, want, c.Confirmed)
		}
		if (c.Verdict == Regression) != (c.Cell == slow) {
			t.Errorf("%s: %v", c.Cell, c.Verdict)
		}
	}
	for _, l := range d.Interim(run, dueAt(run, 18)) {
		if l.Cell == slow && l.Stop != record.StopDecided {
			t.Errorf("the slow cell after its fresh blocks: stop %q, %+v", l.Stop, l.Seen)
		}
	}

	// A control that fires in the second stage alone forbids what it found.
	for i := range run.Trials {
		if tr := &run.Trials[i]; tr.Arm == "control" && tr.Block >= 6 {
			multiply(tr.Measurements[0].Values, 1.2)
		}
	}
	res = Run(run, DefaultPolicy())
	if !res.ControlFired || res.Count(Regression) != 0 {
		t.Errorf("control fired: %v, %d regressions", res.ControlFired, res.Count(Regression))
	}
}

// While the control fires no change is believed, so none stops a cell.
func TestControlHoldsUpDecisions(t *testing.T) {
	run := session{arms: []string{"base", "head", "control"}, blocks: 20, noise: 0.004, cells: 2, seed: 3}.run()
	run.Plan.Interims = []int{6, 10, 15, 20}
	slower(run, run.Cells[0].Key)
	d := Decider{DefaultPolicy()}
	if l := d.Interim(until(run, 10), dueAt(run, 10)); l[0].Stop != record.StopDecided {
		t.Fatalf("stop %q: %+v", l[0].Stop, l[0].Seen)
	}
	for i := range run.Trials {
		if tr := &run.Trials[i]; tr.Arm == "control" {
			multiply(tr.Measurements[0].Values, 1.2)
		}
	}
	if l := d.Interim(until(run, 10), dueAt(run, 10)); l[0].Stop != "" || l[0].Seen[0].Reason != string(ControlFired) {
		t.Errorf("stop %q: %+v", l[0].Stop, l[0].Seen)
	}
	checkVerdict(t, Run(run, DefaultPolicy()).Comparisons[0], Inconclusive, ControlFired)
}

// Servers of which no request failed need no more blocks.
func TestDeciderStopsWhereNothingFailed(t *testing.T) {
	all := slices.Repeat([]int{50}, 6)
	run := rates(50, all, all)
	run.Plan.Interims = []int{6, 10, 15, 20}
	if l := (Decider{DefaultPolicy()}).Interim(run, dueAt(run, 6))[0]; l.Stop != record.StopDecided {
		t.Errorf("stop %q, %+v", l.Stop, l)
	}
}
