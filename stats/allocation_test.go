package stats

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestReplicates(t *testing.T) {
	for _, c := range []struct {
		name   string
		levels []Stratum
		want   []int
	}{
		// Loading 10 s, a repetition 2 s, 1 % within and 0.5 % between trials:
		// √(5·4) = 4.47 (statistics reference, section 4).
		{"model load", []Stratum{{1e-4, 2}, {.25e-4, 10}}, []int{5}},
		{"three levels", []Stratum{{9, 1}, {1, 4}, {4, 100}}, []int{6, 3}},
		{"exact root", []Stratum{{4, 1}, {1, 1}}, []int{2}},
		{"cheap process", []Stratum{{1, 100}, {4, 1}}, []int{1}},
		{"no variance within", []Stratum{{0, 1}, {1, 1}}, []int{1}},
		{"no variance between", []Stratum{{1, 1}, {0, 1}}, []int{100}},
		{"no variance", []Stratum{{0, 1}, {0, 1}}, []int{1}},
		{"bounded", []Stratum{{1e300, 1e-300}, {1e-300, 1e300}}, []int{100}},
		{"one level", []Stratum{{1, 1}}, nil},
		{"none", nil, nil},
	} {
		if got := Replicates(c.levels); !slices.Equal(got, c.want) {
			t.Errorf("%s: have %v, want %v", c.name, got, c.want)
		}
	}
}

func TestAllocate(t *testing.T) {
	target := Target{Margin: .03, Alpha: .05, Power: .8}
	w := Workload{Repetition: Stratum{1e-4, 2}, Trial: Stratum{.25e-4, 10}}
	// With much time the degrees of freedom cost nothing and the answer is
	// Kalibera and Jones's 4.47.
	a, ok := Allocate(w, target, 1e5)
	if !ok || a.Repetitions < 4 || a.Repetitions > 5 || a.Trials != 1 || a.Time > 1e5 {
		t.Errorf("much time: have %+v, %v", a, ok)
	}
	// With little, blocks are worth more than precise trials.
	b, ok := Allocate(w, target, 120)
	if !ok || b.Repetitions >= a.Repetitions || b.Blocks < 4 || b.Time > 120 {
		t.Errorf("little time: have %+v, %v", b, ok)
	}
	sd := math.Sqrt(2 * (.25e-4 + 1e-4/float64(b.Repetitions)))
	half := Estimate{SE: sd / math.Sqrt(float64(b.Blocks)), DF: float64(b.Blocks - 1)}.Interval(.9).High
	expectClose(t, "prediction", []float64{b.SD, b.HalfWidth, b.MDE, b.Time},
		[]float64{sd, half, MDE(target, sd, b.Blocks), float64(b.Blocks) * 2 * (10 + 2*float64(b.Repetitions))}, 1e-12)

	if _, ok := Allocate(w, target, 47); ok {
		t.Error("47 s must not do for two blocks of two processes of 12 s")
	}
	if a, ok := Allocate(w, target, 48); !ok || a.Blocks != 2 || a.Repetitions != 1 {
		t.Errorf("48 s: have %+v, %v", a, ok)
	}
	w.MinBlocks = 6
	if _, ok := Allocate(w, target, 120); ok {
		t.Error("120 s must not do for six blocks")
	}
	w.MostBlocks = 6
	if a, ok := Allocate(w, target, 1e5); !ok || a.Blocks != 6 || a.Repetitions != 100 {
		t.Errorf("six blocks and time to spare: have %+v, %v", a, ok)
	}
}

