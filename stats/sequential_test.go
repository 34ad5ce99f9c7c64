package stats

import (
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"
)

// pocock spends about evenly (Lan and DeMets 1983): an oracle of the recursion.
func pocock(fraction, alpha float64) float64 {
	return alpha * math.Log1p((math.E-1)*fraction)
}

// Values with ten digits are from an independent recursion in scipy 1.17.1
// (Simpson's rule on 4001 points a look, brentq to 1e-13), those with four from
// rpact and the published tables of gsDesign for the same plans.
func TestSpendingBounds(t *testing.T) {
	fifths := []float64{.2, .4, .6, .8, 1}
	for _, c := range []struct {
		name      string
		fractions []float64
		alpha     float64
		spend     Spending
		want      []float64
		tolerance float64
	}{
		{"looks 6 10 15 20", Fractions([]int{6, 10, 15, 20}), .025, OBrienFlemingSpending, []float64{3.9286, 2.9656, 2.3592, 2.0141}, 5e-5},
		{"the same, independent", Fractions([]int{6, 10, 15, 20}), .025, OBrienFlemingSpending, []float64{3.9285725426, 2.9656182264, 2.3591525537, 2.0141155052}, 1e-9},
		{"five equal looks", fifths, .025, OBrienFlemingSpending, []float64{4.8769, 3.3570, 2.6803, 2.2898, 2.0310}, 5e-5},
		{"the same, independent", fifths, .025, OBrienFlemingSpending, []float64{4.8768849488, 3.3570119216, 2.6802800645, 2.2898167677, 2.0310320435}, 1e-9},
		{"five equal looks, Pocock", fifths, .025, pocock, []float64{2.4380, 2.4268, 2.4102, 2.3966, 2.3860}, 5e-5},
		{"looks 6 8 10 12 16 20", Fractions([]int{6, 8, 10, 12, 16, 20}), .025, OBrienFlemingSpending, []float64{3.9286, 3.3670, 2.9893, 2.7148, 2.2921, 2.0316}, 6e-5},
		{"uneven, close looks", []float64{.1, .5, .52, .9, 1}, .005, OBrienFlemingSpending, []float64{8.7991589544, 3.8013685967, 3.7774703208, 2.7421118557, 2.6433582776}, 1e-8},
		{"unfinished", []float64{.3, .7}, .05, pocock, []float64{2.0377641805, 1.9566917488}, 1e-9},
		{"one look is a fixed test", []float64{1}, .025, OBrienFlemingSpending, []float64{1.959963984540}, 1e-11},
		{"no look", nil, .025, OBrienFlemingSpending, []float64{}, 0},
		{"a look too early to spend anything", []float64{.0001, 1}, .025, OBrienFlemingSpending, []float64{math.Inf(1), 1.959963984540}, 1e-9},
	} {
		t.Run(c.name, func(t *testing.T) {
			expectClose(t, "SpendingBounds", SpendingBounds(c.fractions, c.alpha, c.spend), c.want, c.tolerance)
		})
	}
	expectClose(t, "NominalP", NominalP([]float64{3.9286, 2.9656, 2.3592, 2.0141, math.Inf(1)}),
		[]float64{.000043, .001510, .009158, .021999, 0}, 1e-6)
}

// The classical boundaries for five equal looks, two-sided .05, of which the
// recursion must spend .025 on one side: O'Brien-Fleming 2.0401·√(5/k) and
// Pocock 2.4132 (Jennison and Turnbull 2000, tables 2.1 and 2.3).
func TestRecursionSpendsWhatClassicalBoundsSpend(t *testing.T) {
	fifths := []float64{.2, .4, .6, .8, 1}
	for name, bounds := range map[string][]float64{
		"O'Brien-Fleming": {4.5617, 3.2256, 2.6337, 2.2809, 2.0401},
		"Pocock":          {2.4132, 2.4132, 2.4132, 2.4132, 2.4132},
	} {
		spent, walk := 0.0, stoppedWalk{}
		for k, z := range bounds {
			if k == 0 {
				spent = distuv.UnitNormal.CDF(-z)
			} else {
				spent += walk.crossing(fifths[k], z)
			}
			walk.advance(fifths[k], z, .2)
		}
		expectClose(t, name, []float64{spent}, []float64{.025}, 5e-6)
	}
}

func TestBoundsSpendWhatTheySay(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 1))
	for range 20 {
		looks, n := []int{}, 0
		for range 1 + rng.IntN(6) {
			n += 1 + rng.IntN(9)
			looks = append(looks, n)
		}
		fractions, alpha := Fractions(looks), []float64{.05, .025, .0005}[rng.IntN(3)]
		bounds := SpendingBounds(fractions, alpha, OBrienFlemingSpending)
		for k, z := range bounds {
			if z < -distuv.UnitNormal.Quantile(alpha)-1e-9 || k > 0 && z > bounds[k-1] {
				t.Errorf("looks %v at %v: bounds %v must fall, and stay above the fixed one", looks, alpha, bounds)
			}
		}
	}
	// By simulation, over 40 000 walks at the boundary of the null.
	bounds := SpendingBounds(Fractions([]int{6, 10, 15, 20}), .05, OBrienFlemingSpending)
	stopped := 0
	for range 40000 {
		sum, n := 0.0, 0
		for k, look := range []int{6, 10, 15, 20} {
			for ; n < look; n++ {
				sum += rng.NormFloat64()
			}
			if sum/math.Sqrt(float64(n)) >= bounds[k] {
				stopped++
				break
			}
		}
	}
	if share := float64(stopped) / 40000; math.Abs(share-.05) > 4*math.Sqrt(.05*.95/40000) {
		t.Errorf("a true null was rejected in %v of plans, want .05", share)
	}
}

