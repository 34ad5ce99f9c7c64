package compare

import "slices"

// An Outcome is what a whole result amounts to. Where several hold, the first
// in the order below is taken: a proven regression stands even where other
// cells could not be measured, and nothing compared is never a pass.
type Outcome string

const (
	Regressed         Outcome = "regression"         // at least one comparison got worse
	MeasurementFailed Outcome = "measurement_failed" // a trial failed, or a comparison has a side without a usable one
	NothingCompared   Outcome = "nothing_compared"   // the two sides have no cell in common
	Undecided         Outcome = "inconclusive"       // at least one could not be told, and the policy fails that; or a clear loss could not be believed
	Passed            Outcome = "pass"               // nothing got worse as far as could be told
)

// Outcome sums up the result. Failed trials count although the verdicts of
// their cells may rest on enough others: a build that crashes now and then is
// not one to pass.
func (r *Result) Outcome() Outcome {
	switch {
	case r.Count(Regression) > 0:
		return Regressed
	case len(r.Failures) > 0 || r.Unmeasured() > 0:
		return MeasurementFailed
	case len(r.Comparisons) == 0:
		return NothingCompared
	case r.Policy.InconclusiveFails && r.undecided(), r.withheld():
		return Undecided
	}
	return Passed
}

// undecided reports whether a comparison that was to be judged could not be.
// A metric without a margin was not to be. Where no request ever failed there is
// no sign of a loss, and no number of trials that a gate can afford would show
// that there is none: to fail it would fail every healthy server.
func (r *Result) undecided() bool {
	return slices.ContainsFunc(r.Comparisons, func(c Comparison) bool {
		if c.Reason != nil && c.Reason.Code == Lost {
			_, gated := r.Policy.Margin(c.Metric)
			return gated
		}
		return c.Verdict == Inconclusive && (c.Reason == nil || c.Reason.Code != NoMargin && c.Reason.Code != NoFailure)
	})
}

func (r *Result) withheld() bool { return slices.ContainsFunc(r.Comparisons, r.Policy.Withheld) }

// Withheld reports whether the numbers of a comparison show a loss that the
// state of the machine keeps from being called one. Whatever a policy lets pass,
// that is no pass.
func (p Policy) Withheld(c Comparison) bool {
	switch {
	case c.Reason == nil || c.P == nil:
		return false
	case c.Reason.Disturbed > 0:
		return true
	}
	return c.P.AdjustedRegression <= p.Alpha && (c.Reason.Code == ControlFired || c.Reason.Code == Disturbed)
}

// Count returns how many comparisons ended in v.
func (r *Result) Count(v Verdict) int {
	n := 0
	for i := range r.Comparisons {
		if r.Comparisons[i].Verdict == v {
			n++
		}
	}
	return n
}

// Unmeasured returns how many comparisons have a side without a usable trial.
func (r *Result) Unmeasured() int {
	n := 0
	for _, c := range r.Comparisons {
		if c.Reason != nil && c.Reason.Code == NotMeasured {
			n++
		}
	}
	return n
}
