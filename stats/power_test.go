package stats

import (
	"math"
	"testing"
)

// The k of the minimum detectable effect, from R 4.2.2:
//
//	power.t.test(n=n, sd=1, power=.8, sig.level=alpha, type="one.sample",
//	             alternative="one.sided", tol=1e-12)$delta
func TestMultiplier(t *testing.T) {
	blocks := []int{6, 8, 10, 12, 16, 20, 30}
	for _, c := range []struct {
		alpha float64
		want  []float64
	}{
		{.05, []float64{1.1857905817839, 0.9781560855350, 0.8528375122381, 0.7664045742339, 0.6516999644468, 0.5769170013380, 0.4649454675960}},
		{.005, []float64{2.1093485146735, 1.5958958126999, 1.3320321094796, 1.1661911574248, 0.9627048257956, 0.8384449857355, 0.6622069704679}},
		{.0005, []float64{3.4630508585021, 2.3575715971995, 1.8661608568858, 1.5834193702938, 1.2622019051659, 1.0786964832176, 0.8326109899808}},
	} {
		target := Target{Margin: 0.03, Alpha: c.alpha, Power: 0.8}
		k, mde := make([]float64, len(blocks)), make([]float64, len(blocks))
		for i, b := range blocks {
			k[i] = target.Multiplier(b)
			mde[i] = (MDE(target, 0.02, b) - 0.03) / 0.02
		}
		expectClose(t, "Multiplier", k, c.want, 1e-8)
		expectClose(t, "MDE", mde, c.want, 1e-8)
	}
}

func TestBlocksNeeded(t *testing.T) {
	// R 4.2.2: ceiling(power.t.test(delta=1, sd=1, power=.8, sig.level=.005,
	// type="one.sample", alternative="one.sided")$n) is ceiling(15.08).
	if n, ok := BlocksNeeded(Target{Alpha: .005, Power: .8}, 1, 1); n != 16 || !ok {
		t.Errorf("BlocksNeeded: have %d, %v, want 16", n, ok)
	}
	// The answer is where the MDE passes the loss.
	target := Target{Margin: .02, Alpha: .05, Power: .8}
	for _, loss := range []float64{.021, .03, .05, .2, 3} {
		n, ok := BlocksNeeded(target, .02, loss)
		if !ok || MDE(target, .02, n) > loss || n > 2 && MDE(target, .02, n-1) <= loss {
			t.Errorf("loss %v: %d blocks have MDE %v, one less %v", loss, n, MDE(target, .02, n), MDE(target, .02, n-1))
		}
	}
}

// R 4.2.2: power.t.test(delta=1, sd=1, power=.9, tol=1e-12)$n is 22.021095570094
// a side (22.0210977 with the default tol),
// power.t.test(n=10, delta=2, sd=1.5)$power 0.8049122519646; both two-sided at
// .05, which counts one tail at .025.
func TestUnpairedPower(t *testing.T) {
	if n, ok := TrialsNeeded(Target{Alpha: .025, Power: .9}, 1, 1, 1); n != 23 || !ok {
		t.Errorf("TrialsNeeded: have %d, %v, want 23", n, ok)
	}
	n := 22.021095570094
	se, df := welchError(1, n, 1, n)
	power22 := tPower(1/se, .025, df)
	se, df = welchError(1.5, 10, 1.5, 10)
	power10 := tPower(2/se, .025, df)
	expectClose(t, "power", []float64{power22, power10}, []float64{.9, .8049122519646}, 1e-9)

	mde := MDEUnpaired(Target{Margin: .01, Alpha: .025, Power: .8049122519646}, Side{1.5, 10}, Side{1.5, 10})
	expectClose(t, "MDEUnpaired", []float64{mde}, []float64{2.01}, 1e-9)
}

// Spreads and sizes that differ, by the formulas of Welch (1947) as they are:
// se² = s₁²/n₁ + s₂²/n₂ = 1/10 + 4/20, df = se⁴/((s₁²/n₁)²/9 + (s₂²/n₂)²/19).
func TestWelchError(t *testing.T) {
	want := []float64{math.Sqrt(.3), .09 / (.01/9 + .04/19)}
	se, df := welchError(1, 10, 2, 20)
	expectClose(t, "smaller first", []float64{se, df}, want, 1e-14)
	se, df = welchError(2, 20, 1, 10)
	expectClose(t, "larger first", []float64{se, df}, want, 1e-14)
	if se, df := welchError(0, 10, 0, 20); se != 0 || df != 28 {
		t.Errorf("no spread: %v, %v, want 0 and 28", se, df)
	}
}

