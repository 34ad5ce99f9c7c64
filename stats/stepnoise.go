package stats

// What a series of nights is taken for before it is seen: nights resemble each
// other as much as presumedAutocorrelation, and that counts as much as
// presumedNights nights of its own. It takes a hundred nights to measure the
// autocorrelation to within 0.1. An estimate from 30 is far too low often enough
// to be the main source of false alarms, or so high that it hides a plain step.
const (
	presumedAutocorrelation = 0.3
	presumedNights          = 30
)

// leastForAutoregression is how many values it takes to say anything about
// their autocorrelation once a step has been fitted.
const leastForAutoregression = 15

// clearStep is the p-value of a t test below which a step is taken for one
// without asking how it was found: autocorrelated noise hardly gets there.
const clearStep = 1e-8

// clearBump is the same for a level that came and went: there are more places
// for one.
const clearBump = 1e-11

// stepAutoregression estimates the first-order autocorrelation of the noise in
// a series that may step at index at, and clearly does at some other places,
// from the residuals between the steps; in [0, 0.9], and 0 where there is no
// noise.
//
// A step in the series itself would pass for autocorrelation of nearly 1.
// Residuals from a step that was placed by the noise are less autocorrelated
// than the noise: by simulation, E(r) is about ρ - (4 + 7.5·ρ)/n for n from 15 to
// 200, and each further mean takes away (1 + 3·ρ)/n (Kendall 1954). That is put
// back. What is then below 0 counts as 0, since nights do not alternate, and the
// whole is drawn towards what nights are taken for. A series of fewer than 15 has
// no say.
func stepAutoregression(xs []float64, at int) float64 {
	n := float64(len(xs))
	residuals, further := clearResiduals(xs[:at], nil, 0)
	residuals, further = clearResiduals(xs[at:], residuals, further)
	switch {
	case isConstant(residuals):
		return 0
	case n < leastForAutoregression:
		return presumedAutocorrelation
	}
	lost := min(7.5+3*further, n/2)
	r := max(0, (Autocorrelation(residuals)*n+4+further)/(n-lost))
	return min((n*r+presumedNights*presumedAutocorrelation)/(n+presumedNights), 0.9)
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
