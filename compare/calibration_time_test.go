package compare_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/llama-regress/llama-regress/compare"
)

// machineTime shows what the ways of sampling one cell cost and find;
// stats/MACHINE-TIME.md has matrices.
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
	b.tables = append(b.tables, one)
}

func fixed(blocks int) func(simulation, *rand.Rand) (compare.Verdict, int) {
	return func(s simulation, rng *rand.Rand) (compare.Verdict, int) {
		s.blocks = blocks
		return judgeOne(s.session(rng), defaults).Verdict, blocks
	}
}
