package stats

import (
	"fmt"
	"math"
	"testing"
)

// Newcombe (1998b), Table II, at 95 %; the last three by SciPy 1.17.1, the
// restricted likelihood maximised by minimize_scalar and z = ±1.959963984540054
// solved by brentq. To four digits.
func TestDifferenceOracles(t *testing.T) {
	none := math.NaN()
	for _, tt := range []struct {
		head, base                                                Count
		newcombeLow, newcombeHigh, meeLow, meeHigh, mnLow, mnHigh float64
	}{
		{Count{56, 70}, Count{48, 80}, .0524, .3339, .0533, .3377, .0528, .3382},
		{Count{9, 10}, Count{3, 10}, .1705, .8090, .1821, .8370, .1700, .8406},
		{Count{6, 7}, Count{2, 7}, .0582, .8062, .0544, .8478, .0342, .8534},
		{Count{5, 56}, Count{0, 29}, -.0381, .1926, -.0313, .1926, -.0326, .1933},
		{Count{0, 10}, Count{0, 20}, -.1611, .2775, -.1611, .2775, -.1658, .2844},
		{Count{0, 10}, Count{0, 10}, -.2775, .2775, -.2775, .2775, -.2879, .2879},
		{Count{10, 10}, Count{0, 20}, .6791, 1, .7225, 1, .7156, 1},
		{Count{10, 10}, Count{0, 10}, .6075, 1, .6777, 1, .6636, 1},
		{Count{12, 20}, Count{20, 20}, -.6134, -.1575, -.6134, -.2105, -.6159, -.2064},
		{Count{16, 20}, Count{20, 20}, none, none, -.4160, -.0230, -.4190, -.0191},
		{Count{190, 200}, Count{200, 200}, -.0896, -.0206, -.0896, -.0274, -.0896, -.0274},
	} {
		name := fmt.Sprintf("%g/%g - %g/%g ", tt.head.K, tt.head.N, tt.base.K, tt.base.N)
		if !math.IsNaN(tt.newcombeLow) {
			nearInterval(t, name+"Newcombe", Newcombe(tt.base, tt.head, .95), tt.newcombeLow, tt.newcombeHigh, 6e-5)
		}
		nearInterval(t, name+"Mee", Mee(tt.base, tt.head, .95), tt.meeLow, tt.meeHigh, 6e-5)
		nearInterval(t, name+"Miettinen-Nurminen", MiettinenNurminen(tt.base, tt.head, .95), tt.mnLow, tt.mnHigh, 6e-5)
	}
	head, base := Count{17, 40}, Count{30, 45}
	// statsmodels 0.15.0: confint_proportions_2indep(17, 40, 30, 45, compare="diff", method="newcomb").
	nearInterval(t, "Newcombe", Newcombe(base, head, .95), -0.4258200675288371, -0.03017450379605746, 1e-12)
	// SciPy 1.17.1: the restricted likelihood maximised by minimize_scalar and z
	// = ±1.959963984540054 solved by brentq. (statsmodels' method="score" is
	// off in the third digit.)
	nearInterval(t, "Miettinen-Nurminen", MiettinenNurminen(base, head, .95), -0.43448769228985, -0.0286918137755, 1e-8)
	nearInterval(t, "Mee", Mee(base, head, .95), -0.433453793728, -0.029954000347, 1e-8)
}

func TestScoreZ(t *testing.T) {
	all := Count{200, 200}
	near(t, "margin 0.02", ScoreZ(all, all, -.02), .02/math.Sqrt(.98*.02/200*400/399), 1e-6) // fitted rates 0.98 and 1
	for _, tt := range []struct {
		base, head  Count
		delta, want float64
	}{
		{all, all, 0, 0},
		{Count{0, 10}, Count{0, 20}, 0, 0},
		{Count{0, 10}, Count{10, 10}, 1, 0},
		{Count{0, 10}, Count{10, 10}, -1, inf},
		{Count{5, 10}, Count{5, 10}, 1, math.Inf(-1)},
		{Count{0.5, 0.5}, Count{0, 0.5}, 0, 0}, // less than one observation
	} {
		near(t, "z", ScoreZ(tt.base, tt.head, tt.delta), tt.want, 1e-12)
	}
	// Under the null of no difference it is the pooled z but for N/(N-1).
	base, head := Count{30, 45}, Count{17, 40}
	near(t, "pooled", ScoreZ(base, head, 0), pooledZ(base, head)*math.Sqrt(84./85), 1e-12)
	last := inf
	for delta := -1.; delta <= 1; delta += 0.01 {
		z := ScoreZ(base, head, min(delta, 1))
		if z > last {
			t.Errorf("z rises to %g at delta %g", z, delta)
		}
		last = z
	}
}

func TestDifferencesMirror(t *testing.T) {
	for name, f := range map[string]func(_, _ Count, _ float64) Interval{
		"Newcombe": Newcombe, "Mee": Mee, "Miettinen-Nurminen": MiettinenNurminen,
	} {
		for k1 := 0.; k1 <= 9; k1++ {
			for k2 := 0.; k2 <= 6; k2++ {
				iv, swapped := f(Count{k1, 9}, Count{k2, 6}, .9), f(Count{k2, 6}, Count{k1, 9}, .9)
				nearInterval(t, fmt.Sprintf("%s %g/9 %g/6", name, k1, k2), iv, -swapped.High, -swapped.Low, 1e-10)
				failed := f(Count{9 - k1, 9}, Count{6 - k2, 6}, .9)
				nearInterval(t, fmt.Sprintf("%s failures %g/9 %g/6", name, k1, k2), iv, -failed.High, -failed.Low, 1e-10)
				if iv.Low < -1 || iv.High > 1 {
					t.Errorf("%s: beyond [-1, 1]: %+v", name, iv)
				}
			}
		}
	}
}
