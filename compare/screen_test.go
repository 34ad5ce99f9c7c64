package compare

import (
	"slices"
	"testing"

	"github.com/llama-regress/llama-regress/ci/record"
)

// screened is a run of 20 cells in two stages, of which cell 4 lost a tenth: its
// screening, and all of its record with the fresh blocks of what was suspected.
func screened(seed uint64) (screen *Result, run *record.Run) {
	s := session{arms: []string{"base", "head"}, blocks: 18, noise: 0.02, cells: 20, seed: seed}
	run = s.run()
	run.Plan.Screen = 6
	slower(run, run.Cells[4].Key)
	screen = oneStage(blocksFrom(run, 0, 6, nil), DefaultPolicy(), screenShare)
	suspected := make(map[string]bool)
	for _, n := range uncleared(screen) {
		suspected[n.Cell] = true
	}
	run.Trials = slices.DeleteFunc(run.Trials, func(t record.Trial) bool { return t.Block >= 6 && !suspected[t.Cell] })
	return screen, run
}

// One real loss among many cells is suspected and confirmed; what the
// screening only suspected by chance is cleared by fresh blocks.
func TestScreenThenConfirm(t *testing.T) {
	screen, run := screened(12)
	slow := run.Cells[4].Key
	suspected := uncleared(screen)
	if len(suspected) == 0 || len(suspected) > 8 || !slices.ContainsFunc(suspected, func(n comparisonKey) bool { return n.Cell == slow }) {
		t.Fatalf("suspected %v: want the slow cell and few others", suspected)
	}
	res := Run(run, DefaultPolicy())
	if len(res.Comparisons) != len(screen.Comparisons) {
		t.Errorf("%d comparisons, want all %d", len(res.Comparisons), len(screen.Comparisons))
	}
	for _, c := range res.Comparisons {
		wasSuspected := slices.Contains(suspected, keyOf(c))
		if want := map[bool]int{true: 12, false: 6}[wasSuspected]; c.Replicates != want || c.Confirmed != wasSuspected {
			t.Errorf("%s rests on %d blocks, confirmed %t, want %d", c.Cell, c.Replicates, c.Confirmed, want)
		}
		if (c.Verdict == Regression) != (c.Cell == slow) {
			t.Errorf("%s: %v", c.Cell, c.Verdict)
		}
	}

	run.Trials = slices.DeleteFunc(run.Trials, func(t record.Trial) bool { return t.Block >= 6 && t.Cell == slow })
	checkVerdict(t, Run(run, DefaultPolicy()).Comparisons[4], Inconclusive, Unconfirmed)
}

// The two stages share the error of "equivalent": no stage may spend all of it.
func TestStagesShareTheErrorOfEquivalence(t *testing.T) {
	levels := map[bool]float64{false: 0.04, true: 0.01} // by whether the comparison was suspected
	undecided := make(map[bool]int)                     // at 5 % a stage they would be equivalent
	for seed := range uint64(40) {
		_, run := screened(seed)
		for _, c := range Run(run, DefaultPolicy()).Comparisons {
			e := c.effect
			p := max(e.PAbove(-e.lambda), e.PBelow(e.lambda))
			if level := levels[c.Confirmed]; (c.Verdict == Equivalent) != (p <= level) {
				t.Errorf("seed %d, %s: p %.4f of equivalence, confirmed %t, is %v at a level of %g", seed, c.Cell, p, c.Confirmed, c.Verdict, level)
			} else if p > level && p <= DefaultPolicy().Alpha {
				undecided[c.Confirmed]++
			}
		}
	}
	if undecided[false] == 0 || undecided[true] == 0 {
		t.Errorf("the test shows nothing: %v", undecided)
	}
}

func slower(run *record.Run, cell string) {
	for _, trial := range run.Trials {
		if trial.Cell == cell && trial.Arm == "head" {
			multiply(trial.Measurements[0].Values, 0.90)
		}
	}
}
