package stats

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// UpperSD returns the upper confidence limit, one-sided, of the standard
// deviation of normal data whose estimate is sd with df degrees of freedom:
// sd·√(df/χ²(df, 1-confidence)). A plan made with the estimate itself is too
// small half of the time. It panics unless sd is not negative, df positive and
// finite, and confidence in (0, 1).
func UpperSD(sd, df, confidence float64) float64 {
	checkSD("UpperSD", sd)
	if !(df > 0) || math.IsInf(df, 1) || !(confidence > 0 && confidence < 1) {
		panic("stats: UpperSD: degrees of freedom must be positive and finite, confidence in (0, 1)")
	}
	return sd * math.Sqrt(df/distuv.ChiSquared{K: df}.Quantile(1-confidence))
}
