package compare_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/compare"
	"github.com/llama-regress/llama-regress/stats"
)

const confirmBlocks = 12

// exactly makes sessions whose differences by block are normal with the given
// standard deviation: one repetition a trial, so that nothing else varies.
func exactly(sigma float64, blocks int) simulation {
	return simulation{shape: shapes[0], between: sigma / math.Sqrt2, blocks: blocks, repetitions: 1}
}

// twoStages screens a matrix with 6 blocks a cell and confirms what was
// nominated with 12 fresh ones. It returns the result and the blocks of all
// cells together.
func twoStages(s simulation, rng *rand.Rand) (*compare.Result, int) {
	s.blocks = 6
	screened := s.session(rng)
	result := compare.Run(screened, defaults)
	used := s.blocks * len(screened.Cells)
	nominated := make(map[string]bool)
	for _, n := range compare.Nominate(result) {
		nominated[n.Cell] = true
	}
	if len(nominated) == 0 {
		return result, used
	}
	s.blocks = confirmBlocks
	fresh := s.session(rng)
	fresh.ID = "fresh"
	var trials []record.Trial
	for _, t := range fresh.Trials {
		if nominated[t.Cell] {
			trials = append(trials, t)
		}
	}
	fresh.Trials = trials
	return compare.Confirm(result, screened, fresh), used + confirmBlocks*len(nominated)
}

// familyError, C3: with every cell of a matrix at the edge of the margin, not
// one of them is called a regression in 95 % of sessions, whether the cells are
// independent or move together.
func familyError(t *testing.T, b *book) {
	stepDown := compare.DefaultPolicy()
	stepDown.Correction = compare.RomanoWolf
	for _, common := range []float64{0, 0.3} {
		s := exactly(0.015, confirmBlocks)
		s.cells, s.common, s.change = b.width, common, always(-lambda)
		ways := []struct {
			name  string
			draws int
			judge func(*rand.Rand) *compare.Result
		}{
			{"Holm", b.matrices, func(rng *rand.Rand) *compare.Result { return compare.Run(s.session(rng), defaults) }},
			{"Romano-Wolf", b.matrices / 4, func(rng *rand.Rand) *compare.Result { return compare.Run(s.session(rng), stepDown) }},
			{"two stages", b.matrices, func(rng *rand.Rand) *compare.Result { r, _ := twoStages(s, rng); return r }},
		}
		for _, way := range ways {
			name := fmt.Sprintf("%s, %d cells, correlation %g", way.name, s.cells, common)
			hits := count("C3 "+name, way.draws, func(rng *rand.Rand) bool { return way.judge(rng).Count(compare.Regression) > 0 })
			f := finding{gate: "C3", name: name, hits: hits, draws: way.draws, limit: 0.065}
			if way.draws < b.matrices {
				f.limit, f.nominal = defaults.Alpha, true // 0.065 allows for the error of 2 000 draws
			}
			b.hold(t, f)
		}
	}
}

// powerAtMDE, C5: the loss that is said to be detectable with 80 % power is
// detected, in a single cell and in a matrix in which nothing else changed.
func powerAtMDE(t *testing.T, b *book) {
	const sigma = 0.015
	for _, blocks := range []int{6, 12, 20} {
		for _, cells := range []int{1, b.width} {
			s := exactly(sigma, blocks)
			s.cells = cells
			mde := stats.MDE(stats.Target{Margin: lambda, Alpha: defaults.Alpha / float64(max(2, cells)), Power: 0.80}, sigma, blocks)
			s.change = func(cell int) float64 {
				if cell == 0 {
					return -mde
				}
				return 0
			}
			draws := b.cells
			if cells > 1 {
				draws = b.matrices
			}
			name := fmt.Sprintf("%d cells, %d blocks", cells, blocks)
			found := count("C5 "+name, draws, func(rng *rand.Rand) bool {
				return judgeOne(s.session(rng), defaults).Verdict == compare.Regression
			})
			b.hold(t, finding{gate: "C5", name: name, hits: found, draws: draws, limit: 0.78, atLeast: true})
		}
	}
}
