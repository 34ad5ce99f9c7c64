package stats

import (
	"math"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mathext"
)

// rateNodes is how many success rates an unknown rate is averaged over. They
// lie evenly in θ, rate = sin²θ, where Jeffreys' prior Beta(½, ½) is flat and
// even hundreds of sessions leave a posterior several nodes wide.
const rateNodes = 1024

// A rateModel is the beta-binomial model of the successes in a trial: each
// trial has its own rate, drawn around a common one so that two requests of a
// trial correlate by rho.
type rateModel struct {
	rho   float64
	known map[Count][]float64 // log likelihoods that were computed before
}

func newRateModel(caller string, rho float64) rateModel {
	if !(rho >= 0 && rho < 1) {
		panic("stats: " + caller + ": rho must lie in [0, 1)")
	}
	if rho < 1e-9 {
		rho = 0 // the same, and the parameters of the beta would cost too many digits
	}
	return rateModel{rho: rho, known: map[Count][]float64{}}
}

func rateAt(node int) float64 {
	s := math.Sin((float64(node) + 0.5) * math.Pi / 2 / rateNodes)
	return s * s
}

// logLikelihood returns that of one trial at every node, less the binomial
// coefficient, which no comparison needs. The slice is shared.
func (m rateModel) logLikelihood(c Count) []float64 {
	if l, ok := m.known[c]; ok {
		return l
	}
	l := make([]float64, rateNodes)
	for i := range l {
		l[i] = m.logChance(c.K, c.N-c.K, rateAt(i))
	}
	m.known[c] = l
	return l
}

// logChance returns the log of the chance of one order of successes and
// failures in a trial, when the common rate is p.
func (m rateModel) logChance(successes, failures, p float64) float64 {
	if m.rho == 0 {
		return successes*math.Log(p) + failures*math.Log1p(-p)
	}
	a, b := p*(1-m.rho)/m.rho, (1-p)*(1-m.rho)/m.rho
	return mathext.Lbeta(a+successes, b+failures) - mathext.Lbeta(a, b)
}

// add adds the log likelihoods of trials to sum.
func (m rateModel) add(sum []float64, trials []Count) {
	for _, c := range trials {
		floats.Add(sum, m.logLikelihood(c))
	}
}

// logEvidence returns the log of the likelihood averaged over the prior.
func logEvidence(logLikelihood []float64) float64 {
	return floats.LogSumExp(logLikelihood) - math.Log(rateNodes)
}

// centralRange returns the smallest and the largest index that leave at most
// (1-confidence)/2 of the weights beyond them.
func centralRange(weights []float64, confidence float64) (low, high int) {
	tail := (1 - confidence) / 2
	below := 0.0
	for low = range weights {
		if below += weights[low]; below > tail {
			break
		}
	}
	above := 0.0
	for high = len(weights) - 1; high > low; high-- {
		if above += weights[high]; above > tail {
			break
		}
	}
	return low, high
}
