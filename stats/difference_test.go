package stats

import (
	"fmt"
	"testing"
)

// Newcombe (1998b), Table II, at 95 %, to four digits.
func TestDifferenceOracles(t *testing.T) {
	for _, tt := range []struct {
		head, base Count
		low, high  float64
	}{
		{Count{56, 70}, Count{48, 80}, .0524, .3339},
		{Count{9, 10}, Count{3, 10}, .1705, .8090},
		{Count{6, 7}, Count{2, 7}, .0582, .8062},
		{Count{5, 56}, Count{0, 29}, -.0381, .1926},
		{Count{0, 10}, Count{0, 20}, -.1611, .2775},
		{Count{0, 10}, Count{0, 10}, -.2775, .2775},
		{Count{10, 10}, Count{0, 20}, .6791, 1},
		{Count{10, 10}, Count{0, 10}, .6075, 1},
		{Count{12, 20}, Count{20, 20}, -.6134, -.1575},
		{Count{190, 200}, Count{200, 200}, -.0896, -.0206},
	} {
		name := fmt.Sprintf("%g/%g - %g/%g", tt.head.K, tt.head.N, tt.base.K, tt.base.N)
		nearInterval(t, name, newcombe(tt.base, tt.head, .95), tt.low, tt.high, 6e-5)
	}
	// statsmodels 0.15.0: confint_proportions_2indep(17, 40, 30, 45, compare="diff", method="newcomb").
	nearInterval(t, "17/40 - 30/45", newcombe(Count{30, 45}, Count{17, 40}, .95), -0.4258200675288371, -0.03017450379605746, 1e-12)
}

func TestDifferencesMirror(t *testing.T) {
	for k1 := 0.; k1 <= 9; k1++ {
		for k2 := 0.; k2 <= 6; k2++ {
			iv, swapped := newcombe(Count{k1, 9}, Count{k2, 6}, .9), newcombe(Count{k2, 6}, Count{k1, 9}, .9)
			nearInterval(t, fmt.Sprintf("%g/9 %g/6", k1, k2), iv, -swapped.High, -swapped.Low, 1e-10)
			failed := newcombe(Count{9 - k1, 9}, Count{6 - k2, 6}, .9)
			nearInterval(t, fmt.Sprintf("failures %g/9 %g/6", k1, k2), iv, -failed.High, -failed.Low, 1e-10)
			if iv.Low < -1 || iv.High > 1 {
				t.Errorf("beyond [-1, 1]: %+v", iv)
			}
		}
	}
}
