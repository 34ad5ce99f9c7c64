package stats

import (
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"github.com/llama-regress/llama-regress/fixtures/effort"
)

// Flow of the Nile at Aswan, 1871 to 1970, in 1e8 m³, as in R's datasets::Nile
// (Cobb 1978). It fell in 1898, when the dam was begun.
var nile = []float64{
	1120, 1160, 963, 1210, 1160, 1160, 813, 1230, 1370, 1140, 995, 935, 1110, 994, 1020, 960, 1180, 799, 958, 1140, 1100, 1210, 1150, 1250, 1260, 1220, 1030,
	1100, 774, 840, 874, 694, 940, 833, 701, 916, 692, 1020, 1050, 969, 831, 726, 456, 824, 702, 1120, 1100, 832, 764, 821, 768, 845, 864, 862, 698, 845, 744,
	796, 1040, 759, 781, 865, 845, 944, 984, 897, 822, 1010, 771, 676, 649, 846, 812, 742, 801, 1040, 860, 874, 848, 890, 744, 749, 838, 1050, 918, 986, 797,
	923, 975, 815, 1020, 906, 901, 1170, 912, 746, 919, 718, 714, 740,
}

var (
	threeLevels = []float64{.3, 2.4, 1.5, -.9, -.5, 99.7, 98.3, 99.1, 149, 149.7, 149.5, 149.1, 148.8, 150}
	halved      = []float64{1.02, .95, .99, 1, 1.12, 1, 1.01, .98, 1.01, .96, .50, .51, .48, .48, .55, .50, .49, .51, .50, .49}
)

func positions(changes []Change) []int {
	at := []int{}
	for _, c := range changes {
		at = append(at, c.At)
	}
	return at
}

// The first two series are Otava's, with the positions its tests expect; the
// next three MongoDB's signal-processing-algorithms's.
func TestChangePointPositions(t *testing.T) {
	step := func(middle float64, before, after int) []float64 {
		return slices.Concat(constantOf(before, 50), []float64{middle}, constantOf(after, 100))
	}
	for _, c := range []struct {
		name   string
		series []float64
		level  float64
		want   []int
	}{
		{"three levels", threeLevels, .05, []int{5, 8}},
		{"halved", halved, .01, []int{10}},
		{"50 and 100", step(50, 14, 15), .001, []int{15}},
		{"nearer to the old", step(74, 14, 15), .001, []int{15}},
		{"nearer to the new", step(76, 14, 15), .001, []int{14}},
		{"Nile", nile, .001, []int{28}},
		{"nothing", nile[30:], .001, []int{}},
	} {
		changes := ChangePoints(c.series, ChangeRule{Alpha: c.level, Seed: 1})
		if got := positions(changes); !slices.Equal(got, c.want) {
			t.Errorf("%s: have %v, want %v", c.name, got, c.want)
		}
		for _, change := range changes {
			if !(change.P > 0 && change.P <= c.level) {
				t.Errorf("%s: p %v at level %v", c.name, change.P, c.level)
			}
		}
	}
}

// R 4.2.2: t.test(Nile[29:100], Nile[1:28]) has estimate -247.777777777778 and
// t -8.414516419101 on 45.9905720957 df; the autocorrelation widens it.
func TestChangeShift(t *testing.T) {
	shift := ChangePoints(nile, ChangeRule{Alpha: .001})[0].Shift
	r := ChangeRule{}.resemblance(nile, 28).R
	worth := (1 - r) / (1 + r)
	expectClose(t, "shift", []float64{shift.Theta, shift.Theta / shift.SE, shift.DF},
		[]float64{-247.777777777778, -8.414516419101 * math.Sqrt(worth), 45.9905720957 * worth}, 1e-10)
	if !(r > .1 && r < .4) {
		t.Errorf("autocorrelation of the Nile beside its step: have %v", r)
	}
}

// maxT is the largest |t| over the splits, as tables of critical values give it.
func maxT(s splitSearch) float64 {
	_, largest := s.best()
	return s.tOf(largest)
}

// R's strucchange 1.5-3: f <- Fstats(y ~ 1, from = 3, to = n-3); sqrt(max(f$Fstats)), f$breakpoint.
func TestMaxT(t *testing.T) {
	for _, c := range []struct {
		series []float64
		t      float64
		at     int
	}{{halved, 31.3762779360558, 10}, {threeLevels, 11.5113345805473, 5}, {nile, 8.71376895651276, 28}} {
		search := newSplitSearch(c.series)
		at, _ := search.best()
		expectClose(t, "maxT, at", []float64{maxT(search), float64(at)}, []float64{c.t, float64(c.at)}, 1e-10)
	}
}

