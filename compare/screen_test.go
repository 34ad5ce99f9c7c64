package compare

import (
	"slices"
	"testing"

	"github.com/llama-regress/llama-regress/ci/record"
)

// One real loss among many cells is nominated and confirmed; what the
// screening only suspected by chance is cleared by fresh blocks.
func TestScreenThenConfirm(t *testing.T) {
	s := session{arms: []string{"base", "head"}, blocks: 6, noise: 0.02, cells: 20, seed: 12}
	screened := s.run()
	slow := screened.Cells[4].Key
	slower(screened, slow)
	screen := Run(screened, DefaultPolicy())
	nominated := Nominate(screen)
	if len(nominated) == 0 || len(nominated) > 8 || !slices.ContainsFunc(nominated, func(n Nomination) bool { return n.Cell == slow }) {
		t.Fatalf("nominated %v: want the slow cell and few others", nominated)
	}

	s.seed, s.blocks = 13, 12
	fresh := s.run()
	slower(fresh, slow)
	res := Confirm(screen, screened, fresh)
	if len(res.Comparisons) != len(screen.Comparisons) {
		t.Errorf("%d comparisons, want all %d", len(res.Comparisons), len(screen.Comparisons))
	}
	for _, c := range res.Comparisons {
		isNominated := slices.Contains(nominated, nomination(c))
		if want := map[bool]int{true: 12, false: 6}[isNominated]; c.Blocks != want {
			t.Errorf("%s rests on %d blocks, want %d", c.Cell, c.Blocks, want)
		}
		if (c.Verdict == Regression) != (c.Cell == slow) {
			t.Errorf("%s: %v", c.Cell, c.Verdict)
		}
	}

	s.cells = 3 // the fresh run left the slow cell out
	if c := Confirm(screen, screened, s.run()).Comparisons[4]; c.Reason == nil || c.Reason.Code != NotMeasured {
		t.Errorf("nominated but not measured again: %v, %+v", c.Verdict, c.Reason)
	}
}

func TestConfirmWantsFreshData(t *testing.T) {
	run := session{arms: []string{"base", "head"}, blocks: 6}.run()
	screen := Run(run, DefaultPolicy())
	defer func() {
		if recover() == nil {
			t.Error("a run confirmed itself")
		}
	}()
	Confirm(screen, run, run)
}

func slower(run *record.Run, cell string) {
	for _, trial := range run.Trials {
		if trial.Cell == cell && trial.Arm == "head" {
			multiply(trial.Measurements[0].Values, 0.90)
		}
	}
}

// Cells that share their noise: flipping whole blocks sees that they are one
// finding, Holm counts them as forty.
func TestRomanoWolf(t *testing.T) {
	s := session{arms: []string{"base", "head"}, blocks: 12, noise: 0.0005, cells: 40, seed: 21, change: map[string]float64{"head": -0.05}}
	run := s.run()
	shared := []float64{0.025, -0.02, 0.015, -0.01, 0.02, -0.025, 0, 0.03, -0.03, 0.01, -0.015, 0}
	for _, trial := range run.Trials {
		if trial.Arm == "head" {
			multiply(trial.Measurements[0].Values, 1+shared[trial.Block])
		}
	}
	policy := DefaultPolicy()
	holm := Run(run, policy)
	policy.Correction = RomanoWolf
	flips := Run(run, policy)
	for i, c := range flips.Comparisons {
		if c.P.AdjustedRegression > holm.Comparisons[i].P.AdjustedRegression || c.P.AdjustedRegression < c.P.Regression/4 {
			t.Errorf("%s: p %.4f, Holm %.4f, by common flips %.4f", c.Cell, c.P.Regression, holm.Comparisons[i].P.AdjustedRegression, c.P.AdjustedRegression)
		}
	}
	if holm.Count(Regression) != 0 || flips.Count(Regression) != 40 {
		t.Errorf("Holm finds %d, common flips find %d of 40", holm.Count(Regression), flips.Count(Regression))
	}
}
