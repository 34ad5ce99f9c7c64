package stats

import "math"

// MDEOf returns the minimum detectable effect of a comparison whose estimate
// has e's standard error and degrees of freedom: the true loss, a positive
// number in the unit of e, that will be called a loss beyond t.Margin with
// chance t.Power. It is +Inf when SE is, and t.Margin when SE is 0.
// It panics if t is not a valid Target.
func MDEOf(t Target, e Estimate) float64 {
	t.check("MDEOf")
	switch {
	case math.IsInf(e.SE, 1):
		return e.SE
	case e.SE == 0:
		return t.Margin
	}
	// The noncentral t has no limit at infinite DF; at a million it is there.
	return t.Margin + noncentrality(t.Alpha, t.Power, min(e.DF, 1e6))*e.SE
}
