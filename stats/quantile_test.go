package stats

import (
	"math"
	"slices"
	"testing"
)

var inf = math.Inf(1)

func TestQuantileType7(t *testing.T) {
	for _, tt := range []struct {
		xs      []float64
		q, want float64
	}{
		// R 4.2.2: quantile(c(15, 20, 35, 40, 50), c(.05, .4, .95), type = 7).
		{[]float64{35, 15, 50, 20, 40}, .05, 16},
		{[]float64{35, 15, 50, 20, 40}, .4, 29},
		{[]float64{35, 15, 50, 20, 40}, .95, 48},
		{[]float64{35, 15, 50, 20, 40}, 0, 15},
		{[]float64{35, 15, 50, 20, 40}, 1, 50},
		// R: quantile(c(1, 5, 2, 8, 7, 4.5), c(.1, .33, .9)).
		{[]float64{1, 5, 2, 8, 7, 4.5}, .1, 1.5},
		{[]float64{1, 5, 2, 8, 7, 4.5}, .33, 3.625},
		{[]float64{1, 5, 2, 8, 7, 4.5}, .9, 7.5},
		// One value, and infinities: failures rank above every number.
		{[]float64{7}, .3, 7},
		{[]float64{1, 2, inf}, .5, 2},
		{[]float64{1, 2, inf}, .51, inf},
		{[]float64{inf, inf}, .5, inf},
		{[]float64{-1.7e308, 1.7e308}, .5, 0},
	} {
		near(t, "quantile", Quantile(tt.xs, tt.q), tt.want, 1e-12)
		if tt.q == 0.5 {
			near(t, "median", Median(tt.xs), tt.want, 0)
		}
	}
	near(t, "median", Median([]float64{4, 1, 3, 2}), 2.5, 0)
}

func TestMAD(t *testing.T) {
	for _, tt := range []struct {
		xs   []float64
		want float64
	}{
		{[]float64{1, 1, 2, 2, 4, 6, 9}, 1},
		{[]float64{1, 5, 2, 8, 7, 4.5}, 2.5}, // R: mad(c(1, 5, 2, 8, 7, 4.5), constant = 1)
		{[]float64{3}, 0},
		{[]float64{1, 2, inf}, 1},
		{[]float64{1, inf, inf}, 0},
		{[]float64{1, 2, inf, inf}, inf},
	} {
		near(t, "MAD", MAD(tt.xs), tt.want, 1e-15)
	}
}

func TestHarrellDavisOracles(t *testing.T) {
	// Wilcox's data; scipy.stats.mstats.hdquantiles(xs, [.1, .5, .9, .95]),
	// SciPy 1.10.1 and 1.17.1.
	wilcox := []float64{2611, 77, 87, 88, 114, 151, 210, 219, 246, 253, 262, 296, 299, 306, 376, 428, 515, 666, 1310}
	for q, want := range map[float64]float64{.1: 93.30482367, .5: 271.72120055, .9: 1367.91535629, .95: 2060.49465517} {
		near(t, "Harrell-Davis", HarrellDavis(wilcox, q), want, 6e-9)
	}
	twenty := make([]float64, 20)
	for i := range twenty {
		twenty[i] = float64(i + 1)
	}
	near(t, "1..20", HarrellDavis(twenty, .5), 10.5, 1e-12)
	near(t, "1..20", HarrellDavis(twenty, .95), 19.4268257244, 1e-10)
	near(t, "least", HarrellDavis(twenty, 0), 1, 0)
	near(t, "most", HarrellDavis(twenty, 1), 20, 0)
	near(t, "one value", HarrellDavis([]float64{4}, .5), 4, 0)
}

