package stats

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// A short run of nights that is noisier than the rest has a mean of its own by
// chance, which a noise shared by all nights would take for a step.
const (
	unevenWindow = 10   // nights that the noise around a short run is taken from, at least
	unevenLevel  = 0.05 // of the test that finds them noisier
	unevenPlaces = 20   // splits in such a window that could have been the best
	trimmedNoise = 2    // of normal values, what leaving the largest out takes from the variance
)

// unevenP is a bound for the chance of so large a shift between xs[from:to] and the
// other values where the nights of the smaller part, or those around it, are noisier
// than the rest; 0 where they are not. r is the autocorrelation of the nights.
//
// The window is the smaller part and as many neighbours as make 10. Its variance is
// taken without the largest deviation, because one bad night is not a noisy week.
// Where an F test at 0.05 finds it larger than that of the others, Welch's error of
// the shift decides, with Student's t of the window's degrees of freedom.
func (s splitSearch) unevenP(from, to int, r float64) float64 {
	n := len(s.deviations)
	inside := to - from
	if 2*inside > n && from == 0 { // a split whose shorter side is the right one
		from, to, inside = to, n, n-to
	}
	lo, hi := from, to
	for hi-lo < min(unevenWindow, n-leastSegment) {
		if lo > 0 {
			lo--
		}
		if hi < n && hi-lo < unevenWindow {
			hi++
		}
	}
	if n-(hi-lo) < leastSegment {
		return 0 // hardly a value to hold them against
	}
	sum := 0.0
	for _, d := range s.deviations[from:to] {
		sum += d
	}
	within, beside := sum/float64(inside), -sum/float64(n-inside)
	var around, rest, largest float64
	for i, d := range s.deviations {
		if i >= from && i < to {
			d -= within
		} else {
			d -= beside
		}
		if d *= d; i >= lo && i < hi {
			around, largest = around+d, max(largest, d)
		} else {
			rest += d
		}
	}
	dfAround, dfRest := float64(hi-lo-2), float64(n-(hi-lo)-1)
	around, rest = (around-largest)/dfAround, rest/dfRest
	if rest == 0 || (distuv.F{D1: dfAround, D2: dfRest}).Survival(around/rest) > unevenLevel {
		return 0
	}
	se := math.Sqrt((trimmedNoise*around/float64(inside) + rest/float64(n-inside)) * (1 + r) / (1 - r))
	t := Estimate{Theta: -math.Abs(within - beside), SE: se, DF: dfAround}
	return min(1, unevenPlaces*2*t.PBelow(0))
}
