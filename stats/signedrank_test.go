package stats

import (
	"math"
	"testing"
)

func TestSignedRankOracles(t *testing.T) {
	depression := []float64{1.83, .50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30}
	for i, y := range []float64{.878, .647, .598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29} {
		depression[i] -= y
	}
	thinned := make([]float64, 250)
	for i := range thinned {
		thinned[i] = float64(i*97%251)/10 - 11.3
	}
	for _, tt := range []struct {
		name       string
		d          []float64
		confidence float64
		estimate   float64
		low, high  float64
		tol        float64
	}{
		// R 4.2.2: wilcox.test(x, y, paired = TRUE, conf.int = TRUE), the data of
		// Hollander and Wolfe (1973), page 29.
		{"Hollander-Wolfe", depression, .95, 0.46, 0.010, 0.786, 1e-12},
		// Chromium's cabe/go/stats tests.
		{"cabe", []float64{206, 224, 510, -665, -103, -567}, .95, -77.5, -665, 510, 1e-12},
		// R: wilcox.test(b - a[1:6], conf.int = TRUE, conf.level = .9).
		{"six", []float64{-.2, 2.4, 6.1, .7, 3.1, 3.4}, .9, 2.75, .7, 4.6, 1e-12},
		// exactRankTests 0.8-35: wilcox.exact(d), alternative = "greater"; it drops the zero.
		{"ties and a zero", []float64{1, -1, 2, 2, -3, 4, 4, 5, 0, 6}, .95, 2, math.NaN(), math.NaN(), 1e-15},
		// R: wilcox.test(((0:249) * 97) %% 251 / 10 - 11.3, exact = FALSE, correct = TRUE).
		{"normal approximation", thinned, .95, math.NaN(), math.NaN(), math.NaN(), 1e-13},
		{"too few for 95 %", []float64{1, 2, 3, 4, 5}, .95, 3, math.Inf(-1), inf, 0},
		{"all zero", []float64{0, 0, 0, 0, 0, 0}, .95, 0, 0, 0, 0},
		{"one", []float64{2}, .5, 2, math.Inf(-1), inf, 0},
	} {
		iv := SignedRank(tt.d, tt.confidence)
		sound(t, tt.name, iv)
		for _, row := range []struct {
			what      string
			got, want float64
		}{
			{"estimate", iv.Estimate, tt.estimate}, {"low", iv.Low, tt.low}, {"high", iv.High, tt.high},
		} {
			if !math.IsNaN(row.want) { // NaN: the source gives none
				near(t, tt.name+": "+row.what, row.got, row.want, tt.tol)
			}
		}
	}
}

// R 4.2.2: psignrank(0:3, 6).
func TestSignedRankDistribution(t *testing.T) {
	cumulative := 0.0
	p := signedRankDistribution([]int{1, 2, 3, 4, 5, 6})
	for s, want := range []float64{.015625, .03125, .046875, .078125} {
		cumulative += p[s]
		near(t, "psignrank", cumulative, want, 1e-15)
	}
}

// The normal cut continues the exact one where they meet.
func TestSignedRankCutIsContinuous(t *testing.T) {
	for _, tail := range []float64{.05, .025, .005} {
		exact, normal := signedRankCut(exactSignedRank, tail), signedRankCut(exactSignedRank+1, tail)
		step := float64(exactSignedRank) / 2 // the mean moves by n/2
		if gap := float64(normal - exact); gap < 0.5*step || gap > 1.1*step {
			t.Errorf("tail %g: cut %d at %d, %d at one more", tail, exact, exactSignedRank, normal)
		}
	}
}

// Beyond the exact distribution the cut is that of the normal approximation with
// continuity correction: on average it is off by less than one rank against the
// exact one, which it is not without the correction.
func TestSignedRankCutAgainstTheExactOne(t *testing.T) {
	off, cuts := 0, 0
	for n := exactSignedRank + 1; n <= exactSignedRank+40; n += 3 {
		ranks := make([]int, n)
		for i := range ranks {
			ranks[i] = i + 1
		}
		p := signedRankDistribution(ranks)
		for _, tail := range []float64{.1, .05, .025, .01} {
			exact := lowerCut(p, tail, n*(n+1)/4)
			off += signedRankCut(n, tail) - exact
			cuts++
		}
	}
	if off < -cuts || off > cuts {
		t.Errorf("%d cuts are off by %d in all, want less than one each", cuts, off)
	}
}
