package stats

import "math"

// clearP bounds from above the share of permutations whose best split reaches
// the statistic, without making any: for steps that nobody doubts, of which it
// would take a hundred thousand to say just that.
//
// The chances of all splits are added up, see tailOfSums.
func (s splitSearch) clearP(statistic float64) float64 {
	if statistic == 0 {
		return 1
	}
	p, n := 0.0, len(s.deviations)
	tail := s.tailOfSums()
	for k := leastSegment; k <= n-leastSegment; k++ {
		p += tail(k, statistic/s.weights[k])
	}
	return min(p, 1)
}

// clearStretchP is clearP for stretches.
func (s splitSearch) clearStretchP(statistic float64) float64 {
	if statistic == 0 {
		return 1
	}
	p, n := 0.0, len(s.deviations)
	tail := s.tailOfSums()
	for m := leastSegment; m <= n-2*leastSegment; m += max(1, m/5) {
		p += float64(n-2*leastSegment-m+1) * tail(m, statistic/s.weights[m])
	}
	return min(p, 1)
}

// tailOfSums returns a bound for the chance that the sum of k deviations, drawn
// at random, lies at or beyond ±sum: the least of two.
//
// Drawn without replacement it does so with a chance of at most that of draws with
// replacement (Hoeffding 1963, theorem 4), for which Bennett's inequality (1962)
// holds. That is sharp for few of many.
//
// Or each deviation is drawn by itself with the chance q = k/n, and the chance of so
// large a sum is divided by that of k draws, of which it is a part. A deviation d so
// drawn is sub-Gaussian with d²·(1-2q)/(2·ln((1-q)/q)) (Kearns and Saul 1998). That is
// sharp near the middle, whatever the deviations are.
func (s splitSearch) tailOfSums() func(k int, sum float64) float64 {
	n, squares, largest := len(s.deviations), 0.0, 0.0
	for _, d := range s.deviations {
		squares += d * d
		largest = max(largest, math.Abs(d))
	}
	variance := squares / float64(n)
	return func(k int, sum float64) float64 {
		sum *= 1 - 1e-9               // what only rounding keeps from being reached
		draws := float64(min(k, n-k)) // what is not drawn sums to the same
		if sum > draws*largest {
			return 0
		}
		u := sum * largest / (draws * variance)
		h := (1+u)*math.Log1p(u) - u
		few := -draws * variance / (largest * largest) * h

		q, proxy := draws/float64(n), 0.25
		if 2*q < 1-1e-6 {
			proxy = (1 - 2*q) / (2 * math.Log((1-q)/q))
		}
		middle := -sum*sum/(2*proxy*squares) - logBinomial(n, draws, q)
		return min(1, 2*math.Exp(min(few, middle)))
	}
}

// logBinomial is the logarithm of the chance of k draws out of n, each with the
// chance q.
func logBinomial(n int, k, q float64) float64 {
	all, _ := math.Lgamma(float64(n) + 1)
	drawn, _ := math.Lgamma(k + 1)
	left, _ := math.Lgamma(float64(n) - k + 1)
	return all - drawn - left + k*math.Log(q) + (float64(n)-k)*math.Log1p(-q)
}

// stepRange returns where a step that was placed at index at may lie instead,
// with 95 % of the evidence: that of independent normal values with one step at
// each place in turn, all places as likely beforehand. Unlike the step itself,
// which has 3 values on either side, it reaches up to the ends.
func (rule ChangeRule) stepRange(before, after []float64) (first, last int) {
	xs := append(append([]float64(nil), before...), after...)
	at := len(before)
	if len(xs) < 2*leastSegment {
		return at, at
	}
	search, squares := newSplitSearch(xs), 0.0
	for _, d := range search.deviations {
		squares += d * d
	}
	worth := EffectiveN(len(xs), rule.resemblance(xs, at).R)
	weights := make([]float64, len(xs))
	most, sum := math.Inf(-1), 0.0
	for k := 1; k < len(xs); k++ {
		sum += search.deviations[k-1]
		split := float64(k) * float64(len(xs)-k)
		rest := max(squares-float64(len(xs))*sum*sum/split, squares*1e-12)
		weights[k] = -math.Log(split)/2 - (worth-1)/2*math.Log(rest)
		most = max(most, weights[k])
	}
	weights[0] = math.Inf(-1)
	total := 0.0
	for k := range weights {
		weights[k] = math.Exp(weights[k] - most)
		total += weights[k]
	}
	for k := range weights {
		weights[k] /= total
	}
	first, last = centralRange(weights, 0.95)
	return min(first, at), max(last, at)
}