func TestHarrellDavisFailures(t *testing.T) {
	withFailures := func(n, failed int) []float64 {
		xs := make([]float64, n)
		for i := range xs {
			xs[i] = 1 + float64(i)/float64(n)
			if i >= n-failed {
				xs[i] = inf
			}
		}
		return xs
	}
	for _, tt := range []struct {
		n, failed int
		q         float64
		finite    bool
	}{
		{100, 1, .5, true}, {100, 39, .5, true}, {100, 41, .5, false},
		{100, 1, .95, true}, {100, 2, .95, false}, {200, 4, .95, true}, {200, 6, .95, false},
		{3, 3, .5, false}, {1, 1, .5, false},
	} {
		got := HarrellDavis(withFailures(tt.n, tt.failed), tt.q)
		if math.IsInf(got, 1) == tt.finite {
			t.Errorf("%d of %d failed, q %g: %g, want it finite: %v", tt.failed, tt.n, tt.q, got, tt.finite)
		}
	}
	// Failing cannot make a quantile better by more than the doc allows.
	xs := withFailures(200, 0)
	xs[199] = 30 // a straggler that then fails
	before := HarrellDavis(xs, .95)
	xs[199] = inf
	if after := HarrellDavis(xs, .95); after < before-0.025*(30-xs[198]) {
		t.Errorf("a failure lowered the quantile from %g to %g", before, after)
	}
}

// Ranks from R 4.2.2, qbinom(c(.025, .975), n, q): n=100 q=.95 [90, 100], n=200
// [184, 197], n=1000 q=.99 [983, 997].
func TestQuantileIntervalRanks(t *testing.T) {
	for _, tt := range []struct {
		n         int
		q         float64
		low, high float64
	}{
		{100, .95, 90, 100}, {200, .95, 184, 197}, {1000, .99, 983, 997},
		{5, .5, math.Inf(-1), inf}, {6, .5, 1, 6}, {71, .95, 63, inf}, {72, .95, 64, 72}, {1, .5, math.Inf(-1), inf},
	} {
		ranks := make([]float64, tt.n)
		for i := range ranks {
			ranks[i] = float64(tt.n - i)
		}
		nearInterval(t, "ranks", QuantileInterval(ranks, tt.q, .95), tt.low, tt.high, 0)
	}
	nearInterval(t, "failures", QuantileInterval([]float64{1, 2, 3, 4, 5, inf}, .5, .95), 1, inf, 0)
}

// How many values an interval that is finite on both sides needs, as
// record.ServeMetrics has it.
func TestQuantileIntervalNeeds(t *testing.T) {
	for _, tt := range []struct {
		q, confidence float64
		want          int
	}{
		{.5, .95, 6}, {.9, .95, 36}, {.95, .95, 72}, {.99, .95, 368},
		{.5, .90, 5}, {.9, .90, 29}, {.95, .90, 59}, {.99, .90, 299},
		{.1, .95, 36}, {.5, .5, 2}, {.5, .875, 4}, // the last two meet their bound exactly
	} {
		for _, size := range []int{tt.want - 1, tt.want} {
			iv := QuantileInterval(make([]float64, size), tt.q, tt.confidence)
			if finite := !math.IsInf(iv.Low, 0) && !math.IsInf(iv.High, 0); finite != (size == tt.want) {
				t.Errorf("q %g at %g with %d values: %+v", tt.q, tt.confidence, size, iv)
			}
		}
	}
}

// The exact coverage of order statistics, P(l <= B < u), is at least nominal.
func TestQuantileIntervalCovers(t *testing.T) {
	for n := 6; n <= 300; n++ {
		ranks := make([]float64, n)
		for i := range ranks {
			ranks[i] = float64(i + 1)
		}
		for _, q := range []float64{.25, .5, .9, .95} {
			iv := QuantileInterval(ranks, q, .95)
			pmf := make([]float64, n+1)
			binomialPMF(pmf, float64(n), q)
			coverage := 0.0
			for b, p := range pmf {
				if float64(b) >= iv.Low && float64(b) < iv.High {
					coverage += p
				}
			}
			if coverage < .95-1e-12 {
				t.Errorf("n %d, q %g: coverage %g", n, q, coverage)
			}
		}
	}
}

func TestSamplesAreLeftAlone(t *testing.T) {
	xs, ys := []float64{3, 1, 2, 5, 4, 2}, []float64{9, 7, 8, 1}
	x, y := slices.Clone(xs), slices.Clone(ys)
	Median(xs)
	Quantile(xs, .3)
	MAD(xs)
	HarrellDavis(xs, .5)
	QuantileInterval(xs, .5, .9)
	PairedT(xs)
	Welch(xs, ys)
	SignedRank(xs, .9)
	Autocorrelation(xs)
	Slope(xs)
	if !slices.Equal(xs, x) || !slices.Equal(ys, y) {
		t.Errorf("a sample was changed: %v %v", xs, ys)
	}
}
