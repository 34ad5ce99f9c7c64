package stats

import (
	"math"

	"gonum.org/v1/gonum/floats"
)

// Autocorrelation returns the lag-1 autocorrelation of the series xs in
// measured order, Σ(xₜ-m)(xₜ₊₁-m) / Σ(xₜ-m)², in [-1, 1] (Box and Jenkins; NIST
// StRD). It is 0 for one value or a constant series. It panics if xs is empty
// or holds a value that is NaN, infinite or beyond ±1e150.
func Autocorrelation(xs []float64) float64 {
	checkFinite("Autocorrelation", xs)
	mean, _ := meanVariance(xs)
	size := 0.0
	for _, x := range xs {
		size = max(size, math.Abs(x-mean))
	}
	if size == 0 {
		return 0
	}
	products, squares, last := 0.0, 0.0, 0.0
	for _, x := range xs {
		u := (x - mean) / size
		products += u * last
		squares += u * u
		last = u
	}
	return products / squares
}

// EffectiveN returns how many independent values n values with lag-1
// autocorrelation r are worth for their mean, n(1-r)/(1+r) for a first-order
// autoregressive series (Bayley and Hammersley 1946); at least 1 and, so that a
// negative r earns nothing, at most n. It panics unless n >= 1 and r lies in
// [-1, 1].
func EffectiveN(n int, r float64) float64 {
	if n < 1 || !(r >= -1 && r <= 1) {
		panic("stats: EffectiveN: want n >= 1 and r in [-1, 1]")
	}
	r = max(r, 0)
	return max(1, float64(n)*(1-r)/(1+r))
}

// Slope estimates how much the series ys changes from one value to the next, in
// its unit, by least squares on the index 0, 1, 2, ...: SE from the residuals,
// DF = n-2. Its PAbove(0) and PBelow(0) are the t tests of no drift.
//
// Two values give their difference, one gives 0, both with SE +Inf and DF 1. A
// series without residual, such as a constant one, has SE 0. It panics if ys is
// empty or holds a value that is NaN, infinite or beyond ±1e150.
func Slope(ys []float64) Estimate {
	checkFinite("Slope", ys)
	n := float64(len(ys))
	mean, variance := meanVariance(ys)
	middle, sxx := (n-1)/2, n*(n*n-1)/12
	e := Estimate{SE: math.Inf(1), DF: 1}
	if n < 2 {
		return e
	}
	for i, y := range ys {
		e.Theta += (float64(i) - middle) * ((y - mean) / sxx)
	}
	if n < 3 {
		return e
	}
	residuals := make([]float64, len(ys))
	for i, y := range ys {
		residuals[i] = y - mean - e.Theta*(float64(i)-middle)
	}
	rss := floats.Norm(residuals, 2)
	if rss <= math.Sqrt(variance)*1e-14*n {
		rss = 0 // a straight line, but for rounding
	}
	e.SE, e.DF = rss/math.Sqrt((n-2)*sxx), n-2
	return e
}
