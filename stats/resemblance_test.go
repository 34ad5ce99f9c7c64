package stats

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/llama-regress/llama-regress/fixtures/effort"
)

// A short series is taken for what nights are like; a long one has its own say.
func TestResemblanceOfOneSeries(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 13))
	for _, c := range []struct {
		n                  int
		r, least, most, sd float64 // of the estimates: their mean, and at most their spread
	}{
		{10, 0, .3, .3, 0}, {30, 0, .1, .25, .15}, {30, .6, .45, .65, .2}, {400, 0, .01, .06, .06}, {400, .6, .54, .61, .06},
	} {
		var estimates []float64
		for range 200 {
			xs := noise(rng, c.n, c.r)
			for i := c.n / 2; i < c.n; i++ {
				xs[i] += 5
			}
			estimates = append(estimates, ChangeRule{}.resemblance(xs, c.n/2).R)
		}
		mean, sd := PairedT(estimates).Theta, PairedT(estimates).SE*math.Sqrt(200)
		if mean < c.least-1e-12 || mean > c.most+1e-12 || sd > c.sd+1e-12 {
			t.Errorf("%d values, autocorrelation %g: estimates of %.3f ± %.3f", c.n, c.r, mean, sd)
		}
	}
	quiet := ChangeRule{}.resemblance([]float64{1, 1, 1, 2, 2, 2}, 3)
	if quiet.R != 0 || quiet.atMost(1e-4) != 0 {
		t.Errorf("without noise: %+v", quiet)
	}
}

// The less is known, and the stricter the level, the more is allowed for.
func TestResemblanceAtMost(t *testing.T) {
	for _, c := range []struct {
		k              Resemblance
		level, atLeast float64
		atMost         float64
	}{
		{Resemblance{.3, 1e9}, 1e-4, .3, .3001}, {Resemblance{.3, 100}, .01, .39, .41}, {Resemblance{.3, 100}, 1e-4, .45, .47},
		{Resemblance{.7, 20}, 1e-4, .9, .9}, {Resemblance{0, 30}, .7, 0, 0},
	} {
		if r := c.k.atMost(c.level); r < c.atLeast || r > c.atMost {
			t.Errorf("%+v at %g: have %v, want %v to %v", c.k, c.level, r, c.atLeast, c.atMost)
		}
	}
}

// What is allowed for falls with the nights, and with what others know.
func TestAllowance(t *testing.T) {
	alone, lent := ChangeRule{Alpha: .01}, ChangeRule{Alpha: .01, Resemblance: Resemblance{R: .05, Nights: 300}}
	last := 1.
	for _, n := range []int{6, 30, 100, 1000} {
		r := alone.Allowance(n)
		if r >= last || r < .3 || lent.Allowance(n) >= r || lent.Allowance(n) < .05 {
			t.Errorf("%d nights: alone %v, lent %v", n, r, lent.Allowance(n))
		}
		last = r
	}
	if alone.Allowance(6) != alone.Allowance(14) {
		t.Error("fewer than 15 values have a say")
	}
}

// What 11 others say comes near the truth, counts as much as it is worth, and does
// not count the series itself.
func TestResemblances(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 21))
	group := func(n int, common float64, rs ...float64) [][]float64 {
		shared := noise(rng, n, rs[0])
		series := make([][]float64, len(rs))
		for i, r := range rs {
			series[i] = noise(rng, n, r)
			for k := range series[i] {
				series[i][k] = math.Sqrt(common)*shared[k] + math.Sqrt(1-common)*series[i][k]
			}
		}
		return series
	}
	same := func(r float64) []float64 {
		rs := make([]float64, 12)
		for i := range rs {
			rs[i] = r
		}
		return rs
	}
	differ := []float64{0, 0, 0, 0, 0, 0, .8, .8, .8, .8, .8, .8}
	draws := effort.Draws(60, 20)
	for name, c := range map[string]struct {
		n                                      int
		common                                 float64
		rs                                     []float64
		leastR, mostR, leastNights, mostNights float64
	}{
		"independent nights":      {30, 0, same(0), 0, .06, 200, 331},
		"nights that resemble":    {30, 0, same(.7), .6, .75, 100, 331},
		"one effect for all":      {60, .9, same(.5), .3, .6, 40, 110},
		"series that differ":      {100, 0, differ, .3, .5, 1, 20},
		"another effect for each": {100, .3, same(.3), .2, .4, 300, 1000},
	} {
		var rs, nights []float64
		for range draws {
			k := Resemblances(group(c.n, c.common, c.rs...))[0]
			rs, nights = append(rs, k.R), append(nights, k.Nights)
		}
		if r, n := PairedT(rs).Theta, Median(nights); r < c.leastR || r > c.mostR || n < c.leastNights || n > c.mostNights {
			t.Errorf("%s: autocorrelation %.3f, worth %.0f nights", name, r, n)
		}
	}
}

func TestResemblancesAtTheEdges(t *testing.T) {
	long := noise(rand.New(rand.NewPCG(9, 22)), 40, 0)
	gaps := append([]float64(nil), long...)
	gaps[3], gaps[30] = math.NaN(), math.NaN()
	never := constantOf(40, math.NaN())
	k := Resemblances([][]float64{long, constantOf(40, 5), never, long[:0:0]}[:3])
	if k[0] != (Resemblance{}) || k[1].Nights != 40 || k[2] != k[1] {
		t.Errorf("a series alone with a constant one and an empty one: %+v", k)
	}
	k = Resemblances([][]float64{long, gaps})
	if k[0].Nights != 38 || k[1].Nights != 40 {
		t.Errorf("nights that are missing: %+v", k)
	}
	if k := Resemblances(nil); len(k) != 0 {
		t.Errorf("nothing: %+v", k)
	}
	if k := Resemblances([][]float64{long[:14], long[:14]}); k[0] != (Resemblance{}) {
		t.Errorf("too short to say anything: %+v", k)
	}
	expectPanic(t, "stats: Resemblances: ", func() { Resemblances([][]float64{long, long[:20]}) })
	expectPanic(t, "stats: Resemblances: ", func() { Resemblances([][]float64{long, append(long[:39:39], math.Inf(1))}) })
}

// Nights that are noisier in the end are no step; a step in even noise is one, and a
// single bad night is no noisy week.
func TestUnevenNoise(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 23))
	draws := effort.Draws(200, 60)
	alarms, found, beside := 0, 0, 0
	for i := range draws {
		rule := ChangeRule{Alpha: .01, Seed: uint64(i)}
		xs := noise(rng, 100, 0)
		for k := 92; k < 100; k++ {
			xs[k] *= 4
		}
		if len(ChangePoints(xs, rule)) > 0 {
			alarms++
		}
		xs = noise(rng, 100, 0)
		for k := 92; k < 100; k++ {
			xs[k] -= 4
		}
		if len(ChangePoints(xs, rule)) > 0 {
			found++
		}
		xs[95] -= 6
		if len(ChangePoints(xs, rule)) > 0 {
			beside++
		}
	}
	if 10*alarms > draws {
		t.Errorf("a noisy week is taken for a step in %d of %d", alarms, draws)
	}
	if 100*found < 95*draws || 100*beside < 80*draws {
		t.Errorf("a step of 4 sd in the last 8 nights: found in %d of %d, beside a bad night in %d", found, draws, beside)
	}
}
