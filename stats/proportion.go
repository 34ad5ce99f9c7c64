package stats

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mathext"
	"gonum.org/v1/gonum/stat/distuv"
)

// A Count is K successes out of N. Both may be fractional where a function
// works on effective counts; the exact tests want whole ones.
type Count struct{ K, N float64 }

// Rate returns K/N.
func (c Count) Rate() float64 { return c.K / c.N }

// Wilson returns the rate of c with Wilson's (1927) score interval, in [0, 1]:
// centre (p+z²/2n)/(1+z²/n), half-width z√(p(1-p)/n+z²/4n²)/(1+z²/n). Its
// coverage is near the confidence on average, below it for rates near 0 and 1.
//
// No success has a low limit of 0, no failure a high limit of 1. Wilson panics
// unless 0 <= K <= N, N > 0, both finite, and 0 < confidence < 1.
func Wilson(c Count, confidence float64) Interval {
	checkCount("Wilson", c)
	checkConfidence("Wilson", confidence)
	iv := Interval{Estimate: c.Rate(), Confidence: confidence}
	iv.Low, iv.High = wilsonLimits(c, twoSidedZ(confidence))
	return iv
}

// ClopperPearson returns the rate of c with the interval of Clopper and Pearson
// (1934), in [0, 1], which inverts the two one-sided binomial tests and so
// covers at least as often as promised, by the beta quantiles of the limits.
// It panics as Wilson does.
func ClopperPearson(c Count, confidence float64) Interval {
	checkCount("ClopperPearson", c)
	checkConfidence("ClopperPearson", confidence)
	tail := (1 - confidence) / 2
	iv := Interval{Estimate: c.Rate(), Low: 0, High: 1, Confidence: confidence}
	if c.K > 0 {
		iv.Low = min(mathext.InvRegIncBeta(c.K, c.N-c.K+1, tail), iv.Estimate)
	}
	if c.K < c.N {
		// The upper tail mirrored: 1-tail itself would round a small tail away.
		iv.High = max(1-mathext.InvRegIncBeta(c.N-c.K, c.K+1, tail), iv.Estimate)
	}
	return iv
}

// wilsonLimits is the score interval with critical value z, which may be a t.
func wilsonLimits(c Count, z float64) (low, high float64) {
	p, z2 := c.Rate(), z*z
	if math.IsInf(z2, 1) {
		return 0, 1
	}
	scale := c.N + z2
	centre := (c.K + z2/2) / scale
	half := z * math.Sqrt(c.N*p*(1-p)+z2/4) / scale
	low, high = max(0, min(centre-half, p)), min(1, max(centre+half, p))
	// The ends are exact; the formula leaves 1e-17 there.
	if c.K == 0 {
		low = 0
	}
	if c.K == c.N {
		high = 1
	}
	return low, high
}

// twoSidedZ is the normal quantile of (1+confidence)/2.
func twoSidedZ(confidence float64) float64 {
	return -distuv.UnitNormal.Quantile((1 - confidence) / 2)
}

func checkCount(fn string, c Count) {
	if !(c.K >= 0 && c.K <= c.N && c.N > 0) || math.IsInf(c.N, 1) {
		panic("stats: " + fn + ": a count needs 0 <= K <= N and N > 0, both finite")
	}
}

// checkWholeCount is checkCount for the exact tests, which enumerate.
func checkWholeCount(fn string, c Count, most int) {
	checkCount(fn, c)
	if c.K != math.Trunc(c.K) || c.N != math.Trunc(c.N) || c.N > float64(most) {
		panic(fmt.Sprintf("stats: %s: an exact test needs whole counts, at most %d", fn, most))
	}
}
