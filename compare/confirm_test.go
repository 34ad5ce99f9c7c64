package compare

import "testing"

// suspectedResult is a session of two cells, both a tenth slower than the
// twelve stored, with its control.
func suspectedResult(t *testing.T, control float64) *Result {
	t.Helper()
	past, head := nights(12, 2, 0.005, -0.10, 31)
	s := session{arms: []string{"main", "control"}, blocks: 6, noise: 0.005, cells: 2, seed: 99, change: map[string]float64{"main": -0.10, "control": -0.10 + control}}
	head.Run = s.run()
	return History(past, head, DefaultPolicy())
}

// A session whose baseline differs from itself suspects nothing.
func TestHistoryHeedsTheControl(t *testing.T) {
	for _, c := range suspectedResult(t, 0).Comparisons {
		checkVerdict(t, c, Inconclusive, SuspectedByHistory)
	}
	res := suspectedResult(t, 0.10)
	if !res.ControlFired {
		t.Fatal("the control differs by a tenth and did not fire")
	}
	for _, c := range res.Comparisons {
		checkVerdict(t, c, Inconclusive, ControlFired)
	}
	if cells, _ := res.SuspectedCells(); len(cells) > 0 {
		t.Errorf("suspected %v", cells)
	}
}

// What a paired run says takes the place of suspicions, and of nothing else.
func TestConfirm(t *testing.T) {
	for _, tt := range []struct {
		name    string
		change  float64
		cells   int
		verdict Verdict
	}{
		{"the build is slower", -0.10, 2, Regression},
		{"the build is the same, so it was the machine", 0, 2, Equivalent},
		{"one cell alone was measured", -0.10, 1, Regression},
	} {
		t.Run(tt.name, func(t *testing.T) {
			res := suspectedResult(t, 0)
			if cells, metrics := res.SuspectedCells(); len(cells) != 2 || len(metrics) != 1 {
				t.Fatalf("suspected %v, %v", cells, metrics)
			}
			again := session{arms: []string{"base", "main"}, blocks: 12, noise: 0.005, cells: tt.cells, seed: 7, change: map[string]float64{"main": tt.change}}
			res.ConfirmSuspected(again.run())
			found := 0
			for i, c := range res.Comparisons {
				if i >= tt.cells {
					checkVerdict(t, c, Inconclusive, SuspectedByHistory)
					continue
				}
				checkVerdict(t, c, tt.verdict, "")
				if c.Method != Paired || c.Replicates != 12 {
					t.Errorf("%s, %d blocks", c.Method, c.Replicates)
				}
				if c.Verdict == Regression {
					found++
				}
			}
			if c := res.Confirmation; c == nil || c.Asked != 2 || c.Blocks != 12 || c.Regressions != found {
				t.Errorf("confirmation %+v", c)
			}
			if want := map[bool]Outcome{true: Regressed, false: Passed}[found > 0]; res.Outcome() != want {
				t.Errorf("outcome %s, want %s", res.Outcome(), want)
			}
		})
	}
}
