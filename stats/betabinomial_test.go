package stats

import (
	"math"
	"math/rand/v2"
	"testing"
)

// scipy 1.17.1. One new trial and rho 0: stats.betabinom.cdf(17, 20, 190.5, 10.5) and .sf(16, ...)
// after 190 of 200, and .pmf(20, 20, 200.5, .5) after 200 of 200. Overdispersed:
// scipy.integrate.quad over p = sin²θ of prod(betabinom.pmf(k, n, p*M, (1-p)*M)) *
// beta.pdf(p, .5, .5), M = (1-rho)/rho, times p, and times the sums to 88 and from
// 88 of convolve(betabinom.pmf(arange(51), 50, p*M, (1-p)*M), the same).
func TestPredictRate(t *testing.T) {
	for _, c := range []struct {
		name             string
		baseline, recent []Count
		rho              float64
		fewer, more      float64
		rate             float64
	}{
		{"190 of 200, then 17 of 20", []Count{{190, 200}}, []Count{{17, 20}}, 0, 0.09235152352814302, 0.9758195384380918, 190.5 / 201},
		{"in trials", []Count{{95, 100}, {50, 50}, {45, 50}}, []Count{{17, 20}}, 0, 0.09235152352814302, 0.9758195384380918, 190.5 / 201},
		{"200 of 200, then 20 of 20", []Count{{200, 200}}, []Count{{20, 20}}, 0, 1, 0.9535167646410956, 200.5 / 201},
		{"overdispersed", []Count{{50, 50}, {47, 50}, {50, 50}, {44, 50}, {49, 50}}, []Count{{40, 50}, {48, 50}}, .08, 0.12121957300620563, 0.899568838702468, 0.9495010908905758},
		{"no baseline, then 1 of 1", nil, []Count{{1, 1}}, 0, 1, .5, .5},
	} {
		got := PredictRate(c.baseline, c.recent, c.rho, .9)
		expectClose(t, c.name, []float64{got.PFewer, got.PMore, got.Rate.Estimate}, []float64{c.fewer, c.more, c.rate}, 1e-7)
		if iv := got.Rate; !(0 <= iv.Low && iv.Low <= iv.Estimate && iv.Estimate <= iv.High && iv.High <= 1 && iv.Confidence == .9) {
			t.Errorf("%s: interval %+v", c.name, iv)
		}
	}
	// The limits leave 5 % or less on either side: the chance of 17 or fewer is .092.
	if iv := PredictRate([]Count{{190, 200}}, []Count{{17, 20}}, 0, .9).Rate; iv.Low != 17./20 || iv.High != 1 {
		t.Errorf("interval %+v, want .85 to 1", iv)
	}
}

// Sessions of an unchanged server are as low as PFewer says, or lower, in no
// more than that share of cases.
func TestPredictRateIsCalibrated(t *testing.T) {
	rng := rand.New(rand.NewPCG(10, 1))
	studies, rho, low := shorter(t, 400, 60), .05, 0
	for range studies {
		rate := .85 + .1*rng.Float64()
		draw := func(trials int) (counts []Count) {
			for range trials {
				counts = append(counts, Count{K: betaBinomialDraw(rng, 30, rate, rho), N: 30})
			}
			return counts
		}
		if PredictRate(draw(16), draw(4), rho, .9).PFewer <= .05 {
			low++
		}
	}
	if share := float64(low) / float64(studies); share > .05+3*math.Sqrt(.05*.95/float64(studies)) || low == 0 {
		t.Errorf("PFewer <= .05 in %v of sessions", share)
	}
}

// betaBinomialDraw draws by the urn of Pólya: each request repeats an earlier
// one with a chance that grows with rho.
func betaBinomialDraw(rng *rand.Rand, n int, rate, rho float64) float64 {
	a, b, k := rate*(1-rho)/rho, (1-rate)*(1-rho)/rho, 0.0
	for i := range n {
		if rng.Float64() < (a+k)/(a+b+float64(i)) {
			k++
		}
	}
	return k
}

func TestPredictRateAtTheEdges(t *testing.T) {
	worst := PredictRate([]Count{{1e4, 1e4}, {1e4, 1e4}}, []Count{{0, 100}}, 0, .95)
	if !(worst.PFewer >= 0 && worst.PFewer < 1e-12 && worst.PMore == 1 && worst.Rate.Low >= .99) {
		t.Errorf("all, then none: %+v", worst)
	}
	// rho so small that it makes no difference makes none.
	a := PredictRate([]Count{{48, 50}, {50, 50}}, []Count{{45, 50}}, 0, .95)
	for _, rho := range []float64{1e-300, 1e-8, 1e-7} {
		b := PredictRate([]Count{{48, 50}, {50, 50}}, []Count{{45, 50}}, rho, .95)
		expectClose(t, "tiny rho", []float64{b.PFewer, b.PMore}, []float64{a.PFewer, a.PMore}, 1e-4)
	}
	almost := PredictRate([]Count{{50, 50}, {0, 50}}, []Count{{25, 50}}, .999999, .95)
	if math.IsNaN(almost.PFewer + almost.PMore + almost.Rate.Estimate + almost.Rate.Low + almost.Rate.High) {
		t.Errorf("rho next to 1: %+v", almost)
	}
	const prefix = "stats: PredictRate: "
	one := []Count{{1, 2}}
	expectPanic(t, prefix, func() { PredictRate(one, nil, 0, .9) })
	expectPanic(t, prefix, func() { PredictRate(one, one, 1, .9) })
	expectPanic(t, prefix, func() { PredictRate(one, one, math.NaN(), .9) })
	expectPanic(t, prefix, func() { PredictRate(one, one, 0, 1) })
	for _, bad := range []Count{{-1, 2}, {3, 2}, {0, 0}, {math.NaN(), 2}, {1, math.Inf(1)}} {
		expectPanic(t, prefix, func() { PredictRate([]Count{bad}, one, 0, .9) })
		expectPanic(t, prefix, func() { PredictRate(one, []Count{bad}, 0, .9) })
	}
	expectPanic(t, prefix, func() { PredictRate(one, []Count{{1.5, 2}}, 0, .9) })
	expectPanic(t, prefix, func() { PredictRate(one, []Count{{1, 20000}}, 0, .9) })
}

// Budget: 200 ms for 20 stored sessions of 6 trials and a new one.
func BenchmarkPredictRate(b *testing.B) {
	rng := rand.New(rand.NewPCG(10, 2))
	var baseline, recent []Count
	for i := range 126 {
		c := Count{K: betaBinomialDraw(rng, 100, .95, .05), N: 100}
		if i < 120 {
			baseline = append(baseline, c)
		} else {
			recent = append(recent, c)
		}
	}
	for b.Loop() {
		PredictRate(baseline, recent, .05, .95)
	}
}
