package stats

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// Boschloo tests whether head's rate differs from base's by Boschloo's (1970)
// unconditional exact test: tables are ordered by Fisher's one-sided p-value,
// and the p-value is the largest probability, over all common rates, of a table
// at least as extreme. It is never above Fisher's. Two-sided doubles the smaller
// side, at most 1. The statistic is Fisher's smaller one-sided p-value.
//
// The rates are searched on a grid with refinement, made for some hundreds a
// side; Fisher serves as well for more. It panics unless both counts are whole,
// 0 <= K <= N and 0 < N <= 10 000.
func Boschloo(base, head Count) Test {
	checkWholeCount("Boschloo", base, mostEnumerated)
	checkWholeCount("Boschloo", head, mostEnumerated)
	fisher := conditionalTest(base, head)
	t := Test{Statistic: min(fisher.Less, fisher.Greater), Exact: true}
	t.Less = min(fisher.Less, supremum(base.N, head.N, fisherRegion(base.N, head.N, fisher.Less)))
	// "head is higher" is "base is lower": the same region with the arms exchanged.
	t.Greater = min(fisher.Greater, supremum(head.N, base.N, fisherRegion(head.N, base.N, fisher.Greater)))
	t.TwoSided = min(1, 2*min(t.Less, t.Greater))
	return t
}

// fisherRegion returns the tables whose one-sided p-value against "the second
// is lower" is at most p. Adding a success to either column only moves the edge
// one way, so it is walked once.
func fisherRegion(n1, n2, p float64) region {
	r := make(region, int(n1)+1)
	k2 := -1
	for k1 := range r {
		for k2+1 <= int(n2) {
			t := conditionalTest(Count{float64(k1), n1}, Count{float64(k2 + 1), n2})
			if t.Less > p*(1+sameTable) {
				break
			}
			k2++
		}
		r[k1] = k2
	}
	return r
}

// A region is a set of tables: with k1 successes of the first, up to region[k1]
// successes of the second, -1 for none.
type region []int

// supremum returns the largest probability of the region over all rates common
// to both, which may be at an end, where all tables but one are impossible.
func supremum(n1, n2 float64, r region) float64 {
	first := make([]float64, int(n1)+1)
	second := make([]float64, int(n2)+1)
	// On the scale of the arcsine root every rate is known equally well, so an
	// even grid resolves the ends as finely as the middle.
	at := func(angle float64) float64 {
		s := math.Sin(angle)
		binomialPMF(first, n1, s*s)
		binomialPMF(second, n2, s*s)
		for k := 1; k < len(second); k++ {
			second[k] += second[k-1] // of k or fewer
		}
		sum := 0.0
		for k1, k2 := range r {
			if k2 >= 0 {
				sum += first[k1] * second[k2]
			}
		}
		return sum
	}
	const steps = 1000
	step := math.Pi / 2 / steps
	var grid [steps + 1]float64
	highest := 0.0
	for i := range grid {
		grid[i] = at(float64(i) * step)
		highest = max(highest, grid[i])
	}
	best := highest
	for i := 1; i < steps; i++ {
		if grid[i] >= grid[i-1] && grid[i] >= grid[i+1] && grid[i] > 0.99*highest {
			best = max(best, peak(at, float64(i-1)*step, float64(i+1)*step))
		}
	}
	return min(best, 1)
}

// peak returns the highest value of f on [low, high], where it has one maximum,
// by golden section.
func peak(f func(float64) float64, low, high float64) float64 {
	const golden = 0.6180339887498949
	a, b := high-golden*(high-low), low+golden*(high-low)
	fa, fb := f(a), f(b)
	best := max(fa, fb)
	for range 25 { // the peak is flat: 1e-5 of the step leaves 1e-10 of its height
		if fa > fb {
			high, b, fb = b, a, fa
			a = high - golden*(high-low)
			fa = f(a)
		} else {
			low, a, fa = a, b, fb
			b = low + golden*(high-low)
			fb = f(b)
		}
		best = max(best, fa, fb)
	}
	return best
}

// binomialPMF fills into with the probabilities of 0 to n successes at rate p,
// from the mode outwards.
func binomialPMF(into []float64, n, p float64) {
	clear(into)
	mode := int(min(math.Floor((n+1)*p), n))
	into[mode] = 1
	if p > 0 && p < 1 {
		into[mode] = distuv.Binomial{N: n, P: p}.Prob(float64(mode))
	}
	odds := p / (1 - p)
	for k := mode + 1; k < len(into) && into[k-1] > 0; k++ {
		into[k] = into[k-1] * odds * (n - float64(k) + 1) / float64(k)
	}
	for k := mode - 1; k >= 0 && into[k+1] > 0; k-- {
		into[k] = into[k+1] / odds * float64(k+1) / (n - float64(k))
	}
}
