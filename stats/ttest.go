package stats

import (
	"math"

	"gonum.org/v1/gonum/stat"
)

// PairedT estimates the mean of the differences d with the error of Student's
// one-sample t: Theta is the mean, SE = s/√n, DF = n-1. For plain values it is
// the one-sample t. All in the unit of d.
//
// One difference gives SE +Inf and DF 1: a mean without an error. Equal
// differences give SE 0. PairedT panics if d is empty or holds a value that is
// NaN, infinite or beyond ±1e150. d is not modified.
func PairedT(d []float64) Estimate {
	checkFinite("PairedT", d)
	mean, variance := meanVariance(d)
	n := float64(len(d))
	if n < 2 {
		return Estimate{Theta: mean, SE: math.Inf(1), DF: 1}
	}
	return Estimate{Theta: mean, SE: math.Sqrt(variance / n), DF: n - 1}
}

// Welch estimates mean(head) - mean(base) from two independent samples whose
// variances may differ: SE² = s₁²/n₁ + s₂²/n₂, with the degrees of freedom of
// Satterthwaite (1946), which lie between the smaller n-1 and n₁+n₂-2.
//
// A side with one value gives SE +Inf and DF 1. No spread on either side gives
// SE 0 and DF n₁+n₂-2. Welch panics if a side is empty or holds a value that is
// NaN, infinite or beyond ±1e150. The samples are not modified.
func Welch(base, head []float64) Estimate {
	checkFinite("Welch", base)
	checkFinite("Welch", head)
	mean1, var1 := meanVariance(base)
	mean2, var2 := meanVariance(head)
	n1, n2 := float64(len(base)), float64(len(head))
	e := Estimate{Theta: mean2 - mean1, SE: math.Inf(1), DF: 1}
	if n1 < 2 || n2 < 2 {
		return e
	}
	v1, v2 := var1/n1, var2/n2
	e.SE = math.Sqrt(v1 + v2)
	if e.SE == 0 {
		e.DF = n1 + n2 - 2
		return e
	}
	// The textbook form squares the variances and underflows; their shares do not.
	share := v1 / (v1 + v2)
	e.DF = 1 / (share*share/(n1-1) + (1-share)*(1-share)/(n2-1))
	return e
}

// meanVariance returns the mean of xs and its unbiased variance, 0 for one
// value. Equal values have exactly that mean and no variance; summing them
// would leave rounding behind, and a t of 1e16 from nothing.
func meanVariance(xs []float64) (mean, variance float64) {
	if isConstant(xs) {
		return xs[0], 0
	}
	mean, variance = stat.MeanVariance(xs, nil)
	return mean, max(variance, 0)
}

func isConstant(xs []float64) bool {
	for _, x := range xs {
		if x != xs[0] {
			return false
		}
	}
	return true
}
