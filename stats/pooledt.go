package stats

import "math"

// PooledT estimates mean(head) - mean(base) from two independent samples of one
// variance, with the error of Student's two-sample t and a floor: SE² =
// s²(1/n₁ + 1/n₂) + 2·floor², DF = n₁+n₂-2, where s² is the pooled variance. floor, 0 or
// more, is the standard deviation of what a side is off by that its own values do not
// show; with 0 it is the textbook test.
//
// Fewer than three values give SE +Inf and DF 1. PooledT panics if a side is empty or
// holds a value that is NaN, infinite or beyond ±1e150, or if floor is negative or not
// finite. The samples are not modified.
func PooledT(base, head []float64, floor float64) Estimate {
	checkFinite("PooledT", base)
	checkFinite("PooledT", head)
	if !(floor >= 0) || math.IsInf(floor, 1) {
		panic("stats: PooledT: the floor must be 0 or more, and finite")
	}
	mean1, var1 := meanVariance(base)
	mean2, var2 := meanVariance(head)
	n1, n2 := float64(len(base)), float64(len(head))
	df := n1 + n2 - 2
	if df < 1 {
		return Estimate{Theta: mean2 - mean1, SE: math.Inf(1), DF: 1}
	}
	pooled := ((n1-1)*var1 + (n2-1)*var2) / df
	return Estimate{Theta: mean2 - mean1, SE: math.Sqrt(pooled*(1/n1+1/n2) + 2*floor*floor), DF: df}
}
