package stats

import (
	"math"
	"testing"
)

func TestSlopeOracle(t *testing.T) {
	ys := []float64{3, 5, 4, 6, 8, 7, 9, 9, 12}
	// R 4.2.2: summary(lm(ys ~ I(0:8))), acf(ys)$acf[2].
	e := Slope(ys)
	near(t, "slope", e.Theta, 0.983333333333333, 1e-14)
	near(t, "SE", e.SE, 0.119356741518993, 1e-14)
	near(t, "DF", e.DF, 7, 0)
	near(t, "p", 2*e.PAbove(0), 7.55175401975966e-05, 1e-16)
	near(t, "acf", Autocorrelation(ys), 0.46875, 1e-15)
}

func TestSeriesEdges(t *testing.T) {
	for _, tt := range []struct {
		name  string
		ys    []float64
		slope Estimate
		r1    float64
	}{
		{"one value", []float64{5}, Estimate{0, inf, 1}, 0},
		{"two values", []float64{5, 7}, Estimate{2, inf, 1}, -.5},
		{"constant", []float64{.1, .1, .1, .1}, Estimate{0, 0, 2}, 0},
		{"straight line", []float64{1, 2, 3, 4, 5}, Estimate{1, 0, 3}, .4},
		{"drift on a large value", []float64{1e9, 1e9 + 1, 1e9 + 2, 1e9 + 3}, Estimate{1, 0, 2}, .25},
		{"zigzag", []float64{0, 1, 0, 1}, Estimate{.2, math.Sqrt(.8 / 2 / 5), 2}, -.75},
	} {
		e := Slope(tt.ys)
		near(t, tt.name+": slope", e.Theta, tt.slope.Theta, 1e-13)
		near(t, tt.name+": SE", e.SE, tt.slope.SE, 1e-13)
		near(t, tt.name+": DF", e.DF, tt.slope.DF, 0)
		near(t, tt.name+": r1", Autocorrelation(tt.ys), tt.r1, 1e-13)
	}
}

// What a line of decimals leaves is rounding, not residual.
func TestSlopeOfDecimalsHasNoResidual(t *testing.T) {
	for _, ys := range [][]float64{{.1, .2, .3, .4, .5, .6, .7}, {-3.3, -2.2, -1.1, 0, 1.1, 2.2, 3.3}} {
		if e := Slope(ys); e.SE != 0 {
			t.Errorf("slope of %v: %+v, want SE 0", ys, e)
		}
	}
}

func TestEffectiveN(t *testing.T) {
	for _, tt := range []struct {
		n       int
		r, want float64
	}{{20, 0, 20}, {20, .5, 20. / 3}, {20, -.4, 20}, {20, 1, 1}, {1, .3, 1}, {3, .9, 1}} {
		near(t, "effective n", EffectiveN(tt.n, tt.r), tt.want, 1e-12)
	}
}
