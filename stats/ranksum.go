package stats

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// exactRankSum is the product of the sample sizes up to which the rank-sum
// distribution is counted out: 64 against 64 takes a few milliseconds, and the
// normal approximation is good long before.
const exactRankSum = 4096

// MannWhitney tests whether head tends to be higher or lower than base. The
// statistic U is the number of pairs in which head is the higher, a tied pair
// counting one half (Mann and Whitney 1947); it is R's W with head as x.
//
// The p-values are exact while len(base)·len(head) <= 4096, over every way to
// divide the pooled values between the samples, ties included; beyond, they use
// the normal approximation with continuity and tie correction. Two-sided counts
// the divisions at least as far from the mean of U, so swapping the samples
// swaps Less and Greater and leaves TwoSided alone. All values tied give p = 1.
//
// Only the order counts: ±Inf are allowed. The samples are not modified.
// MannWhitney panics if a side is empty or holds a NaN.
func MannWhitney(base, head []float64) Test {
	checkSample("MannWhitney", base)
	checkSample("MannWhitney", head)
	groups := rankGroups(base, head)
	u2 := 0 // twice U, to be whole
	below := 0
	for _, g := range groups {
		u2 += g.head * (2*below + g.base)
		below += g.base
	}
	n, m := len(base), len(head)
	if n*m <= exactRankSum {
		p, unit := rankSumDistribution(n, m, groups)
		return exactRankTest(u2*unit/2, unit, p)
	}
	total, pairs, ties := float64(n+m), float64(n)*float64(m), 0.0
	for _, g := range groups {
		t := float64(g.base + g.head)
		ties += t*t*t - t
	}
	variance := pairs / 12 * (total + 1 - ties/(total*(total-1)))
	return normalRankTest(float64(u2)/2, pairs/2, math.Sqrt(max(variance, 0)))
}

// HodgesLehmann estimates by how much head is shifted against base: the median
// of all differences head - base, with the interval between two of them that
// inverts MannWhitney (Hodges and Lehmann 1963; Hollander and Wolfe 1999,
// section 4.3), in the unit of the data. If the samples are too small for the
// confidence, such as 3 against 3 at 95 %, it is the whole line. With ties it
// covers at least as often as promised.
//
// The samples are not modified. Time and memory grow with the product of their
// sizes. HodgesLehmann panics if a side is empty or holds a value that is NaN,
// infinite or beyond ±1e150, or unless 0 < confidence < 1.
func HodgesLehmann(base, head []float64, confidence float64) Interval {
	checkFinite("HodgesLehmann", base)
	checkFinite("HodgesLehmann", head)
	checkConfidence("HodgesLehmann", confidence)
	shifts := make([]float64, 0, len(base)*len(head))
	for _, x := range base {
		for _, y := range head {
			shifts = append(shifts, y-x)
		}
	}
	slices.Sort(shifts)
	iv := Interval{Estimate: sortedQuantile(shifts, 0.5), Confidence: confidence}
	iv.Low, iv.High = symmetricLimits(shifts, rankSumCut(len(base), len(head), (1-confidence)/2))
	return iv
}

// rankSumCut returns the largest k with P(U <= k-1) <= tail for untied samples
// of n and m, at most the middle; 0 if there is none.
func rankSumCut(n, m int, tail float64) int {
	middle := (n*m + 1) / 2
	if n*m > exactRankSum {
		mean := float64(n) * float64(m) / 2
		sd := math.Sqrt(mean * float64(n+m+1) / 6)
		return min(max(0, int(mean+0.5-distuv.UnitNormal.Quantile(1-tail)*sd)), middle)
	}
	untied := make([]rankGroup, n+m)
	for i := range untied {
		untied[i].base = 1 // which side is not asked, only that there is one
	}
	p, _ := rankSumDistribution(n, m, untied)
	return lowerCut(p, tail, middle)
}

// A rankGroup is a group of tied values: how many each sample has of it.
type rankGroup struct{ base, head int }

// rankGroups returns the groups of equal values in ascending order.
func rankGroups(base, head []float64) []rankGroup {
	x, y := sortedCopy(base), sortedCopy(head)
	groups := make([]rankGroup, 0, len(x)+len(y))
	for i, j := 0, 0; i < len(x) || j < len(y); {
		var value float64
		if j == len(y) || i < len(x) && x[i] <= y[j] {
			value = x[i]
		} else {
			value = y[j]
		}
		var g rankGroup
		for ; i < len(x) && x[i] == value; i++ {
			g.base++
		}
		for ; j < len(y) && y[j] == value; j++ {
			g.head++
		}
		groups = append(groups, g)
	}
	return groups
}

// rankSumDistribution returns P(unit·U = s) for every s when all divisions of
// the groups into n of base and m of head are equally likely. The unit is 1
// without ties and 2 with them, since a tied pair counts one half.
//
// It takes the groups in ascending order. With a of head and b of base so far,
// putting j of the next t values into head adds j·b + j(t-j)/2 to U, in
// C(t, j) ways. ways[a] counts the ways to each value of U; every term is
// positive, so nothing cancels.
func rankSumDistribution(n, m int, groups []rankGroup) (p []float64, unit int) {
	unit = 1
	for _, g := range groups {
		if g.base+g.head > 1 {
			unit = 2
		}
	}
	width := unit*n*m + 1
	ways := make([]float64, (m+1)*width)
	ways[0] = 1
	seen := 0
	for _, g := range groups {
		t := g.base + g.head
		// In place: a state is built from states with fewer of head, so the
		// richest come first. More than n of base cannot end at n.
		for a := min(m, seen+t); a > max(0, seen+t-n-1); a-- {
			into := ways[a*width : (a+1)*width]
			choose := 1.0
			for j := 1; j <= min(t, a); j++ {
				choose *= float64(t-j+1) / float64(j)
				b := seen - (a - j)
				if b < 0 {
					continue
				}
				if b > n {
					break
				}
				from := ways[(a-j)*width:][:unit*(a-j)*b+1]
				shifted := into[unit*j*b+unit*j*(t-j)/2:][:len(from)]
				for s, w := range from {
					shifted[s] += choose * w
				}
			}
		}
		seen += t
	}
	p = ways[m*width:]
	total := 0.0
	for _, w := range p {
		total += w
	}
	for s := range p {
		p[s] /= total
	}
	return p, unit
}
