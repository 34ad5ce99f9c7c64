package compare

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/llama-regress/llama-regress/ci/record"
)

// Of two sessions nobody knows how sessions differ, be it a rate or a speed.
func TestTwoSessionsGiveNoVerdictOfRates(t *testing.T) {
	all := []int{100, 100, 99, 100, 100, 100}
	base, head := rates(100, all, all), rates(100, []int{90, 91, 89, 90, 92, 90}, all)
	base.ID, head.ID = "one", "two"
	c := Between(Selection{base, "base"}, Selection{head, "base"}, DefaultPolicy()).Comparisons[0]
	checkVerdict(t, c, Inconclusive, BaselineTooYoung)
	if c.Method != Sessions || c.Estimator != PooledRates {
		t.Errorf("method %q, estimator %q", c.Method, c.Estimator)
	}
}

// Interleaved arms share their environment, for rates as for speeds: that all
// rates moved makes nobody suspect the machine.
func TestPairedRatesMakeNoSuspect(t *testing.T) {
	run := rates(100, slices.Repeat([]int{100}, 8), slices.Repeat([]int{80}, 8))
	for i, m := range run.Trials {
		for _, model := range []string{"b", "c", "d", "e", "f", "g", "h", "i"} {
			m.Cell = record.CellKey("bench", model, nil)
			m.Order = len(run.Trials)
			run.Trials = append(run.Trials, m)
			if i == 0 {
				cell := run.Cells[0]
				cell.Key, cell.Model, cell.Params = m.Cell, model, nil
				run.Cells = append(run.Cells, cell)
			}
		}
	}
	if got := Run(run, DefaultPolicy()).Suspects; len(got) > 0 {
		t.Errorf("suspects %v of a paired run", got)
	}
}

// A policy as older versions wrote it is read.
func TestPolicyOfOlderVersions(t *testing.T) {
	var p Policy
	if err := json.Unmarshal([]byte(`{"margins": {"success_rate": {"value": 0.02, "absolute": true}}}`), &p); err != nil || p.Margins["success_rate"].Value != 0.02 {
		t.Errorf("%+v, %v", p, err)
	}
}

// No failure is no proof that failures would be independent: of 6 trials
// without one, a crash in more than a third of trials would not show. It passes
// all the same, also where what is inconclusive fails.
func TestNoFailureIsNoEquivalence(t *testing.T) {
	for _, trials := range []int{6, 10, 30} {
		all := slices.Repeat([]int{50}, trials)
		policy := DefaultPolicy()
		policy.FailOn = OnInconclusive
		res := Run(rates(50, all, all), policy)
		checkVerdict(t, res.Comparisons[0], Inconclusive, NoFailure)
		if got := res.Outcome(); got != Passed {
			t.Errorf("%d trials: outcome %s", trials, got)
		}
	}
}

// No success on either side is no noise, and no pass.
func TestAllFailedOnBothSides(t *testing.T) {
	none := make([]int, 6)
	res := Run(rates(50, none, none), DefaultPolicy())
	checkVerdict(t, res.Comparisons[0], Inconclusive, AllFailed)
	if got := res.Outcome(); got != MeasurementFailed {
		t.Errorf("outcome %s", got)
	}
}

// No interval of requests knows of the crash that no trial happened to have: of
// simulated servers with failures of their own, 0.98, that crash in a
// twenty-fifth of their starts, which costs 2 points, a fifth of runs of 80 trials
// looked equivalent.
func TestRatesAreNotCalledEquivalent(t *testing.T) {
	for _, trials := range []int{25, 75} {
		most := slices.Repeat([]int{199, 200, 199}, trials)
		checkVerdict(t, Run(rates(200, most, most), DefaultPolicy()).Comparisons[0], Inconclusive, FewFailures)
	}
}

// A server that is dead in some of its starts is at least suspected, whatever
// the mean over trials says.
func TestDeadTrialsAreSuspected(t *testing.T) {
	policy := DefaultPolicy()
	policy.FailOn = OnInconclusive
	all := slices.Repeat([]int{12}, 30)
	for _, n := range []int{6, 30} {
		head := slices.Clone(all[:n])
		head[1] = 0
		checkVerdict(t, Run(rates(12, all[:n], head), policy).Comparisons[0], Inconclusive, Suspected)
	}
}
