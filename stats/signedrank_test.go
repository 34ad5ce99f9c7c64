package stats

import "testing"

// R 4.2.2: wilcox.test(x, y, paired = TRUE, conf.int = TRUE), the data of
// Hollander and Wolfe (1973), page 29; and the example of Chromium's cabe.
func TestSignedRankOracles(t *testing.T) {
	x := []float64{1.83, .50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30}
	y := []float64{.878, .647, .598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29}
	for i := range x {
		x[i] -= y[i]
	}
	iv, test := SignedRank(x, 0.95)
	near(t, "V", test.Statistic, 40, 0)
	near(t, "two-sided", test.TwoSided, 0.0390625, 1e-15)
	near(t, "greater", test.Greater, 0.01953125, 1e-15)
	near(t, "estimate", iv.Estimate, 0.46, 1e-12)
	near(t, "low", iv.Low, 0.010, 1e-12)
	near(t, "high", iv.High, 0.786, 1e-12)

	iv, test = SignedRank([]float64{206, 224, 510, -665, -103, -567}, 0.95)
	near(t, "two-sided", test.TwoSided, 0.84375, 1e-15)
	near(t, "estimate", iv.Estimate, -77.5, 0)
	near(t, "low", iv.Low, -665, 0)
	near(t, "high", iv.High, 510, 0)
}
