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
	res := Run(twoStages(screened, 6, fresh), DefaultPolicy())
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

	s.cells = 3 // the fresh blocks leave the slow cell out
	if c := Run(twoStages(screened, 6, s.run()), DefaultPolicy()).Comparisons[4]; c.Reason == nil || c.Reason.Code != Unconfirmed {
		t.Errorf("nominated but not measured again: %v, %+v", c.Verdict, c.Reason)
	}
}

// twoStages is the record of a screening of so many blocks and the fresh blocks
// after it.
func twoStages(screened *record.Run, blocks int, fresh *record.Run) *record.Run {
	run := *screened
	run.Plan.Screen = blocks
	run.Trials = slices.Clone(screened.Trials)
	for _, t := range fresh.Trials {
		t.ID, t.Block = "fresh "+t.ID, t.Block+run.Plan.Screen
		run.Trials = append(run.Trials, t)
	}
	return &run
}

func slower(run *record.Run, cell string) {
	for _, trial := range run.Trials {
		if trial.Cell == cell && trial.Arm == "head" {
			multiply(trial.Measurements[0].Values, 0.90)
		}
	}
}
