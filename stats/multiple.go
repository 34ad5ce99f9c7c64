package stats

import (
	"math"
	"slices"
)

// Holm returns the p-values of p adjusted so that rejecting those at or below
// alpha keeps the chance of even one false rejection at alpha, however the
// tests depend on one another: the largest of (m-j)·p(j) up to each rank,
// at most 1 (Holm 1979; R's p.adjust(p, "holm")).
//
// The result has the order of p, which is not changed; empty gives empty.
// It panics unless every p lies in [0, 1].
func Holm(p []float64) []float64 {
	order := rankedP("Holm", p)
	adjusted := make([]float64, len(p))
	worst := 0.0
	for rank, i := range order {
		worst = max(worst, float64(len(p)-rank)*p[i])
		adjusted[i] = min(1, worst)
	}
	return adjusted
}

// rankedP returns the indices of p from the smallest value to the largest, ties
// in their original order.
func rankedP(caller string, p []float64) []int {
	order := make([]int, len(p))
	for i, v := range p {
		if math.IsNaN(v) || v < 0 || v > 1 {
			panic("stats: " + caller + ": every p must lie between 0 and 1")
		}
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case p[a] < p[b]:
			return -1
		case p[a] > p[b]:
			return 1
		}
		return 0
	})
	return order
}
