package stats

import (
	"math"
	"testing"
)

func TestKolmogorovSmirnovOracles(t *testing.T) {
	longer := []float64{.61, .29, .06, .59, -1.73, -.74, .51, -.56, .39, 1.64, .05, -.06, .64, -.82, .37, 1.77,
		1.09, -1.28, 2.36, 1.31, 1.05, -.32, -.40, 1.06, -2.47}
	for _, tt := range []struct {
		name       string
		base, head []float64
		d, p       float64
	}{
		// R 4.2.2: ks.test(longer, shorter, exact = TRUE).
		{"25 against 8", longer, []float64{1.2, .4, .9, 2.1, 1.7, .1, 1.4, .8}, .47, .100682245},
		// R 4.2.2: ks.test(x, y, exact = TRUE), which conditions on the ties.
		{"ties", tiedX, tiedY, 0.444444444444444, 0.172768408062529},
		{"all tied", []float64{1, 1}, []float64{1, 1, 1}, 0, 1},
		{"apart", []float64{1, 2, 3, 4}, []float64{5, 6, 7}, 1, 2. / 35},
		{"one each, infinite", []float64{math.Inf(-1)}, []float64{inf}, 1, 1},
	} {
		d, p := KolmogorovSmirnov(tt.base, tt.head)
		near(t, tt.name+": d", d, tt.d, 1e-12)
		near(t, tt.name+": p", p, tt.p, 5e-10)
		if d2, p2 := KolmogorovSmirnov(tt.head, tt.base); d2 != d || math.Abs(p2-p) > 1e-12 {
			t.Errorf("%s: swapped gives %g, %g", tt.name, d2, p2)
		}
	}
}
