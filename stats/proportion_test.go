package stats

import "testing"

// Wilson and Clopper-Pearson at 95 %: Newcombe (1998a), Table I, and R 4.2.2's
// prop.test(k, n, correct = FALSE) and binom.test(k, n).
func TestProportionOracles(t *testing.T) {
	for _, tt := range []struct {
		c                                              Count
		wilsonLow, wilsonHigh, pearsonLow, pearsonHigh float64
	}{
		{Count{0, 10}, 0, .277533, 0, .308497},
		{Count{81, 263}, .255289, .366210, .252737, .367622},
		{Count{15, 148}, .062386, .160487, .057844, .161650},
		{Count{0, 20}, 0, .161125, 0, .168433},
		{Count{1, 29}, .006113, .171755, .000873, .177644},
		{Count{12, 20}, .386582, .781193, .360543, .808810},
		{Count{20, 20}, .838875, 1, .831567, 1},
		{Count{19, 20}, .763869, .991119, .751267, .998735},
	} {
		nearInterval(t, "Wilson", Wilson(tt.c, .95), tt.wilsonLow, tt.wilsonHigh, 6e-7)
		nearInterval(t, "Clopper-Pearson", ClopperPearson(tt.c, .95), tt.pearsonLow, tt.pearsonHigh, 6e-7)
	}
	// R: prop.test(7, 23, correct = FALSE, conf.level = .9), binom.test(7, 23,
	// conf.level = .9); statsmodels 0.15.0's proportion_confint gives the same.
	nearInterval(t, "7/23", Wilson(Count{7, 23}, .9), 0.174249078145929, 0.475631889511025, 1e-14)
	nearInterval(t, "7/23", ClopperPearson(Count{7, 23}, .9), 0.152479687429677, 0.496435083714063, 1e-13)
	// R: binom.test(999990, 1000000).
	nearInterval(t, "large", ClopperPearson(Count{999990, 1e6}, .95), 0.999981609721109, 0.999995204601222, 1e-13)
}

// Swapping success and failure mirrors both intervals.
func TestProportionsMirror(t *testing.T) {
	for n := 1.; n <= 30; n++ {
		for k := 0.; k <= n; k++ {
			for name, f := range map[string]func(Count, float64) Interval{"Wilson": Wilson, "Clopper-Pearson": ClopperPearson} {
				iv, mirrored := f(Count{k, n}, .9), f(Count{n - k, n}, .9)
				nearInterval(t, name, iv, 1-mirrored.High, 1-mirrored.Low, 1e-12)
				if iv.Low < 0 || iv.High > 1 || (k == 0) != (iv.Low == 0) || (k == n) != (iv.High == 1) {
					t.Errorf("%s of %g/%g: %+v", name, k, n, iv)
				}
			}
		}
	}
}
