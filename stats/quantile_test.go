package stats

import "testing"

// R 4.2.2: quantile(c(15, 20, 35, 40, 50), c(.05, .4, .95), type = 7).
func TestQuantileType7(t *testing.T) {
	xs := []float64{35, 15, 50, 20, 40}
	for q, want := range map[float64]float64{0: 15, .05: 16, .4: 29, .5: 35, .95: 48, 1: 50} {
		near(t, "quantile", Quantile(xs, q), want, 1e-12)
	}
	near(t, "median", Median([]float64{4, 1, 3, 2}), 2.5, 0)
	near(t, "MAD", MAD([]float64{1, 1, 2, 2, 4, 6, 9}), 1, 0)
	if xs[0] != 35 {
		t.Error("the sample was sorted in place")
	}
}
