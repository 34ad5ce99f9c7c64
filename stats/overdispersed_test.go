package stats

import (
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"
)

var (
	steadyTrials = []Count{{48, 50}, {50, 50}, {45, 50}, {49, 50}}
	shakyTrials  = []Count{{40, 50}, {47, 50}, {44, 50}, {38, 48}}

	perfectTrials = []Count{{50, 50}, {50, 50}, {50, 50}, {50, 50}}
)

// NumPy 2.4.6, SciPy 1.17.1: the formulas of the docs written out with arrays,
// scipy.stats.t.ppf(.95, trials - 2) for the quantile.
func TestOverdispersedOracles(t *testing.T) {
	rho, size := ICC(steadyTrials)
	near(t, "ICC", rho, 0.02859943291210133, 1e-15)
	near(t, "size", size, 50, 1e-13)
	rho, size = ICC(shakyTrials)
	near(t, "ICC", rho, 0.019441878021063723, 1e-15)
	near(t, "size", size, 49.4949494949495, 1e-12)

	for _, tt := range []struct {
		name               string
		base, head         []Count
		icc, deff1, deff2  float64
		low, estimate, top float64 // at 90 %
	}{
		{"four of each", steadyTrials, shakyTrials, 0.03136241499674716, 2.536758334840611, 2.5209187313069004,
			-0.2036250099160335, -0.10646464646464648, -0.015039517744936184},
		{"one failure in all", perfectTrials, []Count{{50, 50}, {49, 50}, {50, 50}, {50, 50}}, 0.05, 3.45, 3.45,
			-0.07020614974758277, -0.005, 0.05632971720620193},
		{"one trial of base", perfectTrials[:1], shakyTrials, 0.03555350241685098, 2.7421216184256982, 2.724165304073753,
			-0.2688506421292918, -0.14646464646464652, 0.09747590487371982},
	} {
		d := DeflatedNewcombe(tt.base, tt.head)
		near(t, tt.name+": ICC", d.ICC, tt.icc, 1e-15)
		near(t, tt.name+": design effect", d.BaseDeff, tt.deff1, 1e-13)
		near(t, tt.name+": design effect", d.HeadDeff, tt.deff2, 1e-13)
		near(t, tt.name+": difference", d.Difference, tt.estimate, 1e-15)
		near(t, tt.name+": DF", d.DF, float64(len(tt.base)+len(tt.head)-2), 0)
		nearInterval(t, tt.name, d.Interval(.9), tt.low, tt.top, 1e-12)
	}
}

func TestICCEdges(t *testing.T) {
	for _, tt := range []struct {
		name      string
		trials    []Count
		rho, size float64
	}{
		{"one trial", []Count{{3, 10}}, 0, 10},
		{"all successes", []Count{{10, 10}, {10, 10}}, 0, 10},
		{"none", []Count{{0, 10}, {0, 10}}, 0, 10},
		{"all or nothing", []Count{{10, 10}, {0, 10}}, 1, 10},
		{"less spread than chance", []Count{{5, 10}, {5, 10}, {5, 10}}, 0, 10},
		{"sizes of one", []Count{{1, 1}, {0, 1}, {1, 1}}, 0, 1},
	} {
		rho, size := ICC(tt.trials)
		near(t, tt.name+": rho", rho, tt.rho, 1e-15)
		near(t, tt.name+": size", size, tt.size, 1e-13)
	}
}

func TestDeflatedNewcombeEdges(t *testing.T) {
	d := DeflatedNewcombe(perfectTrials, perfectTrials)
	if iv := d.Interval(.9); d.ICC != leastICC || iv.Low != -iv.High || iv.Low > -.01 || iv.Low < -.1 {
		t.Errorf("all successes: %+v %+v", d, iv)
	}
	one := DeflatedNewcombe(perfectTrials[:1], shakyTrials[:1])
	nearInterval(t, "one trial each", one.Interval(.9), -1, 1, 0)
	near(t, "one trial each", one.PBelow(.5), 1, 0)
	near(t, "one trial each", one.PAbove(-.5), 1, 0)
	sizesOfOne := DeflatedNewcombe([]Count{{1, 1}, {0, 1}, {1, 1}}, []Count{{1, 1}, {0, 1}, {0, 1}})
	near(t, "sizes of one", sizesOfOne.BaseDeff, 1, 0)
	sound(t, "sizes of one", sizesOfOne.Interval(.9))
}

