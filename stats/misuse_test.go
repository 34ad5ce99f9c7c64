package stats

import (
	"math"
	"testing"
)

// Misuse panics and says whose fault it is. A function added to the package
// without its checks fails here only if it is added here too.
func TestMisusePanics(t *testing.T) {
	nan, few := math.NaN(), []float64{1, 2}
	samples := map[string]func(xs []float64){
		"PairedT":          func(xs []float64) { PairedT(xs) },
		"Welch":            func(xs []float64) { Welch(xs, few) },
		"Median":           func(xs []float64) { Median(xs) },
		"Quantile":         func(xs []float64) { Quantile(xs, .5) },
		"MAD":              func(xs []float64) { MAD(xs) },
		"HarrellDavis":     func(xs []float64) { HarrellDavis(xs, .5) },
		"QuantileInterval": func(xs []float64) { QuantileInterval(xs, .5, .9) },
		"SignedRank":       func(xs []float64) { SignedRank(xs, .9) },
		"Autocorrelation":  func(xs []float64) { Autocorrelation(xs) },
		"Slope":            func(xs []float64) { Slope(xs) },
	}
	for name, f := range samples {
		expectPanic(t, "stats: "+name+": empty", func() { f(nil) })
		expectPanic(t, "stats: "+name+": NaN", func() { f([]float64{1, nan, 2}) })
	}
	for _, name := range []string{"PairedT", "Welch", "SignedRank", "Autocorrelation", "Slope"} {
		expectPanic(t, "stats: "+name+": values must be finite", func() { samples[name]([]float64{1, inf}) })
		expectPanic(t, "stats: "+name+": values must be finite", func() { samples[name]([]float64{1, -1e200}) })
	}
	for _, name := range []string{"Median", "Quantile", "MAD", "HarrellDavis", "QuantileInterval"} {
		expectPanic(t, "stats: "+name+": -Inf", func() { samples[name]([]float64{1, -inf}) })
	}

	half := Count{5, 10}
	for name, f := range map[string]func(c Count){
		"Fisher":           func(c Count) { Fisher(half, c) },
		"Boschloo":         func(c Count) { Boschloo(c, half) },
		"ICC":              func(c Count) { ICC([]Count{half, c}) },
		"DeflatedNewcombe": func(c Count) { DeflatedNewcombe([]Count{half}, []Count{half, c}) },
	} {
		for _, c := range []Count{{0, 0}, {-1, 5}, {6, 5}, {nan, 5}, {1, nan}, {1, inf}, {inf, inf}} {
			expectPanic(t, "stats: "+name+": a count needs", func() { f(c) })
		}
	}
	for name, f := range map[string]func(c Count){
		"Fisher":   func(c Count) { Fisher(half, c) },
		"Boschloo": func(c Count) { Boschloo(half, c) },
	} {
		for _, c := range []Count{{.5, 1}, {1, 1.5}, {1, 1e7}} {
			expectPanic(t, "stats: "+name+": an exact test needs", func() { f(c) })
		}
	}

	for _, confidence := range []float64{0, 1, -1, nan} {
		for name, f := range map[string]func(){
			"QuantileInterval":        func() { QuantileInterval(few, .5, confidence) },
			"SignedRank":              func() { SignedRank(few, confidence) },
			"RateDifference.Interval": func() { RateDifference{}.Interval(confidence) },
			"TrialsForRate":           func() { TrialsForRate(.9, 10, 0, .02, confidence) },
		} {
			expectPanic(t, "stats: "+name+": confidence", f)
		}
		expectPanic(t, "stats: QuantileInterval: q must", func() { QuantileInterval(few, confidence, .9) })
	}
	for _, q := range []float64{-.1, 1.1, nan} {
		expectPanic(t, "stats: Quantile: q must", func() { Quantile(few, q) })
		expectPanic(t, "stats: HarrellDavis: q must", func() { HarrellDavis(few, q) })
	}
	for prefix, f := range map[string]func(){
		"stats: ICC: no trials":                func() { ICC(nil) },
		"stats: DeflatedNewcombe: no trials":   func() { DeflatedNewcombe([]Count{half}, nil) },
		"stats: TrialsForRate: want":           func() { TrialsForRate(1.1, 10, 0, .02, .9) },
		"stats: EffectiveN: want n":            func() { EffectiveN(0, 0) },
		"stats: EffectiveN: want n >= 1 and r": func() { EffectiveN(3, nan) },
	} {
		expectPanic(t, prefix, f)
	}
}
