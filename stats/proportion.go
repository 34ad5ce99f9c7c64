package stats

import (
	"fmt"
	"math"
)

// A Count is K successes out of N. Both may be fractional where a function
// works on effective counts; the exact tests want whole ones.
type Count struct{ K, N float64 }

// Rate returns K/N.
func (c Count) Rate() float64 { return c.K / c.N }

// wilsonLimits is the score interval with critical value z, which may be a t.
func wilsonLimits(c Count, z float64) (low, high float64) {
	p, z2 := c.Rate(), z*z
	if math.IsInf(z2, 1) {
		return 0, 1
	}
	scale := c.N + z2
	centre := (c.K + z2/2) / scale
	half := z * math.Sqrt(c.N*p*(1-p)+z2/4) / scale
	low, high = max(0, min(centre-half, p)), min(1, max(centre+half, p))
	// The ends are exact; the formula leaves 1e-17 there.
	if c.K == 0 {
		low = 0
	}
	if c.K == c.N {
		high = 1
	}
	return low, high
}

func checkCount(fn string, c Count) {
	if !(c.K >= 0 && c.K <= c.N && c.N > 0) || math.IsInf(c.N, 1) {
		panic("stats: " + fn + ": a count needs 0 <= K <= N and N > 0, both finite")
	}
}

// checkWholeCount is checkCount for the exact tests, which enumerate.
func checkWholeCount(fn string, c Count, most int) {
	checkCount(fn, c)
	if c.K != math.Trunc(c.K) || c.N != math.Trunc(c.N) || c.N > float64(most) {
		panic(fmt.Sprintf("stats: %s: an exact test needs whole counts, at most %d", fn, most))
	}
}
