package stats

import (
	"math"
	"slices"
	"sort"

	"gonum.org/v1/gonum/mathext"
	"gonum.org/v1/gonum/stat/distuv"
)

// Median returns the middle of xs, or the mean of the two middle values when
// len(xs) is even: Quantile(xs, 0.5). The result is in the unit of xs.
//
// xs may be in any order and is not modified. +Inf ranks above every number.
// Median panics if xs is empty or holds a NaN or -Inf.
func Median(xs []float64) float64 {
	checkUpward("Median", xs)
	return sortedQuantile(sortedCopy(xs), 0.5)
}

// Quantile returns the type-7 quantile of Hyndman and Fan (1996), the default
// of R and NumPy: linear between the order statistics around 1+(n-1)q, for q
// from 0, the smallest value, to 1, the largest. (gonum v0.17 offers types 1
// and 4 only.) The result is in the unit of xs.
//
// xs may be in any order and is not modified. +Inf ranks above every number; a
// quantile between a number and +Inf is +Inf. Quantile panics if xs is empty
// or holds a NaN or -Inf, or if q lies outside [0, 1].
func Quantile(xs []float64, q float64) float64 {
	checkUpward("Quantile", xs)
	checkQuantile("Quantile", q)
	return sortedQuantile(sortedCopy(xs), q)
}

// MAD returns the median absolute deviation from the median, in the unit of
// xs. It is not scaled: 1.4826 times it estimates the standard deviation of
// normal data.
//
// xs is not modified. MAD panics if xs is empty or holds a NaN or -Inf. If
// half of xs or more is +Inf, so is the median; the deviation of +Inf from it
// counts as 0 and that of a number as +Inf.
func MAD(xs []float64) float64 {
	checkUpward("MAD", xs)
	sorted := sortedCopy(xs)
	centre := sortedQuantile(sorted, 0.5)
	for i, x := range sorted {
		if x == centre {
			sorted[i] = 0
		} else {
			sorted[i] = math.Abs(x - centre)
		}
	}
	slices.Sort(sorted)
	return sortedQuantile(sorted, 0.5)
}

// tooManyFailures is the weight on +Inf at which a Harrell-Davis quantile
// becomes +Inf itself. The weights approximate the distribution of the
// quantile's rank, so above it a 95 % interval would reach into the failures.
const tooManyFailures = 0.025

// HarrellDavis returns the q-quantile of xs as Harrell and Davis (1982)
// estimate it: every order statistic x₍ᵢ₎ weighted by I(i/n) - I((i-1)/n),
// where I is the distribution function of Beta((n+1)q, (n+1)(1-q)). It varies
// less from sample to sample than Quantile. The result is in the unit of xs.
//
// +Inf stands for a failure and ranks above every number. If the failures hold
// more than 2.5 % of the weight the result is +Inf; below that their weight
// goes to the largest number, the least they can have been. So turning a value
// into a failure can lower the result by no more than 2.5 % of the gap between
// the two largest numbers.
//
// xs may be in any order and is not modified. q = 0 and q = 1 give the smallest
// and largest value. HarrellDavis panics as Quantile does.
func HarrellDavis(xs []float64, q float64) float64 {
	checkUpward("HarrellDavis", xs)
	checkQuantile("HarrellDavis", q)
	sorted := sortedCopy(xs)
	n := len(sorted)
	if q == 0 || q == 1 || n == 1 {
		return sortedQuantile(sorted, q)
	}
	finite := sort.Search(n, func(i int) bool { return math.IsInf(sorted[i], 1) })
	if finite == 0 {
		return math.Inf(1)
	}
	a, b := float64(n+1)*q, float64(n+1)*(1-q)
	if finite < n && 1-mathext.RegIncBeta(a, b, float64(finite)/float64(n)) > tooManyFailures {
		return math.Inf(1)
	}
	sum, below := 0.0, 0.0
	for i := range finite - 1 {
		upTo := mathext.RegIncBeta(a, b, float64(i+1)/float64(n))
		sum += (upTo - below) * sorted[i]
		below = upTo
	}
	sum += (1 - below) * sorted[finite-1]
	return min(max(sum, sorted[0]), sorted[finite-1])
}

