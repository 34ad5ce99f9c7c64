package stats

import (
	"math"

	"gonum.org/v1/gonum/integrate/quad"
	"gonum.org/v1/gonum/stat/distuv"
)

// A Spending function says how much of the one-sided error alpha may have been
// spent when the given fraction, in (0, 1], of the planned information is in.
// It grows from 0 at fraction 0 to alpha at fraction 1 (Lan and DeMets 1983).
type Spending func(fraction, alpha float64) float64

// OBrienFlemingSpending spends 2·(1 - Φ(z(1-alpha/2)/√fraction)): hardly
// anything early, so that the last analysis costs little against a fixed plan.
func OBrienFlemingSpending(fraction, alpha float64) float64 {
	return math.Erfc(-distuv.UnitNormal.Quantile(alpha/2) / math.Sqrt(2*fraction))
}

// Fractions returns the information fraction of each analysis of a plan: blocks so
// far over blocks at the last analysis. It panics unless analyses is increasing and
// starts at 1 or more; empty gives empty.
func Fractions(looks []int) []float64 {
	fractions := make([]float64, len(looks))
	for i, n := range looks {
		if n < 1 || i > 0 && n <= looks[i-1] {
			panic("stats: Fractions: looks must be positive and increasing")
		}
		fractions[i] = float64(n) / float64(looks[len(looks)-1])
	}
	return fractions
}

// SpendingBounds returns, for each analysis, the z that a standardised statistic
// must pass in one direction to reject, so that over all analyses a true null is
// rejected with the chance the spending function allows: alpha in all if the
// last fraction is 1. The statistic is that of a sum of independent, equal
// normal increments, looked at when the given fractions of them are in.
//
// The crossing probabilities come from the recursion of Armitage, McPherson
// and Rowe (1969) by Gauss-Legendre quadrature and are good to 9 digits. An analysis
// at which nothing may be spent has the bound +Inf. Fractions are not changed;
// empty gives empty. It panics unless 0 < alpha < 0.5 and the fractions increase
// strictly within (0, 1] and spend never less than before.
func SpendingBounds(fractions []float64, alpha float64, spend Spending) []float64 {
	if !(alpha > 0 && alpha < 0.5) {
		panic("stats: SpendingBounds: alpha must lie between 0 and 0.5")
	}
	checkFractions(fractions)
	bounds := make([]float64, len(fractions))
	spent := 0.0
	var walk stoppedWalk
	for k, fraction := range fractions {
		total := spend(fraction, alpha)
		if !(total >= spent && total <= alpha*(1+1e-9)) {
			panic("stats: SpendingBounds: spending must grow with the fraction, up to alpha")
		}
		bounds[k] = walk.boundSpending(fraction, total-spent)
		if k+1 < len(fractions) {
			walk.advance(fraction, bounds[k], fractions[k+1]-fraction)
		}
		spent = total
	}
	return bounds
}

// NominalP returns the one-sided p-value 1 - Φ(z) that a single test would need
// at each bound; a t test stops at an analysis when its own p-value is at or below.
func NominalP(bounds []float64) []float64 {
	p := make([]float64, len(bounds))
	for i, z := range bounds {
		if math.IsNaN(z) {
			panic("stats: NominalP: bound must not be NaN")
		}
		p[i] = distuv.UnitNormal.CDF(-z)
	}
	return p
}

// RepeatedInterval returns the repeated confidence interval (Jennison and
// Turnbull 1989) at an analysis with the given bound, from the estimate at that
// analysis: Theta ± t(DF, 1 - Φ(-bound))·SE. Over all analyses of one plan with
// one-sided error alpha, every such interval covers the true value with chance
// 1 - 2·alpha at least, which the caller hands in as confidence.
//
// A bound of +Inf gives the whole line, also when SE is 0. It panics if bound
// is NaN or negative, or confidence is not in (0, 1).
func RepeatedInterval(e Estimate, bound, confidence float64) Interval {
	if !(bound >= 0) {
		panic("stats: RepeatedInterval: bound must not be negative or NaN")
	}
	if !(confidence > 0 && confidence < 1) {
		panic("stats: RepeatedInterval: confidence must lie between 0 and 1")
	}
	iv := Interval{Estimate: e.Theta, Low: e.Theta, High: e.Theta, Confidence: confidence}
	p := distuv.UnitNormal.CDF(-bound)
	switch {
	case p == 0 || math.IsInf(e.SE, 1):
		iv.Low, iv.High = math.Inf(-1), math.Inf(1)
	case e.SE > 0:
		half := -e.t().Quantile(p) * e.SE // the lower tail keeps its digits
		iv.Low, iv.High = e.Theta-half, e.Theta+half
	}
	return iv
}

