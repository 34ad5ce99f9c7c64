package compare_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/llama-regress/llama-regress/compare"
)

// machineTime shows what the ways of sampling cost and find.
func machineTime(_ *testing.T, b *book) {
	plan := newLooks()
	one := table{title: "Machine time: one cell", text: "Trials and repetitions vary by 1 % each. Share of sessions in which a loss is called; in which no change is called equivalent; and the mean number of blocks, without a change and at −6 %.",
		head: []string{"sampling", "margin's edge (−2.91 %)", "−4 %", "−6 %", "−10 %", "equivalent at no change", "blocks, no change", "blocks, −6 %"}}
	ways := []struct {
		name   string
		decide func(simulation, *rand.Rand) (compare.Verdict, int)
	}{
		{"fixed 6", fixed(6)}, {"fixed 10", fixed(10)}, {"fixed 12", fixed(12)}, {"fixed 20", fixed(20)},
		{"looks at 6, 10, 15, 20", func(s simulation, rng *rand.Rand) (compare.Verdict, int) {
			s.blocks = plan.last()
			v, at := plan.decide(s.session(rng))
			return v, plan.blocks[at]
		}},
	}
	for _, way := range ways {
		found, blocks, equal := make([]int, len(losses)), make([]int, len(losses)), 0
		for k, lost := range losses {
			s := simulation{shape: shapes[0], within: within, between: within, change: always(loss(lost))}
			type decision struct {
				verdict compare.Verdict
				blocks  int
			}
			for _, d := range simulate(fmt.Sprint("time ", lost), b.matrices, func(rng *rand.Rand) decision {
				v, n := way.decide(s, rng)
				return decision{v, n}
			}) {
				blocks[k] += d.blocks
				if d.verdict == compare.Regression {
					found[k]++
				}
				if k == 0 && d.verdict == compare.Equivalent {
					equal++
				}
			}
		}
		row := []string{way.name}
		for _, hits := range found[1:] {
			row = append(row, share(hits, b.matrices))
		}
		mean := func(k int) string { return fmt.Sprintf("%.1f", float64(blocks[k])/float64(b.matrices)) }
		one.rows = append(one.rows, append(row, share(equal, b.matrices), mean(0), mean(3)))
	}
	b.tables = append(b.tables, one, matrixTime(b))
}

func fixed(blocks int) func(simulation, *rand.Rand) (compare.Verdict, int) {
	return func(s simulation, rng *rand.Rand) (compare.Verdict, int) {
		s.blocks = blocks
		return judgeOne(s.session(rng), defaults).Verdict, blocks
	}
}

// matrixTime is machineTime for a matrix in which one cell lost.
func matrixTime(b *book) table {
	draws := max(1, b.matrices/5)
	tab := table{title: fmt.Sprintf("Machine time: %d cells, one of which lost", b.width),
		text: fmt.Sprintf("Differences of a block vary by 1.5 %%; Holm. Share of sessions in which the loss is called, and the blocks of all cells together (%d sessions a figure).", draws),
		head: []string{"sampling", "−4 %", "−6 %", "−10 %", "cell-blocks at −6 %"}}
	single := func(s simulation, rng *rand.Rand) (*compare.Result, int) {
		s.blocks = 6 + confirmBlocks
		return compare.Run(s.session(rng), defaults), s.blocks * s.cells
	}
	for _, way := range []struct {
		name string
		run  func(simulation, *rand.Rand) (*compare.Result, int)
	}{{"18 blocks of every cell", single}, {"screen with 6, confirm with 12", twoStages}} {
		row, blocks := []string{way.name}, 0
		for _, lost := range losses[2:] {
			s := exactly(0.015, 0)
			s.cells, s.change = b.width, firstCell(loss(lost))
			type outcome struct {
				found bool
				used  int
			}
			outcomes := simulate(fmt.Sprint("matrix ", lost), draws, func(rng *rand.Rand) outcome {
				result, used := way.run(s, rng)
				return outcome{result.Comparisons[0].Verdict == compare.Regression, used}
			})
			if lost == -0.06 {
				for _, o := range outcomes {
					blocks += o.used
				}
			}
			row = append(row, share(howMany(outcomes, func(o outcome) bool { return o.found }), draws))
		}
		tab.rows = append(tab.rows, append(row, fmt.Sprintf("%.0f", float64(blocks)/float64(draws))))
	}
	return tab
}