// The t of a reduced statistic is that of a series worth (1-r)/(1+r) as much.
func TestReducedStatistic(t *testing.T) {
	search := newSplitSearch(nile)
	_, largest := search.best()
	tOf := func(statistic float64) float64 {
		e := search.explained(statistic)
		return math.Sqrt(98 * e / (1 - e))
	}
	expectClose(t, "t by r", []float64{tOf(search.reduced(largest, 0)), tOf(search.reduced(largest, .3))},
		[]float64{maxT(search), maxT(search) * math.Sqrt(.7/1.3)}, 1e-10)
	perfect := newSplitSearch([]float64{1, 1, 1, 2, 2, 2})
	_, largest = perfect.best()
	expectClose(t, "what explains everything", []float64{perfect.reduced(largest, .5), perfect.reduced(0, .5)}, []float64{largest, 0}, 1e-12)
}

// Critical values of the maximum for normal noise, by simulation (statistics
// reference, 7.8): at .05 and .01, n=30 3.11 and 3.80, n=60 3.08 and 3.68, n=100
// 3.12 and 3.69.
func TestMaxTCriticalValues(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 1))
	const series = 20000
	for _, c := range []struct {
		n    int
		want []float64
	}{{30, []float64{3.11, 3.80}}, {60, []float64{3.08, 3.68}}, {100, []float64{3.12, 3.69}}} {
		maxima := make([]float64, series)
		for i := range maxima {
			maxima[i] = maxT(newSplitSearch(noise(rng, c.n, 0)))
		}
		expectClose(t, "critical T", []float64{Quantile(maxima, .95), Quantile(maxima, .99)}, c.want, .02)
	}
}

// noise returns n normal values of variance 1 with first-order autocorrelation r.
func noise(rng *rand.Rand, n int, r float64) []float64 {
	xs, x := make([]float64, n), rng.NormFloat64()
	for i := range xs {
		xs[i] = x
		x = r*x + math.Sqrt(1-r*r)*rng.NormFloat64()
	}
	return xs
}

// A tiny series can be permuted completely: of the 720 orders of six values with
// a perfect step, 2·3!·3! reach it, and p is 0.1.
func TestPermutationP(t *testing.T) {
	search := newSplitSearch([]float64{1, 1, 1, 2, 2, 2})
	_, largest := search.best()
	p := search.permutationP(largest, .2, splitSearch.reaches, rand.New(rand.NewPCG(9, 2)))
	for seed := range uint64(400) {
		p += search.permutationP(largest, .2, splitSearch.reaches, rand.New(rand.NewPCG(9, seed)))
	}
	if p /= 401; math.Abs(p-.1) > .02 {
		t.Errorf("have p %v on average, want about .1", p)
	}
	if p := search.permutationP(largest, .01, splitSearch.reaches, rand.New(rand.NewPCG(9, 2))); p <= .01 {
		t.Errorf("stopped early with p %v, which must stay above the level", p)
	}
	if p := search.permutationP(largest*2, .01, splitSearch.reaches, rand.New(rand.NewPCG(9, 2))); p != 1./301 {
		t.Errorf("a statistic that no permutation reaches: have p %v, want 1/301", p)
	}
}

// Series without a change raise an alarm about as often as they may, also when
// their noise is heavy-tailed or autocorrelated.
func TestChangePointFalseAlarms(t *testing.T) {
	series := effort.Draws(1000, 120)
	for name, draw := range map[string]func(rng *rand.Rand, n int) []float64{
		"normal": func(rng *rand.Rand, n int) []float64 { return noise(rng, n, 0) },
		"AR .3":  func(rng *rand.Rand, n int) []float64 { return noise(rng, n, .3) },
		"t3": func(rng *rand.Rand, n int) []float64 {
			xs := noise(rng, n, 0)
			for i := range xs {
				a, b, c := rng.NormFloat64(), rng.NormFloat64(), rng.NormFloat64()
				xs[i] /= math.Sqrt((a*a + b*b + c*c) / 3)
			}
			return xs
		},
	} {
		rng := rand.New(rand.NewPCG(9, 3))
		everyLength := 0
		for _, n := range []int{12, 30, 100} {
			alarms := 0
			for i := range series {
				if len(ChangePoints(draw(rng, n), ChangeRule{Alpha: .05, Seed: uint64(i)})) > 0 {
					alarms++
				}
			}
			if share := float64(alarms) / float64(series); share > .05+3*math.Sqrt(.05*.95/float64(series)) {
				t.Errorf("%s, n=%d: alarm in %v of series, want at most about .05", name, n, share)
			}
			everyLength += alarms
		}
		if everyLength == 0 {
			t.Errorf("%s: no alarm in %d series without a change: a test at level .05 that never rejects", name, 3*series)
		}
	}
}