func TestRepeatedInterval(t *testing.T) {
	inf := math.Inf(1)
	e := Estimate{Theta: .01, SE: .002, DF: 5}
	// A bound that spends 5 % on a side at one look is the ordinary 90 % interval.
	plain, repeated := e.Interval(.9), RepeatedInterval(e, 1.6448536269514722, .9)
	expectClose(t, "interval", []float64{repeated.Low, repeated.High}, []float64{plain.Low, plain.High}, 1e-12)
	// scipy 1.17.1: stats.t.isf(stats.norm.sf([3.9286, 7]), 5) gives the half widths
	for _, c := range []struct{ bound, t float64 }{{3.9286, 11.54703958963629}, {7, 374.989305997153}} {
		iv := RepeatedInterval(Estimate{SE: 1, DF: 5}, c.bound, .95)
		expectClose(t, "half width", []float64{-iv.Low, iv.High, iv.Confidence}, []float64{c.t, c.t, .95}, 1e-7)
	}
	for _, c := range []struct {
		e         Estimate
		bound     float64
		low, high float64
	}{
		{e, inf, -inf, inf},
		{Estimate{Theta: 1, DF: 5}, inf, -inf, inf},
		{Estimate{Theta: 1, DF: 5}, 2, 1, 1},
		{Estimate{Theta: 1, SE: inf, DF: 5}, 2, -inf, inf},
		{Estimate{SE: 1, DF: inf}, 2, -2, 2},
		{Estimate{SE: 1, DF: 5}, 0, 0, 0},
	} {
		iv := RepeatedInterval(c.e, c.bound, .9)
		expectClose(t, "edge", []float64{iv.Low, iv.High}, []float64{c.low, c.high}, 1e-12)
	}
}

func TestSequentialMisuse(t *testing.T) {
	nan := math.NaN()
	for _, bad := range [][]float64{{0, 1}, {.5, .5}, {.5, 1.1}, {nan}, {-1}, {1, .5}} {
		expectPanic(t, "stats: SpendingBounds: ", func() { SpendingBounds(bad, .025, OBrienFlemingSpending) })
	}
	for _, alpha := range []float64{0, .5, nan, -1} {
		expectPanic(t, "stats: SpendingBounds: ", func() { SpendingBounds([]float64{1}, alpha, OBrienFlemingSpending) })
	}
	expectPanic(t, "stats: SpendingBounds: ", func() {
		SpendingBounds([]float64{.5, 1}, .025, func(f, alpha float64) float64 { return alpha * (1 - f) })
	})
	expectPanic(t, "stats: SpendingBounds: ", func() {
		SpendingBounds([]float64{.5, 1}, .025, func(f, alpha float64) float64 { return nan })
	})
	for _, bad := range [][]int{{0, 1}, {3, 3}, {5, 4}, {-1}} {
		expectPanic(t, "stats: Fractions: ", func() { Fractions(bad) })
	}
	expectPanic(t, "stats: NominalP: ", func() { NominalP([]float64{nan}) })
	expectPanic(t, "stats: RepeatedInterval: ", func() { RepeatedInterval(Estimate{SE: 1, DF: 3}, nan, .9) })
	expectPanic(t, "stats: RepeatedInterval: ", func() { RepeatedInterval(Estimate{SE: 1, DF: 3}, -1, .9) })
	expectPanic(t, "stats: RepeatedInterval: ", func() { RepeatedInterval(Estimate{SE: 1, DF: 3}, 2, 1) })
}

func FuzzSpendingBounds(f *testing.F) {
	f.Add(6, 10, 20, .025)
	f.Add(1, 2, 1000, .0005)
	f.Add(499, 500, 501, .05)
	f.Fuzz(func(t *testing.T, a, b, c int, alpha float64) {
		if a < 1 || b <= a || c <= b || c > 5000 || !(alpha > 1e-9 && alpha < .5) {
			return
		}
		bounds := SpendingBounds(Fractions([]int{a, b, c}), alpha, OBrienFlemingSpending)
		for _, z := range bounds {
			if !(z >= -distuv.UnitNormal.Quantile(alpha)-1e-6) {
				t.Errorf("looks %d %d %d at %v: bounds %v, below a fixed test", a, b, c, alpha, bounds)
			}
		}
	})
}

// Budget: 20 ms; computed once a plan.
func BenchmarkSpendingBounds(b *testing.B) {
	fractions := Fractions([]int{6, 10, 15, 20})
	for b.Loop() {
		SpendingBounds(fractions, .025, OBrienFlemingSpending)
	}
}
