package stats

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// exactSignedRank is the sample size up to which the signed-rank distribution
// is counted out: 8 million additions at 200, a few milliseconds.
const exactSignedRank = 200

// SignedRank asks where the centre of symmetry of the differences d lies: the
// interval that inverts the signed-rank test (Wilcoxon 1945). It holds the
// Hodges-Lehmann estimate, the median of the n(n+1)/2 averages (dᵢ+dⱼ)/2,
// between two of these averages (Tukey; Hollander and Wolfe 1999, section 3.3),
// in the unit of d. If d is too small for the confidence, such as 5 differences
// at 95 %, it is the whole line.
//
// The ranks are counted out, over all 2ⁿ signs, to 200 differences; beyond, the
// normal approximation with continuity correction is used. With ties the
// interval covers at least as often as promised.
//
// d is not modified. Time grows with n log n, memory with n. SignedRank panics
// if d is empty or holds a value that is NaN, infinite or beyond ±1e150, or
// unless 0 < confidence < 1.
func SignedRank(d []float64, confidence float64) Interval {
	checkFinite("SignedRank", d)
	checkConfidence("SignedRank", confidence)
	all := averages(sortedCopy(d))
	iv := Interval{Estimate: all.median(), Confidence: confidence}
	iv.Low, iv.High = all.limits(signedRankCut(len(d), (1-confidence)/2))
	return iv
}

// signedRankCut returns the largest k with P(V <= k-1) <= tail for n untied
// differences, at most the middle; 0 if there is none.
func signedRankCut(n int, tail float64) int {
	middle := (n*(n+1)/2 + 1) / 2
	if n > exactSignedRank {
		mean, sd := signedRankMoments(n)
		return min(max(0, int(mean+0.5-distuv.UnitNormal.Quantile(1-tail)*sd)), middle)
	}
	ranks := make([]int, n)
	for i := range ranks {
		ranks[i] = i + 1
	}
	return lowerCut(signedRankDistribution(ranks), tail, middle)
}

// signedRankDistribution returns P(sum of the positive ranks = s) for every s,
// each sign being equally likely.
func signedRankDistribution(ranks []int) []float64 {
	total := 0
	for _, r := range ranks {
		total += r
	}
	p := make([]float64, total+1)
	p[0] = 1
	reach := 0
	for _, r := range ranks {
		reach += r
		for s := reach; s >= r; s-- {
			p[s] = (p[s] + p[s-r]) / 2
		}
		for s := r - 1; s >= 0; s-- {
			p[s] /= 2
		}
	}
	return p
}

func signedRankMoments(n int) (mean, sd float64) {
	x := float64(n)
	return x * (x + 1) / 4, math.Sqrt(x * (x + 1) * (2*x + 1) / 24)
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