// OrderStatistic returns x₍⌈nq⌉₎, the smallest value that at least the share q
// of xs does not exceed (type 1 of Hyndman and Fan, 1996), in the unit of xs.
// It is finite as long as no more than 1-q of xs are +Inf, where HarrellDavis
// gives up much earlier, and varies more from sample to sample.
//
// xs may be in any order and is not modified. OrderStatistic panics as Quantile
// does.
func OrderStatistic(xs []float64, q float64) float64 {
	checkUpward("OrderStatistic", xs)
	checkQuantile("OrderStatistic", q)
	const rounding = 1e-9 // of the product, which is 95 for 0.95 of 100
	i := int(math.Ceil(float64(len(xs))*q*(1-rounding))) - 1
	return sortedCopy(xs)[max(i, 0)]
}

// QuantileInterval returns the type-7 q-quantile of xs with the equal-tailed
// interval of order statistics [x₍l₎, x₍u₎], l = max{l: P(B<l) ≤ α/2} and
// u = min{u: P(B<u) ≥ 1-α/2} for B ~ Binomial(n, q) and α = 1-confidence. It
// holds for any distribution of independent values, at that confidence or
// more. A side the sample is too small to bound is infinite; RequestsFor says
// what size bounds both.
//
// xs may be in any order and is not modified. +Inf ranks above every number.
// QuantileInterval panics if xs is empty or holds a NaN or -Inf, or unless q
// and confidence lie between 0 and 1, both excluded.
func QuantileInterval(xs []float64, q, confidence float64) Interval {
	checkUpward("QuantileInterval", xs)
	checkOpenQuantile("QuantileInterval", q)
	checkConfidence("QuantileInterval", confidence)
	sorted := sortedCopy(xs)
	n, tail := len(sorted), (1-confidence)/2
	iv := Interval{Estimate: sortedQuantile(sorted, q), Low: math.Inf(-1), High: math.Inf(1), Confidence: confidence}
	if l := orderCut(n, q, tail); l > 0 {
		iv.Low = min(sorted[l-1], iv.Estimate)
	}
	// From the top the quantile is the 1-q one: P(B ≥ u) ≤ α/2 reads P(n-B < n+1-u) ≤ α/2.
	if l := orderCut(n, 1-q, tail); l > 0 {
		iv.High = max(sorted[n-l], iv.Estimate)
	}
	return iv
}

// orderCut returns the largest l in [0, n] with P(B < l) <= tail for
// B ~ Binomial(n, q).
func orderCut(n int, q, tail float64) int {
	b := distuv.Binomial{N: float64(n), P: q}
	return sort.Search(n, func(l int) bool { return b.CDF(float64(l)) > tail*roundedTail })
}

// sortedQuantile is Quantile of ascending values without checks.
func sortedQuantile(sorted []float64, q float64) float64 {
	whole, frac := math.Modf(float64(len(sorted)-1) * q)
	low := sorted[int(whole)]
	if frac == 0 {
		return low
	}
	high := sorted[int(whole)+1]
	if low == high {
		return low
	}
	// a + (b-a)f overflows for opposite huge values; this form cannot.
	return min(max(low*(1-frac)+high*frac, low), high)
}

func sortedCopy(xs []float64) []float64 {
	sorted := slices.Clone(xs)
	slices.Sort(sorted)
	return sorted
}

func checkQuantile(fn string, q float64) {
	if !(q >= 0 && q <= 1) {
		panic("stats: " + fn + ": q must lie in [0, 1]")
	}
}

func checkOpenQuantile(fn string, q float64) {
	if !(q > 0 && q < 1) {
		panic("stats: " + fn + ": q must lie between 0 and 1")
	}
}
