package stats

import "math"

// The rule for input, the same in every function of the package: a NaN is
// misuse and panics, and so does an empty sample. Functions that only rank or
// order their values take +Inf for a measurement that never ended, such as a
// failed request; functions that average refuse it.

// largest is the bound on values that get squared: beyond it a sum of squares
// overflows and an infinity minus an infinity would be a NaN.
const largest = 1e150

// checkSample panics unless xs is a sample that can be ordered.
func checkSample(fn string, xs []float64) {
	if len(xs) == 0 {
		panic("stats: " + fn + ": empty sample")
	}
	for _, x := range xs {
		if math.IsNaN(x) {
			panic("stats: " + fn + ": NaN in the sample")
		}
	}
}

// checkUpward panics unless xs can be ordered and interpolated: the mean of
// -Inf and +Inf is nowhere.
func checkUpward(fn string, xs []float64) {
	checkSample(fn, xs)
	for _, x := range xs {
		if math.IsInf(x, -1) {
			panic("stats: " + fn + ": -Inf in the sample")
		}
	}
}

// checkFinite panics unless xs is a sample that can be averaged.
func checkFinite(fn string, xs []float64) {
	checkSample(fn, xs)
	for _, x := range xs {
		if math.Abs(x) > largest {
			panic("stats: " + fn + ": values must be finite, at most 1e150 in size")
		}
	}
}

func checkConfidence(fn string, confidence float64) {
	if !(confidence > 0 && confidence < 1) {
		panic("stats: " + fn + ": confidence must lie between 0 and 1")
	}
}
