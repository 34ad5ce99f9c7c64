package stats

import (
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"
)

// What is passed over in blocks is never what reaches the bound.
func TestStretchReachesAsTheBestDoes(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 31))
	for i := range 300 {
		search := newSplitSearch(noise(rng, 6+i*i/150, .3))
		_, _, largest := search.bestStretch()
		for _, share := range []float64{.5, .9, 1 - 1e-9, 1, 1 + 1e-9, 1.1, 2} {
			if got := search.stretchReaches(largest * share); largest > 0 && got != (share <= 1) {
				t.Fatalf("%d values: reaches %v of the largest: %v", len(search.deviations), share, got)
			}
		}
	}
}

// Every order is as likely as every other.
func TestShuffle(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 32))
	for n, orders := range map[int]int{0: 1, 1: 1, 2: 2, 3: 6, 4: 24, 5: 120} {
		counts := make(map[[5]float64]int)
		const each = 500
		for range orders * each {
			xs := []float64{1, 2, 3, 4, 5}[:n]
			shuffle(xs, rng)
			var order [5]float64
			copy(order[:], xs)
			counts[order]++
		}
		chi := 0.0
		for _, c := range counts {
			chi += float64((c-each)*(c-each)) / each
		}
		if len(counts) != orders || n > 1 && (distuv.ChiSquared{K: float64(orders - 1)}).Survival(chi) < 1e-4 {
			t.Errorf("%d values: %d of %d orders, chi-squared %.1f", n, len(counts), orders, chi)
		}
	}
}

// As many as end the search early come by chance once in a million at most.
func TestTooMany(t *testing.T) {
	for reached, expected := range expectedAtMost {
		if expected == 0 {
			continue
		}
		if p := 1 - (distuv.Poisson{Lambda: expected}).CDF(float64(reached-1)); p > 1.01e-6 || p < 9e-7 {
			t.Errorf("%d of %g expected: a chance of %.2g", reached, expected, p)
		}
	}
}