// Chance of both one-sided tests rejecting, by scipy 1.17.1: the sum over the
// 40 panels of g of scipy.integrate.quad(f, a, b, epsabs=1e-15, epsrel=1e-12) with
//
//	f(s) = max(0, norm.cdf(hi - t*s) - norm.cdf(t*s - lo)) * chi.pdf(s*sqrt(df), df) * sqrt(df)
//	t = stats.t.ppf(1-alpha, df), lo = (margin+effect)/se, hi = (margin-effect)/se
//	g = linspace(max(0, 1-9/sqrt(df)), min((lo+hi)/2/t, 1+9/sqrt(df)), 41)
func TestEquivalencePower(t *testing.T) {
	for _, c := range []struct{ margin, effect, se, df, alpha, want float64 }{
		{1, 0, 0.14433756729740646, 11, .05, 0.9999984288270699},
		{0.02956, 0, 0.0031622776601683794, 9, .05, 0.9999999999926579},
		{0.02956, 0.01, 0.0031622776601683794, 9, .05, 0.9999700520273318},
		{1, 0, .7, 1, .05, 0.08799138078729615},
		{1, .5, .05, 199, .025, 1},
		{1, 0, .4, 3.7, .05, 0.3919831143391774},
		{1, -.9, .1, 20, .05, 0.24870722829905553},
		{1, 0, .001, 5, .05, 1},
		{1, 0, .3, 1e6, .05, 0.9086803857737695},
	} {
		got := equivalencePower(Target{Margin: c.margin, Alpha: c.alpha, Power: .8}, c.effect, c.se, c.df)
		expectClose(t, "equivalencePower", []float64{got}, []float64{c.want}, 1e-8)
	}
}

func TestBlocksForEquivalence(t *testing.T) {
	target := Target{Margin: 1, Alpha: .05, Power: .8}
	power := func(sd, effect float64, n int) float64 {
		return equivalencePower(target, effect, sd/math.Sqrt(float64(n)), float64(n-1))
	}
	for _, c := range []struct{ sd, effect float64 }{{.5, 0}, {1, 0}, {2, 0}, {2, .5}, {2, -.5}, {.01, 0}, {30, .3}} {
		n, ok := BlocksForEquivalence(target, c.sd, c.effect)
		if !ok || power(c.sd, c.effect, n) < .8 || n > 2 && power(c.sd, c.effect, n-1) >= .8 {
			t.Errorf("sd %v, effect %v: %d blocks have power %v, one less %v", c.sd, c.effect, n, power(c.sd, c.effect, n), power(c.sd, c.effect, n-1))
		}
	}
	// Two independent sides of sd s each need about as many trials as a paired
	// comparison of sd s·√2 needs blocks, and fewer because of their larger df.
	paired, _ := BlocksForEquivalence(target, 2*math.Sqrt2, 0)
	unpaired, ok := TrialsForEquivalence(target, 2, 2, 0)
	if !ok || unpaired > paired || unpaired < paired-2 {
		t.Errorf("unpaired needs %d, paired %d", unpaired, paired)
	}
}

func TestPowerAtTheEdges(t *testing.T) {
	inf := math.Inf(1)
	target := Target{Margin: .03, Alpha: .05, Power: .8}
	expectClose(t, "MDE", []float64{
		MDE(target, 1, 1), MDE(target, 0, 1), MDE(target, 0, 6), MDE(target, inf, 6), MDE(target, 1, -3), target.Multiplier(0),
		MDEUnpaired(target, Side{1, 1}, Side{1, 9}), MDEUnpaired(target, Side{0, 3}, Side{0, 3}), MDEUnpaired(target, Side{inf, 3}, Side{0, 3}),
	}, []float64{inf, inf, .03, inf, inf, inf, inf, .03, inf}, 0)
	if e := MDE(Target{Alpha: 1e-5, Power: .99}, 1, 2); math.IsNaN(e) || math.IsInf(e, 0) {
		t.Errorf("MDE of two blocks: have %v, want finite", e)
	}
	for _, c := range []struct {
		sd, loss float64
		want     int
		ok       bool
	}{{1, .03, 0, false}, {1, -1, 0, false}, {inf, 1, 0, false}, {0, 1, 2, true}, {1, inf, 2, true}, {1, .0301, 0, false}} {
		if n, ok := BlocksNeeded(target, c.sd, c.loss); n != c.want || ok != c.ok {
			t.Errorf("BlocksNeeded(sd %v, loss %v): have %d, %v, want %d, %v", c.sd, c.loss, n, ok, c.want, c.ok)
		}
	}
	for _, c := range []struct {
		sd, effect float64
		want       int
		ok         bool
	}{{1, .03, 0, false}, {1, -1, 0, false}, {inf, 0, 0, false}, {0, 0, 2, true}, {1e9, 0, 0, false}} {
		if n, ok := BlocksForEquivalence(target, c.sd, c.effect); n != c.want || ok != c.ok {
			t.Errorf("BlocksForEquivalence(sd %v, effect %v): have %d, %v, want %d, %v", c.sd, c.effect, n, ok, c.want, c.ok)
		}
	}
}

