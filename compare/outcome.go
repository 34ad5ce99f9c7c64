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
	Undecided         Outcome = "inconclusive"       // what the policy fails without proof, or a clear loss that could not be believed
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
	case slices.ContainsFunc(r.Comparisons, r.Policy.Undecided):
		return Undecided
	}
	return Passed
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