// No plan within the budget is narrower, and several trials a block pay when a
// block is dear.
func TestAllocateIsTheBest(t *testing.T) {
	rng := rand.New(rand.NewPCG(8, 1))
	target := Target{Margin: .03, Alpha: .025, Power: .9}
	for range 30 {
		draw := func() Stratum { return Stratum{math.Exp(2*rng.NormFloat64() - 9), math.Exp(rng.NormFloat64())} }
		w := Workload{Repetition: draw(), Trial: draw(), Block: draw(), MostTrials: 4}
		budget := 200 * rng.Float64()
		a, ok := Allocate(w, target, budget)
		for k := 1; k <= 4; k++ {
			for r := 1; r <= 100; r++ {
				cost := w.Block.Cost + 2*float64(k)*(w.Trial.Cost+float64(r)*w.Repetition.Cost)
				blocks := math.Floor(budget / cost)
				if blocks < 2 {
					continue
				}
				sd := math.Sqrt(2 * (w.Block.Variance + w.Trial.Variance/float64(k) + w.Repetition.Variance/float64(k*r)))
				half := Estimate{SE: sd / math.Sqrt(blocks), DF: blocks - 1}.Interval(.95).High
				if !ok || half < a.HalfWidth*(1-1e-6) {
					t.Fatalf("%+v in %v s: chose %+v, but %d repetitions, %d trials, %v blocks have half width %v", w, budget, a, r, k, blocks, half)
				}
			}
		}
	}
	w := Workload{Repetition: Stratum{1e-6, 1}, Trial: Stratum{1e-3, 1}, Block: Stratum{0, 600}, MostTrials: 20}
	if a, ok := Allocate(w, target, 6*3600); !ok || a.Trials < 10 {
		t.Errorf("a block of 10 minutes: have %+v, %v", a, ok)
	}
}

func TestAllocateAtTheEdges(t *testing.T) {
	target := Target{Margin: .03, Alpha: .05, Power: .8}
	still := Workload{Repetition: Stratum{0, 2}, Trial: Stratum{0, 10}}
	if a, ok := Allocate(still, target, 100); !ok || a.HalfWidth != 0 || a.MDE != .03 || a.Repetitions != 1 {
		t.Errorf("no variance: have %+v, %v", a, ok)
	}
	noisy := Workload{Repetition: Stratum{1, 2}, Trial: Stratum{1, 10}}
	if a, ok := Allocate(noisy, target, math.Inf(1)); !ok || a.Blocks != maxSampleSize {
		t.Errorf("all the time in the world: have %+v, %v", a, ok)
	}
	for _, budget := range []float64{0, -5, math.Inf(-1)} {
		if a, ok := Allocate(noisy, target, budget); ok || a != (Allocation{}) {
			t.Errorf("budget %v: have %+v, %v", budget, a, ok)
		}
	}
	nan := math.NaN()
	for _, bad := range []Stratum{{nan, 1}, {-1, 1}, {math.Inf(1), 1}, {1, 0}, {1, nan}, {1, -2}, {1, math.Inf(1)}} {
		expectPanic(t, "stats: Replicates: ", func() { Replicates([]Stratum{{1, 1}, bad}) })
		expectPanic(t, "stats: Allocate: ", func() { Allocate(Workload{Repetition: bad, Trial: Stratum{1, 1}}, target, 1) })
		expectPanic(t, "stats: Allocate: ", func() { Allocate(Workload{Repetition: Stratum{1, 1}, Trial: bad}, target, 1) })
	}
	expectPanic(t, "stats: Allocate: ", func() {
		Allocate(Workload{Repetition: Stratum{1, 1}, Trial: Stratum{1, 1}, Block: Stratum{nan, 0}}, target, 1)
	})
	expectPanic(t, "stats: Allocate: ", func() { Allocate(noisy, Target{}, 1) })
	expectPanic(t, "stats: Allocate: ", func() { Allocate(noisy, target, nan) })
	noisy.MinBlocks = -1
	expectPanic(t, "stats: Allocate: ", func() { Allocate(noisy, target, 1) })
}

// Budget: 20 ms; once a cell when a run is planned.
func BenchmarkAllocate(b *testing.B) {
	target := Target{Margin: .03, Alpha: .05, Power: .8}
	w := Workload{Repetition: Stratum{1e-4, 2}, Trial: Stratum{.25e-4, 10}}
	for b.Loop() {
		Allocate(w, target, 2700)
	}
}
