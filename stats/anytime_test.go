package stats

import (
	"math"
	"math/rand/v2"
	"testing"
)

// The Bayes factor by scipy 1.17.1, with d the effect over σ:
//
//	quad(lambda d: nct.pdf(t, nu, d*sqrt(nu+1)) * norm.pdf(d, scale=1/2), -6, 6,
//	     points=[0, t/sqrt(nu+1)], epsabs=1e-16, epsrel=1e-11)[0] / t.pdf(t, nu)
func TestEValue(t *testing.T) {
	for _, c := range []struct{ t, nu, want float64 }{
		{0, 5, 0.6324555320336761},
		{2.5, 5, 2.1345374206136563},
		{-4, 9, 11.33804548208217},
		{6, 9, 36.970038624050346},
		{1, 19, 0.6248250487532143},
		{5, 19, 249.35359903168734},
	} {
		e := Estimate{Theta: .01 + c.t*.003, SE: .003, DF: c.nu}
		expectClose(t, "EValue", []float64{EValue(e, .01)}, []float64{c.want}, 1e-9)
	}
}

func TestAnytimePAgreesWithTheInterval(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 1))
	rejected, open := 0, 0
	for range 2000 {
		e := Estimate{Theta: rng.NormFloat64(), SE: math.Exp(rng.NormFloat64() - 1), DF: float64(1 + rng.IntN(40))}
		alpha, bound := []float64{.05, .01, .5}[rng.IntN(3)], rng.NormFloat64()
		iv := AnytimeInterval(e, 1-alpha)
		below, above := AnytimePBelow(e, bound) <= alpha, AnytimePAbove(e, bound) <= alpha
		if below != (iv.High < bound) || above != (iv.Low > bound) || !(iv.Low <= e.Theta && e.Theta <= iv.High) {
			t.Fatalf("%+v against %v at %v: below %v, above %v, interval %+v", e, bound, alpha, below, above, iv)
		}
		if below || above {
			rejected++
		}
		if math.IsInf(iv.High, 1) {
			open++
		}
	}
	if rejected < 100 || open < 100 {
		t.Errorf("%d rejected and %d whole lines are too few to have tested anything", rejected, open)
	}
}

// A true null is rejected at some n up to 20 in no more than alpha of series;
// a true effect of 1.5 sd mostly is.
func TestAnytimeErrorOverAllLooks(t *testing.T) {
	reject := func(effect float64, series int) float64 {
		rng := rand.New(rand.NewPCG(4, 2))
		rejected := 0
		for range series {
			sum, squares := 0.0, 0.0
			for n := 1.0; n <= 20; n++ {
				x := effect + rng.NormFloat64()
				sum, squares = sum+x, squares+x*x
				if n < 2 {
					continue
				}
				mean := sum / n
				e := Estimate{Theta: mean, SE: math.Sqrt((squares - n*mean*mean) / (n - 1) / n), DF: n - 1}
				if EValue(e, 0) >= 1/.05 {
					rejected++
					break
				}
			}
		}
		return float64(rejected) / float64(series)
	}
	if share := reject(0, 20000); !(share > 0 && share <= .05) {
		t.Errorf("a true null was rejected in %v of series, want at most .05", share)
	}
	if share := reject(1.5, 1000); share < .9 {
		t.Errorf("an effect of 1.5 sd was found in %v of series, want most", share)
	}
}

func TestAnytimeAtTheEdges(t *testing.T) {
	inf := math.Inf(1)
	expectClose(t, "EValue", []float64{
		EValue(Estimate{Theta: 1, SE: inf, DF: 5}, 0),
		EValue(Estimate{Theta: 1, SE: 0, DF: 5}, 1),
		EValue(Estimate{Theta: 1, SE: 0, DF: 5}, 0),
		EValue(Estimate{Theta: 1, SE: 1e-200, DF: 5}, 0),
		AnytimePBelow(Estimate{Theta: 1, SE: inf, DF: 5}, 2),
		AnytimePBelow(Estimate{Theta: 1, SE: 0, DF: 5}, 1),
		AnytimePBelow(Estimate{Theta: 3, SE: 1e-9, DF: 50}, 1),
		AnytimePAbove(Estimate{Theta: 1, SE: 0, DF: 5}, 0),
	}, []float64{math.Sqrt(.4), math.Sqrt(.4), math.Pow(.4, -2.5), math.Pow(.4, -2.5), 1, 1, 1, math.Pow(.4, 2.5)}, 1e-12)
	for _, c := range []struct {
		e    Estimate
		half float64
	}{{Estimate{Theta: 1, SE: inf, DF: 50}, inf}, {Estimate{Theta: 1, SE: 1, DF: 1}, inf}, {Estimate{Theta: 1, DF: 50}, 0}} {
		iv := AnytimeInterval(c.e, .95)
		expectClose(t, "AnytimeInterval", []float64{iv.Low, iv.High}, []float64{1 - c.half, 1 + c.half}, 0)
	}
}

func TestAnytimeMisuse(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	for _, bad := range []Estimate{{SE: 1}, {SE: 1, DF: inf}, {SE: 1, DF: nan}, {SE: nan, DF: 3}, {SE: -1, DF: 3}, {Theta: nan, SE: 1, DF: 3}, {Theta: inf, SE: 1, DF: 3}} {
		expectPanic(t, "stats: EValue: ", func() { EValue(bad, 0) })
		expectPanic(t, "stats: AnytimePBelow: ", func() { AnytimePBelow(bad, 0) })
		expectPanic(t, "stats: AnytimePAbove: ", func() { AnytimePAbove(bad, 0) })
		expectPanic(t, "stats: AnytimeInterval: ", func() { AnytimeInterval(bad, .9) })
	}
	expectPanic(t, "stats: EValue: ", func() { EValue(Estimate{SE: 1, DF: 3}, nan) })
	expectPanic(t, "stats: AnytimeInterval: ", func() { AnytimeInterval(Estimate{SE: 1, DF: 3}, 1) })
}
