package compare_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/llama-regress/llama-regress/compare"
)

// equivalenceOfLayouts, C6: a cell that lost just the margin is called equivalent
// no more often than promised, however its blocks are laid out and wherever the
// noise lies: between a tenth of the margin, where every such cell is measured
// again, and more than the margin, where few are.
func equivalenceOfLayouts(t *testing.T, b *book) {
	const cells = 24
	sigmas, draws := []float64{0.01, 0.015, 0.02, 0.025, 0.03, 0.035}, max(1, b.matrices/4)
	if b.width < inFull.width {
		sigmas, draws = []float64{0.02, 0.03}, max(1, b.matrices/4)
	}
	tab := table{title: "Equivalence, by how the blocks are laid out",
		text: fmt.Sprintf("%d cells, by the standard deviation of a block's difference. Share of cells that are called equivalent although each lost just the margin, of which at most 5 %% is promised; and although none changed, which is right.", cells),
		head: []string{"truth", "blocks"}}
	for _, sigma := range sigmas {
		tab.head = append(tab.head, fmt.Sprintf("%.1f %%", 100*sigma))
	}
	for _, truth := range []struct {
		name   string
		change float64
	}{{"margin's edge (−2.91 %)", -lambda}, {"no change", 0}} {
		for _, l := range used() {
			row := []string{truth.name, l.name}
			for _, sigma := range sigmas {
				s := exactly(sigma, 0)
				s.cells, s.change = cells, always(truth.change)
				name := fmt.Sprintf("equivalent at the edge: %s, differences vary by %.1f %%", l.name, 100*sigma)
				if truth.change == 0 {
					name = "unchanged " + name
				}
				shown := 0
				for _, n := range simulate("C6 "+name, draws, func(rng *rand.Rand) int {
					r, _ := l.measure(defaults, s, rng)
					return r.Count(compare.Equivalent)
				}) {
					shown += n
				}
				row = append(row, share(shown, cells*draws))
				if truth.change != 0 {
					b.hold(t, finding{gate: "C6", name: name, hits: shown, draws: cells * draws, limit: defaults.Alpha, nominal: true})
				}
			}
			tab.rows = append(tab.rows, row)
		}
	}
	b.tables = append(b.tables, tab)
}
