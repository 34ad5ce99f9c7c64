package stats

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// A Resemblance is what is known of how much neighbouring nights resemble each
// other before a series is looked at: from other series of the same machine, see
// Resemblances. The zero value says that nothing is known. Nights then are taken to
// resemble each other as presumed.
type Resemblance struct {
	R      float64 // first-order autocorrelation of the nights, in [0, 0.9]
	Nights float64 // how many nights of its own that counts as, >= 0
}

// presumed is for a series that stands alone. It takes a hundred nights to measure
// the autocorrelation to within 0.1.
var presumed = Resemblance{R: 0.3, Nights: 10}

// mostAutocorrelation is the largest that is assumed of any series.
const mostAutocorrelation = 0.9

// with is what is known once n nights with an autocorrelation r of their own, NaN
// for none, have been seen.
func (k Resemblance) with(n, r float64) Resemblance {
	if k.Nights == 0 {
		k = presumed
	}
	if math.IsNaN(r) {
		return k
	}
	return Resemblance{R: min((n*max(0, r)+k.Nights*k.R)/(n+k.Nights), mostAutocorrelation), Nights: n + k.Nights}
}

// caution is how much of a normal quantile the autocorrelation is taken for larger
// than estimated, chosen by simulation (statistics reference, 7.8).
const caution = 0.45

// atMost is the autocorrelation to allow for in a test at a level. Its standard
// error is that of n nights, and what the place of the step adds.
func (k Resemblance) atMost(level float64) float64 {
	sd := math.Sqrt((1-k.R*k.R)/k.Nights + 36*k.R*k.R/(k.Nights*k.Nights))
	return min(k.R-caution*distuv.UnitNormal.Quantile(min(level, 0.5))*sd, mostAutocorrelation)
}

// Allowance is the autocorrelation that ChangePoints allows for in a series of n
// values whose own is as presumed or, where rule.Resemblance says so, as that of the
// others; in [0, 0.9]. It says beforehand what a search will see.
func (rule ChangeRule) Allowance(n int) float64 {
	own := rule.Resemblance.with(0, math.NaN()).R
	if n < leastForAutoregression {
		own = math.NaN()
	}
	return rule.Resemblance.with(float64(n), own).atMost(rule.Alpha)
}

// leastForAutoregression is how many values it takes to say anything about
// their autocorrelation once a step has been fitted.
const leastForAutoregression = 15

// clearStep is the p-value of a t test below which a step is taken for one
// without asking how it was found: autocorrelated noise hardly gets there.
const clearStep = 1e-8

// clearBump is the same for a level that came and went: there are more places
// for one.
const clearBump = 1e-11

// ownAutocorrelation estimates the first-order autocorrelation of the noise in
// a series, from the deviations from its levels; NaN for fewer than 15 values. It is
// below 1, and may be below 0.
//
// A step in the series itself would pass for autocorrelation of nearly 1.
// Residuals from a step that was placed by the noise are less autocorrelated
// than the noise: by simulation, E(r) is about ρ - (4 + 7.5·ρ)/n for n from 15 to
// 200, and each further mean takes away (1 + 3·ρ)/n (Kendall 1954). That is put
// back.
func ownAutocorrelation(residuals []float64, further float64) float64 {
	n := float64(len(residuals))
	if n < leastForAutoregression {
		return math.NaN()
	}
	lost := min(7.5+3*further, n/2)
	return (Autocorrelation(residuals)*n + 4 + further) / (n - lost)
}

// resemblance is what is known of the noise of a series that may step at index at,
// once it has been seen. Values without noise resemble each other in nothing.
func (rule ChangeRule) resemblance(xs []float64, at int) Resemblance {
	residuals, further := clearResiduals(xs[:at], nil, 0)
	residuals, further = clearResiduals(xs[at:], residuals, further)
	if isConstant(residuals) {
		return Resemblance{R: 0, Nights: math.Inf(1)}
	}
	return rule.Resemblance.with(float64(len(xs)), ownAutocorrelation(residuals, further))
}

// clearResiduals appends the deviations of xs from its mean, or from the means
// between its clear steps, and counts those in steps.
func clearResiduals(xs, residuals []float64, steps float64) ([]float64, float64) {
	search := newSplitSearch(xs)
	at, split := search.best()
	from, to, stretch := search.bestStretch()
	switch {
	case at > 0 && search.tailOf(split) < clearStep:
		residuals, steps = clearResiduals(xs[:at], residuals, steps+1)
		return clearResiduals(xs[at:], residuals, steps)
	case to > 0 && search.tailOf(stretch) < clearBump:
		residuals, steps = clearResiduals(xs[:from], residuals, steps+2)
		residuals, steps = clearResiduals(xs[from:to], residuals, steps)
		return clearResiduals(xs[to:], residuals, steps)
	}
	return append(residuals, search.deviations...), steps
}

// tailOf is the two-sided p-value of the t that belongs to a statistic, as if
// its place had not been searched for.
func (s splitSearch) tailOf(statistic float64) float64 {
	return 2 * (Estimate{Theta: -s.tOf(statistic), SE: 1, DF: float64(len(s.deviations) - 2)}).PBelow(0)
}
