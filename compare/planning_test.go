package compare

import (
	"math"
	"testing"

	"github.com/llama-regress/llama-regress/ci/record"
)

// The components that went into a simulated session come out of its plan, and
// more time buys a smaller effect.
func TestOutlooks(t *testing.T) {
	s := session{arms: []string{"base", "head"}, blocks: 200, noise: 0.02, common: 0.05, cells: 2, seed: 3}
	run := s.run()
	for i := range run.Trials {
		trial := &run.Trials[i]
		trial.Seconds = 5 // of which 5 repetitions of 512 tokens at 1000 tok/s take 2.56 s
		multiply(trial.Measurements[0].Values, math.Exp(0.01*normalAt(i)))
	}
	short, long := Outlooks(run, DefaultPolicy(), 600), Outlooks(run, DefaultPolicy(), 6000)
	if len(short) != 2 || len(long) != 2 {
		t.Fatalf("%d and %d outlooks, want one for each of 2 cells", len(short), len(long))
	}
	for i, o := range short {
		if math.Abs(o.Within-0.02) > 0.002 || math.Abs(o.Between-0.01) > 0.004 {
			t.Errorf("%s: within %.4f, between %.4f; want 0.02 and 0.01", o.Cell, o.Within, o.Between)
		}
		if o.Seconds > 300 || o.Blocks < firstBlocks || o.Repetitions < 1 {
			t.Errorf("%s: %+v: want at most its half of 600 s", o.Cell, o)
		}
		if long[i].MDE >= o.MDE || long[i].MDE < 0.029 {
			t.Errorf("%s: ten times the time lowers the MDE from %.4f to %.4f", o.Cell, o.MDE, long[i].MDE)
		}
	}
	if got := Outlooks(run, DefaultPolicy(), 1); len(got) != 0 {
		t.Errorf("one second buys %+v", got)
	}
}

// A served trial has one value a metric: its plan is about blocks alone.
func TestOutlooksOfServing(t *testing.T) {
	s := session{arms: []string{"base", "head"}, blocks: 100, noise: 0.02, metric: record.Metric{Name: record.TTFTp50, Kind: record.TTFTp50, Unit: "s", Better: record.Lower}, seed: 3}
	run := s.run()
	for i := range run.Trials {
		run.Trials[i].Seconds = 10
		m := &run.Trials[i].Measurements[0]
		m.Values = m.Values[:1]
	}
	got := Outlooks(run, DefaultPolicy(), 600)
	if len(got) != 1 || got[0].Blocks != 30 || got[0].Repetitions != 1 || math.Abs(got[0].Between-0.02) > 0.003 || got[0].MDE <= 0.05 {
		t.Errorf("%+v: want 30 blocks of two trials of 10 s in 600 s", got)
	}
}

// normalAt is a fixed sequence that looks like standard normal values.
func normalAt(i int) float64 {
	u := math.Mod(float64(i)*0.6180339887498949+0.5, 1)
	return math.Sqrt2 * math.Erfinv(2*math.Min(math.Max(u, 1e-6), 1-1e-6)-1)
}