// A stoppedWalk is a standard Brownian motion observed at the analyses so far and
// stopped at the first that passed its bound: weights[i] is the probability of
// being alive near nodes[i] at the last analysis. Empty is before the first analysis.
type stoppedWalk struct {
	at             float64 // time of the last look
	nodes, weights []float64
}

// walkTail is how many standard deviations of a normal are kept: beyond lies a
// chance of 1e-17.
const walkTail = 8.5

// boundSpending returns the bound on the z scale that is first passed at time
// t with the given chance.
func (w *stoppedWalk) boundSpending(t, chance float64) float64 {
	switch {
	case chance <= 0:
		return math.Inf(1)
	case w.nodes == nil:
		return -distuv.UnitNormal.Quantile(chance)
	}
	shortfall := func(z float64) float64 { return math.Log(chance) - math.Log(w.crossing(t, z)) }
	low, high := -walkTail, 1.0
	for shortfall(high) < 0 && high < 64 {
		high *= 2
	}
	return increasingRoot(shortfall, low, high, 1e-13)
}

// crossing returns the chance of being alive at the last analysis and beyond z·√t
// at time t.
func (w *stoppedWalk) crossing(t, z float64) float64 {
	step, bound := math.Sqrt(t-w.at), z*math.Sqrt(t)
	sum := 0.0
	for i, u := range w.nodes {
		sum += w.weights[i] * distuv.UnitNormal.CDF((u-bound)/step)
	}
	return sum
}

// advance moves to time t, drops what has passed the bound there, and places
// the nodes densely enough for the two steps, past and next, that they must carry.
func (w *stoppedWalk) advance(t, z, next float64) {
	past := t - w.at
	low, high := -walkTail*math.Sqrt(t), min(z, walkTail)*math.Sqrt(t)
	nodes, weights := panels(low, high, math.Sqrt(min(past, next)))
	density := func(s float64) float64 {
		if w.nodes == nil {
			return normalDensity(s, math.Sqrt(t))
		}
		sum := 0.0
		for i, u := range w.nodes {
			sum += w.weights[i] * normalDensity(s-u, math.Sqrt(past))
		}
		return sum
	}
	for i, s := range nodes {
		weights[i] *= density(s)
	}
	*w = stoppedWalk{at: t, nodes: nodes, weights: weights}
}

// panels returns Gauss-Legendre nodes and weights on [low, high], cut into
// panels of about the given width.
func panels(low, high, width float64) (nodes, weights []float64) {
	const order = 10
	count := int(math.Ceil((high - low) / width))
	nodes, weights = make([]float64, count*order), make([]float64, count*order)
	for i := range count {
		from := low + (high-low)*float64(i)/float64(count)
		to := low + (high-low)*float64(i+1)/float64(count)
		quad.Legendre{}.FixedLocations(nodes[i*order:(i+1)*order], weights[i*order:(i+1)*order], from, to)
	}
	return nodes, weights
}

func normalDensity(x, sd float64) float64 {
	const invRoot2Pi = 0.398942280401432677939946059934
	return math.Exp(-x*x/(2*sd*sd)) * invRoot2Pi / sd
}

func checkFractions(fractions []float64) {
	previous := 0.0
	for _, f := range fractions {
		if !(f > previous && f <= 1) {
			panic("stats: SpendingBounds: fractions must increase within (0, 1]")
		}
		previous = f
	}
}