// Counting failures instead of successes, or naming the arms the other way
// round, turns the interval round and changes nothing else.
func TestDeflatedNewcombeMirrors(t *testing.T) {
	failures := func(trials []Count) []Count {
		mirrored := make([]Count, len(trials))
		for i, c := range trials {
			mirrored[i] = Count{c.N - c.K, c.N}
		}
		return mirrored
	}
	for _, pair := range [][2][]Count{{steadyTrials, shakyTrials}, {perfectTrials, steadyTrials}, {perfectTrials[:2], {{0, 30}, {3, 30}, {0, 30}}}} {
		base, head := pair[0], pair[1]
		iv := DeflatedNewcombe(base, head).Interval(.9)
		nearInterval(t, "failures", DeflatedNewcombe(failures(base), failures(head)).Interval(.9), -iv.High, -iv.Low, 1e-12)
		nearInterval(t, "arms", DeflatedNewcombe(head, base).Interval(.9), -iv.High, -iv.Low, 1e-12)
	}
}

// The p-values and the interval are two readings of one curve.
func TestRateDifferencePInvertsInterval(t *testing.T) {
	for _, d := range []RateDifference{
		DeflatedNewcombe(steadyTrials, shakyTrials),
		DeflatedNewcombe(shakyTrials, steadyTrials),
		DeflatedNewcombe([]Count{{50, 50}, {50, 50}}, []Count{{0, 50}, {10, 50}}),
	} {
		for _, alpha := range []float64{.2, .05, .005, .0005} {
			iv := d.Interval(1 - 2*alpha)
			near(t, "PBelow at the upper limit", d.PBelow(iv.High), alpha, 1e-6*alpha)
			if iv.High < 1 {
				near(t, "PAbove at the upper limit", d.PAbove(iv.High), 1-alpha, 1e-6*alpha)
			}
			if iv.Low > -1 {
				near(t, "PAbove at the lower limit", d.PAbove(iv.Low), alpha, 1e-6*alpha)
				near(t, "PBelow at the lower limit", d.PBelow(iv.Low), 1-alpha, 1e-6*alpha)
			}
		}
		near(t, "at the estimate", d.PBelow(d.Difference), .5, 1e-9)
	}
}

func TestTrialsForRate(t *testing.T) {
	for _, tt := range []struct{ rate, perTrial, icc, margin float64 }{
		{1, 20, 0, .02}, {.99, 100, .05, .02}, {.9, 50, .2, .05}, {1, 1000, 0, .2},
	} {
		n := TrialsForRate(tt.rate, tt.perTrial, tt.icc, tt.margin, .9)
		low := func(trials int) float64 {
			deff := designEffect(tt.perTrial, max(tt.icc, leastICC))
			total := float64(trials) * tt.perTrial / deff
			critical := distuv.StudentsT{Sigma: 1, Nu: float64(2*trials - 2)}.Quantile(.95)
			return newcombeAt(Count{tt.rate * total, total}, Count{tt.rate * total, total}, critical).Low
		}
		if !(low(n) > -tt.margin) || n > 2 && low(n-1) > -tt.margin {
			t.Errorf("%+v: %d trials give a limit of %g, one less %g", tt, n, low(n), low(max(2, n-1)))
		}
	}
	if n := TrialsForRate(.5, 10, .5, 1e-6, .95); n != 1<<30 {
		t.Errorf("an absurd margin needs %d trials", n)
	}
}

// Calibration: identical arms whose trials differ by beta-binomial noise
// must not be called different more often than 6.5 % at one-sided 5 %. Fisher on
// the pooled requests, which takes them for independent, must fail the same gate.
func TestOverdispersedFalseAlarms(t *testing.T) {
	const draws = 2000
	for _, tt := range []struct {
		trials, requests int
		rate, rho        float64
	}{{4, 50, .95, .1}, {6, 50, .95, .2}, {10, 20, .99, .1}, {6, 50, .95, 0}} {
		source := rand.New(rand.NewPCG(7, uint64(tt.trials)))
		arm := func() []Count {
			trials := make([]Count, tt.trials)
			for i := range trials {
				p := tt.rate
				if tt.rho > 0 {
					scale := 1/tt.rho - 1
					p = distuv.Beta{Alpha: p * scale, Beta: (1 - p) * scale, Src: source}.Rand()
				}
				trials[i].N = float64(tt.requests)
				for range tt.requests {
					if source.Float64() < p {
						trials[i].K++
					}
				}
			}
			return trials
		}
		ours, fisher := 0, 0
		for range draws {
			base, head := arm(), arm()
			if DeflatedNewcombe(base, head).PBelow(0) <= .05 {
				ours++
			}
			if Fisher(pooledCount("", base), pooledCount("", head)).Less <= .05 {
				fisher++
			}
		}
		slack := 3 * math.Sqrt(.065*.935/draws)
		if rate := float64(ours) / draws; rate > .065+slack {
			t.Errorf("%+v: false alarms %.3f", tt, rate)
		}
		if rate := float64(fisher) / draws; tt.rho >= .1 && tt.requests == 50 && rate < .12 {
			t.Errorf("%+v: the gate cannot fail, Fisher passes it with %.3f", tt, rate)
		}
	}
}