func TestChangePointsAreFoundAndPlaced(t *testing.T) {
	series := effort.Draws(200, 20)
	slack := 1 / math.Sqrt(float64(series)) // two standard errors of a share of one half
	for _, c := range []struct {
		name        string
		n           int
		r           float64
		steps       map[int]float64 // what is added from an index on
		found, near float64         // least share of series
	}{
		{"3 sd in the middle of 30", 30, 0, map[int]float64{15: 3}, .9, .9},
		{"3 sd in the middle of 60", 60, 0, map[int]float64{30: 3}, .99, .9},
		{"3 sd, autocorrelated", 60, .3, map[int]float64{30: 3}, .95, .85},
		{"2 sd in the last 8 of 60", 60, 0, map[int]float64{52: -2}, .75, .75},
		{"up and down again", 100, 0, map[int]float64{40: 3, 60: -3}, .9, .85},
		{"two steps up", 90, 0, map[int]float64{30: 3, 60: 3}, .95, .85},
	} {
		rng := rand.New(rand.NewPCG(9, 4))
		found, near, intervals, covered := 0, 0, 0, 0
		for i := range series {
			xs := noise(rng, c.n, c.r)
			for at, by := range c.steps {
				for j := at; j < c.n; j++ {
					xs[j] += by
				}
			}
			changes := ChangePoints(xs, ChangeRule{Alpha: .05, Seed: uint64(i)})
			if len(changes) < len(c.steps) {
				continue
			}
			found++
			close := 0
			for _, change := range changes {
				for at, by := range c.steps {
					if change.At >= at-1 && change.At <= at+1 {
						close++
						intervals++
						if iv := change.Shift.Interval(.95); iv.Low <= by && by <= iv.High {
							covered++
						}
					}
				}
			}
			if close == len(c.steps) {
				near++
			}
		}
		if float64(found)/float64(series) < c.found-slack/2 || float64(near)/float64(found) < c.near-slack {
			t.Errorf("%s: found in %d of %d series, placed within 1 in %d", c.name, found, series, near)
		}
		if float64(covered)/float64(intervals) < .93-slack {
			t.Errorf("%s: %d of %d intervals cover the shift", c.name, covered, intervals)
		}
	}
}

func TestChangesThatAreTooSmallOrWentAway(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 5))
	rule := ChangeRule{Alpha: .0019}
	steps := func(levels map[int]float64) []float64 {
		xs := noise(rng, 80, 0)
		for i := range xs {
			xs[i] *= .1
			for at, by := range levels {
				if i >= at {
					xs[i] += by
				}
			}
		}
		return xs
	}
	small := steps(map[int]float64{20: 1, 50: .3})
	if got := positions(ChangePoints(small, rule)); !slices.Equal(got, []int{20, 50}) {
		t.Fatalf("without a margin: have %v", got)
	}
	rule.Margin = .5
	if got := positions(ChangePoints(small, rule)); !slices.Equal(got, []int{20}) {
		t.Errorf("with a margin: have %v", got)
	}
	// Two small steps that together exceed the margin leave one change.
	stairs := steps(map[int]float64{20: .4, 50: .4})
	if got := ChangePoints(stairs, rule); len(got) > 1 {
		t.Errorf("two steps within the margin: have %v", positions(got))
	}
	// A step that is gone in the last three sessions has not lasted.
	gone := steps(map[int]float64{70: 1, 77: -1})
	rule.Alpha = .01
	if got := ChangePoints(gone[:77], rule); len(got) != 1 {
		t.Errorf("before it went away: have %v", positions(got))
	}
	if got := positions(ChangePoints(gone, rule)); slices.Contains(got, 70) && !slices.Contains(got, 77) {
		t.Errorf("after it went away: have %v", got)
	}
}

func TestSettle(t *testing.T) {
	stairs := slices.Concat(constantOf(10, 0), constantOf(10, 5), constantOf(10, 9))
	changes := []Change{{At: 13}, {At: 18}}
	settle(stairs, changes)
	if got := positions(changes); !slices.Equal(got, []int{10, 20}) {
		t.Errorf("have %v, want the steps at 10 and 20", got)
	}
}

