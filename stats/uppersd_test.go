package stats

import (
	"math"
	"testing"
)

// Against the quantiles of χ² as printed tables have them.
func TestUpperSD(t *testing.T) {
	for _, c := range []struct{ df, confidence, quantile float64 }{
		{1, 0.8, 0.064185},
		{5, 0.8, 2.3425},
		{15, 0.8, 10.307},
		{100, 0.95, 77.929},
	} {
		want := 2 * math.Sqrt(c.df/c.quantile)
		if got := UpperSD(2, c.df, c.confidence); math.Abs(got-want) > 1e-4*want {
			t.Errorf("df %v, %v: %v, want %v", c.df, c.confidence, got, want)
		}
	}
}
