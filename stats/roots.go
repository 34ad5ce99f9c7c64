package stats

import "math"

// increasingRoot returns x in [low, high] where the increasing function f
// crosses zero, to a relative accuracy of about tolerance, by regula falsi with
// the Illinois correction, bisecting whenever that is slow. If f has one sign
// on the whole interval it returns the end nearer to the crossing.
func increasingRoot(f func(float64) float64, low, high, tolerance float64) float64 {
	fLow, fHigh := f(low), f(high)
	if fLow >= 0 {
		return low
	}
	if fHigh <= 0 {
		return high
	}
	side := 0
	for i := 0; high-low > tolerance*(math.Abs(low)+math.Abs(high)); i++ {
		x := low - fLow*(high-low)/(fHigh-fLow)
		if i%4 == 3 || !(x > low && x < high) {
			x = low + (high-low)/2
			side = 0
		}
		if x == low || x == high {
			break
		}
		switch y := f(x); {
		case y == 0:
			return x
		case y < 0:
			low, fLow = x, y
			if side == -1 {
				fHigh /= 2
			}
			side = -1
		default:
			high, fHigh = x, y
			if side == 1 {
				fLow /= 2
			}
			side = 1
		}
	}
	return low + (high-low)/2
}
