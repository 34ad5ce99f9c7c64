package reporttest

import (
	"slices"
	"testing"

	"github.com/llama-regress/llama-regress/compare"
	"github.com/llama-regress/llama-regress/report"
)

// A writer's test is only as good as its cases: what they promise is checked.
func TestCasesHoldWhatTheyPromise(t *testing.T) {
	outcomes := map[string]compare.Outcome{
		"regression": compare.Regressed, "pass": compare.Passed, "undecided": compare.Undecided, "reasons": compare.MeasurementFailed,
		"contenders": compare.Regressed, "only-failures": compare.MeasurementFailed, "empty": compare.NothingCompared,
		"one-trial-a-side": compare.Passed, "raw-files": compare.Regressed, "two-sessions": compare.Passed,
		"control-fired": compare.Undecided, "interrupted": compare.Passed, "not-finite": compare.Regressed, "serving": compare.Regressed, "sweep": compare.Passed, "counted": compare.Regressed, "hostile": compare.Regressed,
	}
	for _, c := range Cases() {
		if got := c.Report().Outcome; got != outcomes[c.Name] {
			t.Errorf("%s: outcome %q, want %q", c.Name, got, outcomes[c.Name])
		}
	}
}

func TestRegressionHoldsEveryClass(t *testing.T) {
	r, served := Regression().Report(), Serving().Report()
	for _, class := range report.Classes {
		rows := r.Rows
		if class == report.NoFailure { // only requests can fail
			rows = served.Rows
		}
		if !slices.ContainsFunc(rows, func(row report.Row) bool { return row.Class == class }) {
			t.Errorf("no row is %q", class)
		}
	}
	if len(r.Failures) < 2 || len(r.Differences) < 2 || len(r.Controls) < 2 || len(r.Notes) < 2 || len(r.Steps) < 2 {
		t.Errorf("want two of everything, have %d failures, %d differences, %d controls, %d notes, %d steps",
			len(r.Failures), len(r.Differences), len(r.Controls), len(r.Notes), len(r.Steps))
	}
}

func TestReasonsHoldsEveryCode(t *testing.T) {
	res := Reasons().Result
	for _, code := range []compare.ReasonCode{compare.TooFewTrials, compare.TooNoisy, compare.Suspected, compare.EnvironmentMixed,
		compare.ControlFired, compare.BaselineTooYoung, compare.MethodsDisagree, compare.NoMargin, compare.NotMeasured, compare.SuspectedByHistory, compare.NoBaseline} {
		if !slices.ContainsFunc(res.Comparisons, func(c compare.Comparison) bool { return c.Reason.Code == code }) {
			t.Errorf("no comparison has the reason %q", code)
		}
	}
}

func TestGridHasItsSize(t *testing.T) {
	r := Grid(500, 6).Report()
	if r.Counts.Total != 500 || r.Counts.Regressions == 0 || r.Counts.Improvements == 0 || r.Counts.Inconclusive == 0 {
		t.Errorf("counts of 500 cells: %+v", r.Counts)
	}
}
