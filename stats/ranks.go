package stats

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// doubledMidranks returns twice the rank of every element of an ascending
// sample, tied elements sharing their mean rank, so that all are whole. It also
// returns Σ(t³-t) over the groups of t tied values, the correction that the
// variance of a rank sum needs.
func doubledMidranks[T any](sorted []T, tied func(i, j int) bool) (doubled []int, ties float64) {
	doubled = make([]int, len(sorted))
	for first := 0; first < len(sorted); {
		last := first
		for last+1 < len(sorted) && tied(first, last+1) {
			last++
		}
		for i := first; i <= last; i++ {
			doubled[i] = first + last + 2 // ranks count from 1
		}
		t := float64(last - first + 1)
		ties += t*t*t - t
		first = last + 1
	}
	return doubled, ties
}

// exactRankTest reads the p-values of the outcome observed off its null
// distribution p over 0, 1, 2, ...; the statistic is observed/unit. Two-sided
// counts every outcome at least as far from the mean: with ties the distribution
// may be lopsided, and this rule stays the same when the samples change places.
func exactRankTest(observed, unit int, p []float64) Test {
	t := Test{Statistic: float64(observed) / float64(unit), Exact: true}
	mean := 0.0
	for s, ps := range p {
		mean += float64(s) * ps
	}
	// The mean is a multiple of one half, so distances from it are equal or 1
	// apart: a quarter allows for its rounding.
	far := math.Abs(float64(observed)-mean) - 0.25
	for s, ps := range p {
		if s <= observed {
			t.Less += ps
		}
		if s >= observed {
			t.Greater += ps
		}
		if math.Abs(float64(s)-mean) >= far {
			t.TwoSided += ps
		}
	}
	t.Less, t.Greater, t.TwoSided = min(t.Less, 1), min(t.Greater, 1), min(t.TwoSided, 1)
	return t
}

// roundedTail allows for the rounding of a tail such as (1-0.95)/2 and of a
// probability that equals it.
const roundedTail = 1 + 1e-12

// lowerCut returns the largest k, at most the middle, for which the
// distribution p over 0, 1, 2, ... has P(S <= k-1) <= tail; 0 if there is none.
func lowerCut(p []float64, tail float64, middle int) int {
	cumulative, k := 0.0, 0
	for k < middle {
		if cumulative += p[k]; cumulative > tail*roundedTail {
			break
		}
		k++
	}
	return k
}

// normalRankTest compares a rank statistic with the normal distribution, each
// tail with a continuity correction of one half. Without spread, when all
// values are tied, nothing can be said and every p-value is 1.
func normalRankTest(statistic, mean, sd float64) Test {
	if sd == 0 {
		return Test{Statistic: statistic, Less: 1, Greater: 1, TwoSided: 1}
	}
	below := func(x float64) float64 { return distuv.UnitNormal.CDF((x - mean) / sd) }
	t := Test{Statistic: statistic, Less: below(statistic + 0.5), Greater: below(2*mean - statistic + 0.5)}
	t.TwoSided = min(1, 2*min(t.Less, t.Greater))
	return t
}
