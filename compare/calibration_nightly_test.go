package compare_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/llama-regress/llama-regress/compare"
	"github.com/llama-regress/llama-regress/stats"
)

const freshNights = 10 // after a change, as the searches for one see it

// What the nightly rules say of one set of series: ours whether they call a
// loss, the others' at which level they would.
type heard struct {
	history, alone, points     bool // of the family; of the first cell, judged alone; by change points
	bound, boundAlone, bySplit float64
}

// hear lets every rule judge the first so many of the cells.
func (n nightly) hear(values [][]float64, atRisk int, seed uint64) heard {
	h := heard{bound: 1, bySplit: 1}
	known := stats.Resemblances(values) // as a nightly report takes it from all trends of the machine
	for c, comparison := range n.judge(values, defaults).Comparisons[:atRisk] {
		xs := values[c]
		h.history = h.history || suspected(comparison)
		h.bound = min(h.bound, predictionP(xs[:n.stored], xs[n.stored]))
		h.bySplit = min(h.bySplit, bestSplitP(xs))
		h.points = h.points || slices.ContainsFunc(stats.ChangePoints(xs, stats.ChangeRule{Alpha: 0.001, Margin: lambda, Seed: seed, Resemblance: known[c]}),
			func(change stats.Change) bool { return change.Shift.Theta < 0 })
	}
	alone := n
	alone.cells = 1
	h.alone = slices.ContainsFunc(alone.judge(values[:1], defaults).Comparisons, func(c compare.Comparison) bool { return suspected(c) })
	h.boundAlone = predictionP(values[0][:n.stored], values[0][n.stored])
	return h
}

// A nightlyRule is one row of a table of nightly anchors.
type nightlyRule struct {
	name   string
	after  int // nights after the change that it sees
	called func(heard) bool
}

// nightlyRules are ours; the others as they are used; and the others at the
// level at which they raise as many false alarms as ours did in the nights
// without a change, or one in all if ours raised none: in their favour.
func nightlyRules(unchanged []heard, cells int) []nightlyRule {
	history := func(h heard) bool { return h.history }
	alone := func(h heard) bool { return h.alone }
	points := func(h heard) bool { return h.points }
	bound := func(h heard) float64 { return h.bound }
	boundAlone := func(h heard) float64 { return h.boundAlone }
	bySplit := func(h heard) float64 { return h.bySplit }
	at := func(level float64, p func(heard) float64) func(heard) bool {
		return func(h heard) bool { return p(h) <= level }
	}
	asOften := func(ours func(heard) bool, p func(heard) float64) func(heard) bool {
		ps := make([]float64, len(unchanged))
		for i, h := range unchanged {
			ps[i] = p(h)
		}
		slices.Sort(ps)
		return at(ps[max(1, howMany(unchanged, ours))-1], p)
	}
	return []nightlyRule{
		{"llama-regress, history mode", 1, history},
		{"t prediction bound 0.99 (Bencher)", 1, at(0.01, bound)},
		{"t prediction bound, 5 % shared by all cells", 1, at(defaults.Alpha/float64(cells), bound)},
		{"t prediction bound, false alarms as history mode", 1, asOften(history, bound)},
		{"llama-regress, history mode, one cell", 1, alone},
		{"t prediction bound 0.99 (Bencher), one cell", 1, at(0.01, boundAlone)},
		{"t prediction bound, one cell, false alarms as history mode", 1, asOften(alone, boundAlone)},
		{"llama-regress, change points at 0.001", freshNights, points},
		{"t test at the best split, 0.001 (Otava)", freshNights, at(0.001, bySplit)},
		{"t test at the best split, false alarms as change points", freshNights, asOften(points, bySplit)},
	}
}

// nightlyAnchors, CA: the same for a new night against stored ones, and for the
// search of a change in a series of nights.
//
// "Lower false-alarm rate than each at equal or higher power" (statistics reference
// 8) compares like with like only at equal false alarms: ours promise one error
// for all cells of a night and ask for more than the margin, the others spend 1 %
// or more on each cell and ask for any change, and such errors buy power. So the
// others are held against ours twice. As they are used, they must raise no fewer
// false alarms. And at the level at which they raise as many as ours, they must
// find no more losses of 10 %: the family of 12 against the family of 12, one
// cell against one cell. The table also shows what they find as they are used.
func nightlyAnchors(t *testing.T, b *book) {
	for _, sigma := range []float64{0.005, 0.01, 0.02} {
		n := nightly{stored: 20, cells: 12, sigma: sigma}
		nights := make([][]heard, len(losses))
		for k, lost := range losses {
			draws, atRisk := b.matrices, 1
			n.change = firstCell(loss(lost))
			if k < 2 {
				n.change, atRisk = always(loss(lost)), n.cells // no cell may be called: all are at risk
			}
			if k == 0 {
				draws = b.cells
			}
			if !*full {
				draws = (draws + 2) / 3 // a night is a series of sessions of many cells
			}
			nights[k] = simulate(fmt.Sprint("CA nightly ", sigma, lost), draws, func(rng *rand.Rand) heard {
				return n.hear(n.values(rng, freshNights), atRisk, rng.Uint64())
			})
		}
		tab := table{title: fmt.Sprintf("Nightly anchors: sessions vary by %.1f %%", 100*sigma),
			text: "20 stored sessions of 12 cells. Without a change and at the margin's edge: share of nights in which any of the 12 (of one cell: that one) is called a loss. " +
				"Beyond: in which the one cell that lost is. \"False alarms as\": at the level at which that many are raised without a change.",
			head: []string{"rule", "no change", "margin's edge (−2.91 %)", "−4 %", "−6 %", "−10 %", "nights after"}}
		rules := nightlyRules(nights[0], n.cells)
		hits := func(rule, k int) int { return howMany(nights[k], rules[rule].called) }
		for i, r := range rules {
			row := []string{r.name}
			for k := range losses {
				row = append(row, share(hits(i, k), len(nights[k])))
			}
			tab.rows = append(tab.rows, append(row, fmt.Sprint(r.after)))
		}
		b.tables = append(b.tables, tab)
		const unchanged, tenth = 0, 4
		for _, pair := range []struct{ ours, asUsed, asOften int }{{0, 1, 3}, {4, 5, 6}, {7, 8, 9}} {
			name := func(rule int) string { return fmt.Sprintf("%s, sessions %g", rules[rule].name, sigma) }
			noWorse(t, b, "CA", "no change: "+name(pair.asUsed), hits(pair.ours, unchanged), hits(pair.asUsed, unchanged), len(nights[unchanged]))
			noWeaker(t, b, "CA", "−10 %: "+name(pair.asOften), hits(pair.ours, tenth), hits(pair.asOften, tenth), len(nights[tenth]))
		}
	}
}