func TestPowerMisuse(t *testing.T) {
	nan := math.NaN()
	good := Target{Margin: .03, Alpha: .05, Power: .8}
	for _, bad := range []Target{{}, {Margin: nan, Alpha: .05, Power: .8}, {Margin: -1, Alpha: .05, Power: .8}, {Alpha: .5, Power: .8}, {Alpha: nan, Power: .8}, {Alpha: .05, Power: 1}, {Alpha: .05, Power: .05}, {Alpha: .05, Power: nan}} {
		expectPanic(t, "stats: MDE: ", func() { MDE(bad, 1, 6) })
		expectPanic(t, "stats: BlocksNeeded: ", func() { BlocksNeeded(bad, 1, 1) })
	}
	expectPanic(t, "stats: MDE: ", func() { MDE(good, nan, 6) })
	expectPanic(t, "stats: MDE: ", func() { MDE(good, -1, 6) })
	expectPanic(t, "stats: BlocksNeeded: ", func() { BlocksNeeded(good, 1, nan) })
	expectPanic(t, "stats: BlocksForEquivalence: ", func() { BlocksForEquivalence(good, nan, 0) })
	expectPanic(t, "stats: MDEUnpaired: ", func() { MDEUnpaired(good, Side{nan, 4}, Side{1, 4}) })
	expectPanic(t, "stats: TrialsNeeded: ", func() { TrialsNeeded(good, 1, -1, 1) })
	expectPanic(t, "stats: TrialsForEquivalence: ", func() { TrialsForEquivalence(good, 1, 1, nan) })
}

func FuzzBlocksNeeded(f *testing.F) {
	f.Add(.03, .05, .8, .02, .05)
	f.Add(0., 1e-12, .999, 1e300, 1e300)
	f.Add(1e-300, .49, .5, 1e-300, 2e-300)
	f.Add(.03, .05, .8, 0., 1.)
	f.Fuzz(func(t *testing.T, margin, alpha, power, sd, loss float64) {
		target := Target{Margin: margin, Alpha: alpha, Power: power}
		// Narrower than what the functions accept, wider than anyone asks for.
		if !(margin >= 0 && alpha > 1e-12 && alpha < .5 && power > alpha && power < 1-1e-9 && sd >= 0 && !math.IsInf(margin, 1) && !math.IsNaN(loss)) {
			return
		}
		n, ok := BlocksNeeded(target, sd, loss)
		m, possible := BlocksForEquivalence(target, sd, loss)
		if ok != (n >= 2) || possible != (m >= 2) || ok && possible {
			t.Errorf("have %d, %v to prove the loss and %d, %v to rule it out", n, ok, m, possible)
		}
		if math.IsNaN(MDE(target, sd, 6)) {
			t.Error("MDE is NaN")
		}
	})
}

// Budget: 50 µs, so that a matrix of 1 000 cells spends at most 50 ms on it.
func BenchmarkMDE(b *testing.B) {
	target := Target{Margin: .03, Alpha: .0005, Power: .8}
	for b.Loop() {
		MDE(target, .02, 12)
	}
}

// Budget: 1 ms.
func BenchmarkBlocksForEquivalence(b *testing.B) {
	target := Target{Margin: .03, Alpha: .05, Power: .8}
	for b.Loop() {
		BlocksForEquivalence(target, .1, 0)
	}
}
