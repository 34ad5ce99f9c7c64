package stats

import (
	"math"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mathext"
)

// mostRequests bounds the N of a trial whose chances are listed one by one.
const mostRequests = 1 << 14

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

// A RatePrediction is what stored trials lead one to expect of new ones.
type RatePrediction struct {
	Rate   Interval // success rate of the new trials taken together, in [0, 1]
	PFewer float64  // chance of as few successes as were counted, or fewer
	PMore  float64  // chance of as many, or more
}

// PredictRate compares the successes of new trials with what stored ones lead
// one to expect, when requests of one trial correlate by rho (see ICC): the
// common rate is known from the baseline only, starting from Jeffreys' prior,
// and each new trial draws its own around it (beta-binomial posterior
// predictive). Without overdispersion, rho 0, and with one new trial it is the
// beta-binomial distribution with a = K+½ and b = N-K+½ of the baseline.
//
// An empty baseline leaves the prior. Rate.Estimate is the expected rate, and
// its limits the outermost with at most (1-confidence)/2 beyond each. It panics
// unless 0 <= K <= N and N > 0 for every count, whole and at most 16 384 for
// those of the contender, and if that is empty, rho is not in [0, 1) or
// confidence not in (0, 1).
func PredictRate(baseline, contender []Count, rho, confidence float64) RatePrediction {
	model := newRateModel("PredictRate", rho)
	checkConfidence("PredictRate", confidence)
	if len(contender) == 0 {
		panic("stats: PredictRate: no new trials")
	}
	var successes, requests float64
	for _, c := range contender {
		checkWholeCount("PredictRate", c, mostRequests)
		successes, requests = successes+c.K, requests+c.N
	}
	posterior := make([]float64, rateNodes)
	for _, c := range baseline {
		checkCount("PredictRate", c)
	}
	model.add(posterior, baseline)
	floats.AddConst(-floats.LogSumExp(posterior), posterior)

	chances := make([]float64, int(requests)+1)
	prediction := RatePrediction{Rate: Interval{Confidence: confidence}}
	for node, l := range posterior {
		const negligible = 1e-12
		weight := math.Exp(l)
		if weight < negligible {
			continue
		}
		prediction.Rate.Estimate += weight * rateAt(node)
		floats.AddScaled(chances, weight, model.totalChances(contender, rateAt(node)))
	}
	floats.Scale(1/floats.Sum(chances), chances)
	prediction.PFewer = min(1, floats.Sum(chances[:int(successes)+1]))
	prediction.PMore = min(1, floats.Sum(chances[int(successes):]))
	low, high := centralRange(chances, confidence)
	prediction.Rate.Low = min(float64(low)/requests, prediction.Rate.Estimate)
	prediction.Rate.High = max(float64(high)/requests, prediction.Rate.Estimate)
	return prediction
}

// totalChances returns the chances of 0, 1, 2, … successes in all trials
// together when the common rate is p.
func (m rateModel) totalChances(trials []Count, p float64) []float64 {
	total := []float64{1}
	var one []float64
	for _, c := range trials {
		if len(one) != int(c.N)+1 {
			one = m.chances(int(c.N), p)
		}
		next := make([]float64, len(total)+len(one)-1)
		for i, chance := range total {
			floats.AddScaled(next[i:i+len(one)], chance, one)
		}
		total = next
	}
	return total
}

// chances returns the chances of 0 to n successes in one trial.
func (m rateModel) chances(n int, p float64) []float64 {
	chances := make([]float64, n+1)
	for k := range chances {
		x, y := float64(k), float64(n-k)
		orders := -math.Log(float64(n+1)) - mathext.Lbeta(x+1, y+1) // ln of n over k
		chances[k] = math.Exp(orders + m.logChance(x, y, p))
	}
	return chances
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
