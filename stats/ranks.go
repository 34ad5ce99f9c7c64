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

// exactRankTest reads the p-values of the doubled statistic off its null
// distribution p. Two-sided counts every outcome at least as far from the mean:
// with ties the distribution may be lopsided, and this rule is still the same
// when the samples change places.
func exactRankTest(doubled int, p []float64) Test {
	t := Test{Statistic: float64(doubled) / 2, Exact: true}
	mean := 0.0
	for s, ps := range p {
		mean += float64(s) * ps
	}
	far := math.Abs(float64(doubled)-mean) - 0.25 // outcomes lie at least 1 apart, the mean's rounding far less
	for s, ps := range p {
		if s <= doubled {
			t.Less += ps
		}
		if s >= doubled {
			t.Greater += ps
		}
		if math.Abs(float64(s)-mean) >= far {
			t.TwoSided += ps
		}
	}
	t.Less, t.Greater, t.TwoSided = min(t.Less, 1), min(t.Greater, 1), min(t.TwoSided, 1)
	return t
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
