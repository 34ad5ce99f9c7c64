package stats

import "math"

// clearP bounds from above the share of permutations whose best split reaches
// the statistic, without making any: for steps that nobody doubts, of which it
// would take a hundred thousand to say just that.
//
// The sum of k deviations drawn without replacement exceeds s with a chance of
// at most that of draws with replacement (Hoeffding 1963, theorem 4), for which
// Bennett's inequality (1962) holds; the chances of all splits are added up.
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
// at random, lies at or beyond ±sum.
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
		return min(1, 2*math.Exp(-draws*variance/(largest*largest)*h))
	}
}

// stepRange returns where a step that was placed at index at may lie instead,
// with 95 % of the evidence: that of independent normal values with one step at
// each place in turn, all places as likely beforehand. Unlike the step itself,
// which has 3 values on either side, it reaches up to the ends.
func stepRange(before, after []float64) (first, last int) {
	xs := append(append([]float64(nil), before...), after...)
	at := len(before)
	if len(xs) < 2*leastSegment {
		return at, at
	}
	search, squares := newSplitSearch(xs), 0.0
	for _, d := range search.deviations {
		squares += d * d
	}
	worth := EffectiveN(len(xs), stepAutoregression(xs, at))
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
