package stats

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/combin"
)

// exactPermutations is the number of relabellings up to which a permutation
// test visits all of them: 11 against 11, or the signs of 20 differences.
const exactPermutations = 1 << 20

// permutationDraws is the number of relabellings drawn at random beyond that:
// the smallest p-value is then 1e-5.
const permutationDraws = 99_999

// Permutation tests the difference of the means, mean(head) - mean(base), which
// is its statistic, against all ways to relabel the pooled values (Fisher 1935;
// Pitman 1937). Two-sided counts the relabellings whose difference is at least
// as large in size. Beyond 2²⁰ of them it draws 99 999 and takes (z+1)/(B+1),
// where z are as extreme as the data (Phipson and Smyth 2010).
//
// The draw is seeded from the data, whatever their order, so the same data give
// the same p. Swapping the samples swaps Less and Greater. The samples are not
// modified. Permutation panics if a side is empty or holds a value that is NaN,
// infinite or beyond ±1e150.
func Permutation(base, head []float64) Test {
	checkFinite("Permutation", base)
	checkFinite("Permutation", head)
	x, y := sortedCopy(base), sortedCopy(head)
	// The smaller sample is the one relabelled, so that order never matters.
	if len(y) > len(x) || len(y) == len(x) && slices.Compare(y, x) > 0 {
		return permuteMeans(y, x).mirrored()
	}
	return permuteMeans(x, y)
}

func permuteMeans(base, head []float64) Test {
	mean1, _ := meanVariance(base)
	mean2, _ := meanVariance(head)
	pooled := slices.Concat(base, head)
	slices.Sort(pooled)
	c := extremes{tolerance: roundingOfSum(pooled)}

	// The sum over head decides. Taken about the median and less its
	// expectation it has no large part in common to round away.
	middle, expected := sortedQuantile(pooled, 0.5), 0.0
	for i := range pooled {
		pooled[i] -= middle
		expected += pooled[i]
	}
	n, k := len(pooled), len(head)
	expected *= float64(k) / float64(n)
	for _, y := range head {
		c.observed += y - middle
	}
	c.observed -= expected

	if combin.LogGeneralizedBinomial(float64(n), float64(k)) < math.Log(exactPermutations+0.5) {
		c.subsets(pooled, k, -expected)
		return c.test(mean2-mean1, true)
	}
	draw := seededFrom(base, head)
	for range permutationDraws {
		sum := -expected
		for i := range k {
			j := i + draw.IntN(n-i)
			pooled[i], pooled[j] = pooled[j], pooled[i]
			sum += pooled[i]
		}
		c.count(sum)
	}
	return c.test(mean2-mean1, false)
}

// SignFlip tests whether the differences d are symmetric about 0, by their
// mean, which is its statistic, against all 2ⁿ ways to give them signs
// (Fisher 1935). It is exact up to 20 differences and draws beyond, as
// Permutation does. All zeros give p = 1.
//
// d is not modified. SignFlip panics as PairedT does.
func SignFlip(d []float64) Test {
	checkFinite("SignFlip", d)
	mean, _ := meanVariance(d)
	sizes := make([]float64, len(d))
	c := extremes{tolerance: roundingOfSum(d)}
	for i, x := range d {
		c.observed += x
		sizes[i] = math.Abs(x)
	}
	if len(d) <= 20 {
		c.signs(sizes, 0)
		return c.test(mean, true)
	}
	slices.Sort(sizes)
	draw := seededFrom(sizes)
	for range permutationDraws {
		sum, bits := 0.0, uint64(0)
		for i, x := range sizes {
			if i%64 == 0 {
				bits = draw.Uint64()
			}
			if bits&1 == 0 {
				x = -x
			}
			bits >>= 1
			sum += x
		}
		c.count(sum)
	}
	return c.test(mean, false)
}

// extremes counts relabellings as extreme as the observed sum, all sums being
// taken around their expectation. Sums that differ only by rounding are equal.
type extremes struct {
	observed, tolerance float64
	low, high, far, all int
}

func (c *extremes) count(sum float64) {
	c.all++
	if sum <= c.observed+c.tolerance {
		c.low++
	}
	if sum >= c.observed-c.tolerance {
		c.high++
	}
	if math.Abs(sum) >= math.Abs(c.observed)-c.tolerance {
		c.far++
	}
}

// subsets counts sum plus every sum of k of the values.
func (c *extremes) subsets(values []float64, k int, sum float64) {
	if k == 0 {
		c.count(sum)
		return
	}
	for i := 0; i <= len(values)-k; i++ {
		c.subsets(values[i+1:], k-1, sum+values[i])
	}
}

// signs counts sum plus every signed sum of the sizes.
func (c *extremes) signs(sizes []float64, sum float64) {
	if len(sizes) == 0 {
		c.count(sum)
		return
	}
	c.signs(sizes[1:], sum+sizes[0])
	c.signs(sizes[1:], sum-sizes[0])
}

// test turns the counts into p-values; a draw does not hold the data's own
// labelling, which is added to both counts.
func (c *extremes) test(statistic float64, exact bool) Test {
	own := 1.0
	if exact {
		own = 0
	}
	p := func(count int) float64 { return (float64(count) + own) / (float64(c.all) + own) }
	return Test{Statistic: statistic, Less: p(c.low), Greater: p(c.high), TwoSided: p(c.far), Exact: exact}
}

// mirrored is the test with the samples, or the sign of the statistic, exchanged.
func (t Test) mirrored() Test {
	t.Statistic = 0 - t.Statistic // not -0
	t.Less, t.Greater = t.Greater, t.Less
	return t
}

// roundingOfSum bounds what rounding, of the values themselves when they were
// written as decimals and of their sum, can add to a sum of xs.
func roundingOfSum(xs []float64) float64 {
	size := 0.0
	for _, x := range xs {
		size = max(size, math.Abs(x))
	}
	return 4 * 0x1p-53 * size * float64(len(xs))
}
