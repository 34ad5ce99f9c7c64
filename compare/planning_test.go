package compare

import (
	"math"
	"testing"
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
		if o.Seconds > 300 || o.Blocks < firstLook || o.Repetitions < 1 {
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

// normalAt is a fixed sequence that looks like standard normal values.
func normalAt(i int) float64 {
	u := math.Mod(float64(i)*0.6180339887498949+0.5, 1)
	return math.Sqrt2 * math.Erfinv(2*math.Min(math.Max(u, 1e-6), 1-1e-6)-1)
}
