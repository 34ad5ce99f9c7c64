package stats

import "testing"

// Wilson's limits at 95 %: Newcombe (1998a), Table I, and R 4.2.2's
// prop.test(k, n, correct = FALSE).
func TestProportionOracles(t *testing.T) {
	wilson := func(c Count, confidence float64) Interval {
		low, high := wilsonLimits(c, twoSidedZ(confidence))
		return Interval{Estimate: c.Rate(), Low: low, High: high, Confidence: confidence}
	}
	for _, tt := range []struct {
		c         Count
		low, high float64
	}{
		{Count{0, 10}, 0, .277533},
		{Count{81, 263}, .255289, .366210},
		{Count{15, 148}, .062386, .160487},
		{Count{0, 20}, 0, .161125},
		{Count{1, 29}, .006113, .171755},
		{Count{12, 20}, .386582, .781193},
		{Count{20, 20}, .838875, 1},
		{Count{19, 20}, .763869, .991119},
	} {
		nearInterval(t, "Wilson", wilson(tt.c, .95), tt.low, tt.high, 6e-7)
	}
	// R: prop.test(7, 23, correct = FALSE, conf.level = .9); statsmodels 0.15.0's
	// proportion_confint gives the same.
	nearInterval(t, "7/23", wilson(Count{7, 23}, .9), 0.174249078145929, 0.475631889511025, 1e-14)

	// Swapping success and failure mirrors the interval.
	for n := 1.; n <= 30; n++ {
		for k := 0.; k <= n; k++ {
			iv, mirrored := wilson(Count{k, n}, .9), wilson(Count{n - k, n}, .9)
			nearInterval(t, "mirrored", iv, 1-mirrored.High, 1-mirrored.Low, 1e-12)
			if iv.Low < 0 || iv.High > 1 || (k == 0) != (iv.Low == 0) || (k == n) != (iv.High == 1) {
				t.Errorf("%g/%g: %+v", k, n, iv)
			}
		}
	}
}
