package compare

import (
	"testing"

	"github.com/llama-regress/llama-regress/fixtures/effort"
)

// searched measures a candidate block by block until the split has an answer.
func searched(t *testing.T, split Split, change float64, noise float64, seed uint64) Answer {
	t.Helper()
	for blocks := 1; blocks <= split.MostBlocks(); blocks++ {
		s := session{arms: []string{"good", "candidate"}, blocks: split.MostBlocks(), noise: noise, seed: seed, change: map[string]float64{"candidate": change}}
		run := s.run()
		kept := run.Trials[:0]
		for _, trial := range run.Trials {
			if trial.Block < blocks {
				kept = append(kept, trial)
			}
		}
		run.Trials = kept
		if a := split.Answer(run, "candidate", blocks, DefaultPolicy()); a.Over {
			return a
		} else if a.Known {
			t.Fatal("known and not over")
		}
	}
	t.Fatal("never over")
	return Answer{}
}

func splitOf(t *testing.T, change float64, steps int) Split {
	t.Helper()
	s := session{arms: []string{"good", "candidate"}, blocks: 12, noise: 0.005, seed: 3, change: map[string]float64{"candidate": change}}
	c := Run(s.run(), DefaultPolicy()).Comparisons[0]
	checkVerdict(t, c, Regression, "")
	return NewSplit(c, steps, DefaultPolicy())
}

func TestSplit(t *testing.T) {
	split := splitOf(t, -0.10, 4)
	if split.Border > -0.045 || split.Border < -0.056 {
		t.Errorf("border %.4f, want half of a tenth", split.Border)
	}
	for _, tt := range []struct {
		name   string
		change float64
		noise  float64
		known  bool
		bad    bool
		most   int
	}{
		{"as good as the good end", 0, 0.005, true, false, 6},
		{"as bad as the bad end", -0.10, 0.005, true, true, 6},
		{"noisier, so it takes longer", -0.10, 0.06, true, true, 20},
		{"on the border", split.Border, 0.02, false, false, 20},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := searched(t, split, tt.change, tt.noise, 11)
			if a.Known != tt.known || a.Bad != tt.bad || a.Blocks > tt.most || a.Change == nil {
				t.Errorf("%+v", a)
			}
			if a.Interval != nil && (a.Interval.Low > *a.Change || a.Interval.High < *a.Change) {
				t.Errorf("interval %+v does not hold %v", a.Interval, *a.Change)
			}
		})
	}
}

// Commits at either end are called by the wrong name no more often than the
// share of the error that a step has.
func TestSplitErrors(t *testing.T) {
	split := splitOf(t, -0.10, 2) // 2.5 % a step
	runs, most := effort.Draws(400, 160), effort.Draws(20, 11)
	wrong := 0
	for seed := range uint64(runs) {
		// Half of the loss is the border itself, the hardest of all cases: an
		// answer there is wrong on either side.
		if a := searched(t, split, split.Border, 0.02, 100+seed); a.Known && a.Bad {
			wrong++
		}
	}
	// 2.5 % of 400 is 10, of 160 it is 4: more than 20, or 11, has a chance below 0.2 %.
	if wrong > most {
		t.Errorf("%d of %d commits on the border were called bad", wrong, runs)
	}
}
