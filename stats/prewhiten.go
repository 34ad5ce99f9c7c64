package stats

import "math"

// leastForAutoregression is how many values it takes to say anything about
// their autocorrelation once a step has been fitted.
const leastForAutoregression = 15

// clearStep is the p-value of a t test below which a step is taken for one
// without asking how it was found: autocorrelated noise hardly gets there.
const clearStep = 1e-8

// stepAutoregression estimates the first-order autocorrelation of the noise in
// a series that may step at index at, and clearly does at some other places,
// from the residuals between the steps; 0 for series too short to tell, never
// negative, never above 0.9.
//
// A step in the series itself would pass for autocorrelation of nearly 1, so
// that whitening by the raw value hides just the steps it should bring out.
// Residuals from a step that was placed by the noise are less autocorrelated
// than the noise: by simulation, E(r) is about ρ - (4 + 7.5·ρ)/n for n from 15 to
// 200, and each further mean takes away (1 + 3·ρ)/n (Kendall 1954). That is put
// back, and a third of a standard error with it, because too little whitening
// raises false alarms where too much costs a little power.
func stepAutoregression(xs []float64, at int) float64 {
	n := float64(len(xs))
	if n < leastForAutoregression {
		return 0
	}
	residuals, further := clearResiduals(xs[:at], nil, 0)
	residuals, further = clearResiduals(xs[at:], residuals, further)
	if isConstant(residuals) {
		return 0
	}
	lost := min(7.5+3*further, n/2)
	r := (Autocorrelation(residuals)*n+4+further)/(n-lost) + 0.3/math.Sqrt(n)
	return min(max(r, 0), 0.9)
}

// clearResiduals appends the deviations of xs from its mean, or from the means
// between its clear steps, and counts those in steps.
func clearResiduals(xs, residuals []float64, steps float64) ([]float64, float64) {
	search := newSplitSearch(xs)
	if at, _ := search.best(); at > 0 && 2*(Estimate{Theta: -search.maxT(), SE: 1, DF: float64(len(xs) - 2)}).PBelow(0) < clearStep {
		residuals, steps = clearResiduals(xs[:at], residuals, steps+1)
		return clearResiduals(xs[at:], residuals, steps)
	}
	return append(residuals, search.deviations...), steps
}

// whiten returns x(i+1) - r·x(i): one value less, in which the noise of a
// first-order autoregression is independent, and a step at index i of xs starts
// at i-1.
func whiten(xs []float64, r float64) []float64 {
	white := make([]float64, len(xs)-1)
	for i := range white {
		white[i] = xs[i+1] - r*xs[i]
	}
	return white
}