func TestChangePointProperties(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 6))
	rule := ChangeRule{Alpha: .01, Seed: 5}
	for range 20 {
		xs := noise(rng, 50, .2)
		for i := 20 + rng.IntN(10); i < 50; i++ {
			xs[i] += 2.5
		}
		before := slices.Clone(xs)
		changes := ChangePoints(xs, rule)
		if !slices.Equal(before, xs) || !reflect.DeepEqual(changes, ChangePoints(xs, rule)) {
			t.Fatal("changed its input, or the same seed gave another answer")
		}
		scaled := make([]float64, 50)
		for i := range xs {
			scaled[i] = 7 - xs[i]*1e-3
		}
		if got := ChangePoints(scaled, rule); !slices.Equal(positions(got), positions(changes)) {
			t.Errorf("positions %v became %v when scaled", positions(changes), positions(got))
		}
	}
}

func TestChangePointsAtTheEdges(t *testing.T) {
	rule := ChangeRule{Alpha: .5}
	for _, xs := range [][]float64{nil, {1}, {1, 2, 3, 40, 50}, constantOf(100, .1)} {
		if got := ChangePoints(xs, rule); got != nil {
			t.Errorf("%v: have %v", xs, got)
		}
	}
	if got := ChangePoints([]float64{1, 1, 1, 2, 2, 2}, rule); len(got) != 1 || got[0].At != 3 || got[0].Shift.Theta != 1 || got[0].Shift.SE != 0 {
		t.Errorf("a perfect step: have %+v", got)
	}
	big := ChangePoints([]float64{-1e150, -1e150, -1e150, 1e150, 1e150, 1e150}, rule)
	if len(big) != 1 || math.IsNaN(big[0].Shift.Theta+big[0].Shift.SE+big[0].Shift.DF) {
		t.Errorf("the largest values: have %+v", big)
	}
	const prefix = "stats: ChangePoints: "
	xs := []float64{1, 2, 3}
	expectPanic(t, prefix, func() { ChangePoints([]float64{1, math.NaN()}, rule) })
	expectPanic(t, prefix, func() { ChangePoints([]float64{1, math.Inf(1)}, rule) })
	for _, level := range []float64{0, 1, 9e-7, -1, math.NaN()} {
		expectPanic(t, prefix, func() { ChangePoints(xs, ChangeRule{Alpha: level}) })
	}
	expectPanic(t, prefix, func() { ChangePoints(xs, ChangeRule{Alpha: .1, Margin: -1}) })
	expectPanic(t, prefix, func() { ChangePoints(xs, ChangeRule{Alpha: .1, Margin: math.NaN()}) })
}

func FuzzChangePoints(f *testing.F) {
	f.Add([]byte{1, 2, 3, 200, 201, 202, 200}, 0.)
	f.Add([]byte("aaaaaaaaaaaaaaaaaaaabbbbbbbbbbbbbbbbbbbbbb"), 1.)
	f.Add([]byte{0, 0, 0, 0, 0, 0, 0, 0, 0, 255}, .5)
	f.Add([]byte("aaaaaaaaaaaaab`"), 1.)
	f.Add([]byte("00011a00\x00XXCXAXXAZ07Z0a10"), 105.)
	f.Fuzz(func(t *testing.T, raw []byte, margin float64) {
		if !(margin >= 0) || len(raw) > 60 {
			return
		}
		xs := make([]float64, len(raw))
		for i, b := range raw {
			xs[i] = float64(b) / 3
		}
		last := 0
		for _, c := range ChangePoints(xs, ChangeRule{Alpha: .2, Margin: margin}) {
			if c.At < last+leastSegment || c.At > len(xs)-leastSegment || !(c.P > 0 && c.P <= .2) || !(math.Abs(c.Shift.Theta) > margin) || !(c.Shift.SE >= 0 && c.Shift.DF > 0) {
				t.Errorf("%v: change %+v after %d", xs, c, last)
			}
			last = c.At
		}
	})
}

// Budget: 5 ms for a year of nights, with a change or without; a nightly report
// has some hundreds of them.
func BenchmarkChangePoints(b *testing.B) {
	quiet := noise(rand.New(rand.NewPCG(9, 7)), 365, .2)
	changed := slices.Clone(quiet)
	for i := 200; i < len(changed); i++ {
		changed[i] += 3
	}
	for name, xs := range map[string][]float64{"quiet": quiet, "changed": changed} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				ChangePoints(xs, ChangeRule{Alpha: 1e-4, Margin: .5, Seed: 1})
			}
		})
	}
}
