package stats

import (
	"math"
	"slices"
	"sort"

	"gonum.org/v1/gonum/stat/distuv"
)

// exactSignedRank is the sample size up to which the signed-rank distribution
// is counted out: 8 million additions at 200, a few milliseconds.
const exactSignedRank = 200

// SignedRank asks where the centre of symmetry of the differences d lies, from
// their signed ranks (Wilcoxon 1945). The interval holds the Hodges-Lehmann
// estimate, the median of the n(n+1)/2 averages (dᵢ+dⱼ)/2, between two of those
// averages (Tukey; Hollander and Wolfe 1999, section 3.3), in the unit of d. If
// d is too small for the confidence, such as 5 differences at 95 %, it is the
// whole line. The test is of centre 0; its statistic V is the sum of the ranks
// of the positive differences.
//
// Zeros are dropped from the test and tied differences share their mean rank;
// the test stays exact, over all 2ⁿ signs, to 200 differences and uses the
// normal approximation with continuity and tie correction beyond. With ties
// the interval covers at least as often as promised. All zeros give p = 1.
//
// d is not modified. Time and memory grow with n². SignedRank panics if d is
// empty or holds a value that is NaN, infinite or beyond ±1e150, or unless
// 0 < confidence < 1.
func SignedRank(d []float64, confidence float64) (Interval, Test) {
	checkFinite("SignedRank", d)
	checkConfidence("SignedRank", confidence)
	walsh := walshAverages(d)
	iv := Interval{Estimate: sortedQuantile(walsh, 0.5), Confidence: confidence}
	iv.Low, iv.High = symmetricLimits(walsh, signedRankCut(len(d), (1-confidence)/2))
	return iv, signedRankTest(d)
}

// walshAverages returns (d[i]+d[j])/2 for all i <= j, ascending.
func walshAverages(d []float64) []float64 {
	walsh := make([]float64, 0, len(d)*(len(d)+1)/2)
	for i, x := range d {
		for _, y := range d[i:] {
			walsh = append(walsh, (x+y)/2)
		}
	}
	slices.Sort(walsh)
	return walsh
}

// symmetricLimits returns the cut-th smallest and the cut-th largest value, or
// the whole line for cut 0.
func symmetricLimits(sorted []float64, cut int) (low, high float64) {
	if cut == 0 {
		return math.Inf(-1), math.Inf(1)
	}
	return sorted[cut-1], sorted[len(sorted)-cut]
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
// each sign being equally likely. Tied ranks are passed doubled, to be whole.
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

func signedRankTest(d []float64) Test {
	nonzero := make([]float64, 0, len(d))
	for _, x := range d {
		if x != 0 {
			nonzero = append(nonzero, x)
		}
	}
	sort.Slice(nonzero, func(i, j int) bool { return math.Abs(nonzero[i]) < math.Abs(nonzero[j]) })
	doubled, ties := doubledMidranks(nonzero, func(i, j int) bool { return math.Abs(nonzero[i]) == math.Abs(nonzero[j]) })
	v := 0
	for i, x := range nonzero {
		if x > 0 {
			v += doubled[i]
		}
	}
	if n := len(nonzero); n > exactSignedRank {
		mean, sd := signedRankMoments(n)
		sd = math.Sqrt(sd*sd - ties/48)
		return normalRankTest(float64(v)/2, mean, sd)
	}
	return exactRankTest(v, 2, signedRankDistribution(doubled))
}
