package compare_test

import (
	"bytes"
	"encoding/json"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/compare"
)

var mirrored = map[compare.Verdict]compare.Verdict{
	compare.Regression: compare.Improvement, compare.Improvement: compare.Regression,
	compare.Equivalent: compare.Equivalent, compare.Inconclusive: compare.Inconclusive,
}

// TestProperties is gate CP: what must hold of every decision, whatever the
// noise, over sessions of several cells with losses, gains and neither.
func TestProperties(t *testing.T) {
	seen := make(map[compare.Verdict]int)
	for seed := range 60 {
		rng := generator("CP", seed)
		s := simulation{shape: shapes[seed%len(shapes)], within: within, between: 0.02 * rng.Float64(), blocks: 4 + rng.IntN(9), cells: 1 + rng.IntN(6)}
		s.change = func(cell int) float64 { return []float64{-0.08, 0, 0.08, 0.03}[(seed+cell)%4] }
		run := s.session(rng)
		plain := compare.Run(run, defaults)
		for _, c := range plain.Comparisons {
			seen[c.Verdict]++
		}
		compareWith := func(what string, other *record.Run, want func(compare.Verdict) compare.Verdict, change func(float64) float64) {
			t.Helper()
			for i, c := range compare.Run(other, defaults).Comparisons {
				p := plain.Comparisons[i]
				if c.Verdict != want(p.Verdict) || math.Abs(*c.Change-change(*p.Change)) > 1e-12 {
					t.Errorf("seed %d, cell %s: %s turns %v by %v into %v by %v", seed, c.Cell, what, p.Verdict, *p.Change, c.Verdict, *c.Change)
				}
			}
		}
		same, kept := func(v compare.Verdict) compare.Verdict { return v }, func(x float64) float64 { return x }
		swapped := *run
		swapped.Baseline = "head"
		compareWith("swapping the arms", &swapped, func(v compare.Verdict) compare.Verdict { return mirrored[v] }, func(x float64) float64 { return 1/(1+x) - 1 })
		compareWith("scaling", withValues(run, func(xs []float64) {
			for i := range xs {
				xs[i] *= 1 << 10
			}
		}), same, kept)
		compareWith("reordering repetitions", withValues(run, func(xs []float64) {
			rng.Shuffle(len(xs), func(i, j int) { xs[i], xs[j] = xs[j], xs[i] })
		}), same, kept)
		addsNothing(t, run, plain)
		if !bytes.Equal(encoded(t, plain), encoded(t, compare.Run(s.session(regenerated(seed)), defaults))) {
			t.Errorf("seed %d: the same session gives other bytes", seed)
		}
	}
	for v := range mirrored {
		if seen[v] == 0 {
			t.Errorf("no cell was %v: the test shows nothing about it (%v)", v, seen)
		}
	}
}

// regenerated is the generator of a session of TestProperties as it stood when
// the session was drawn.
func regenerated(seed int) *rand.Rand {
	rng := generator("CP", seed)
	rng.Float64()
	rng.IntN(9)
	rng.IntN(6)
	return rng
}

// addsNothing adds a block in which both arms measure the same: what was
// equivalent does not become a regression by it.
func addsNothing(t *testing.T, run *record.Run, plain *compare.Result) {
	t.Helper()
	longer := *run
	longer.Trials = slices.Clone(run.Trials)
	for _, cell := range run.Cells {
		for _, arm := range run.Arms {
			addTrial(&longer, arm.Name, cell, 1000, record.Measurement{Metric: throughput.Name, Values: []float64{1000}})
		}
	}
	for i, c := range compare.Run(&longer, defaults).Comparisons {
		if was := plain.Comparisons[i]; was.Verdict == compare.Equivalent && c.Verdict == compare.Regression || c.Replicates != was.Replicates+1 {
			t.Errorf("cell %s: %v of %d blocks becomes %v of %d by a block without a difference", c.Cell, was.Verdict, was.Replicates, c.Verdict, c.Replicates)
		}
	}
}

// withValues is a copy of the run whose trials' values f has changed.
func withValues(run *record.Run, f func([]float64)) *record.Run {
	other := *run
	other.Trials = slices.Clone(run.Trials)
	for i, trial := range other.Trials {
		m := trial.Measurements[0]
		m.Values = slices.Clone(m.Values)
		f(m.Values)
		other.Trials[i].Measurements = []record.Measurement{m}
	}
	return &other
}

func encoded(t *testing.T, r *compare.Result) []byte {
	t.Helper()
	data, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
