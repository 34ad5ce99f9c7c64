package compare_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/compare"
)

// A nightly makes stored sessions and a new one. Cells vary from session to
// session by standard deviations of their own, which scatter around sigma as
// the roots of a scaled inverse chi-squared with 8 degrees of freedom.
type nightly struct {
	stored, cells int
	sigma         float64                // of a session, as a share
	change        func(cell int) float64 // of the new session, on the log scale
}

// values are each cell's session means: the stored ones, then so many new ones.
func (n nightly) values(rng *rand.Rand, fresh int) [][]float64 {
	const df = 8
	values := make([][]float64, n.cells)
	for c := range values {
		chiSquared := 0.0
		for range df / 2 {
			chiSquared += 2 * rng.ExpFloat64()
		}
		sigma := n.sigma * math.Sqrt(df/chiSquared)
		for i := range n.stored + fresh {
			x := sigma * rng.NormFloat64()
			if i >= n.stored {
				x += n.change(c)
			}
			values[c] = append(values[c], x)
		}
	}
	return values
}

// judge compares the first new night with the stored ones.
func (n nightly) judge(values [][]float64, policy compare.Policy) *compare.Result {
	sessions := make([]compare.Selection, n.stored+1)
	empty := emptySession(n.cells, throughput)
	for i := range sessions {
		night := *empty
		run := &night
		run.ID = strconv.Itoa(i)
		run.Trials = make([]record.Trial, 0, 2*n.cells)
		for c, cell := range run.Cells {
			// The trials of a session scatter around its mean, which is all that counts.
			for k, around := range []float64{-0.004, 0.004} {
				addTrial(run, "base", cell, k, record.Measurement{Metric: throughput.Name, Values: []float64{1000 * math.Exp(values[c][i]+around)}})
			}
		}
		sessions[i] = compare.Selection{Run: run, Arm: "base"}
	}
	return compare.History(sessions[:n.stored], sessions[n.stored], policy)
}

func suspected(c compare.Comparison) bool {
	return c.Reason != nil && c.Reason.Code == compare.SuspectedByHistory
}

// suspicions, CH: a night in which every cell lost exactly the margin
// suspects none of them in 95 % of nights, few stored sessions or many. Few
// sessions of a dozen cells are the hard case: what they lend one another rests
// on a prior that is itself estimated, and to take its degrees of freedom for
// known suspected in 8.4 % of nights with 4 sessions and 6.2 % with 10. They must
// lend enough all the same: a cell that lost 10 % where sessions vary by 1 % is
// suspected with the usual power, 0.80, after 4 sessions of it.
func suspicions(t *testing.T, b *book) {
	tab := table{title: "History mode: suspicions", text: "Share of nights in which a cell is suspected although every cell lost just the margin, " +
		"in which one is although nothing changed, and in which the one cell that lost so much is. Sessions vary by 1 %; several cells moderate one another, a single one stands alone.",
		head: []string{"stored sessions", "cells", "at the edge", "no change", "−4 %", "−6 %", "−10 %"}}
	for _, n := range []nightly{{stored: 4, cells: 12}, {stored: 6, cells: 12}, {stored: 10, cells: 12}, {stored: 20, cells: 12},
		{stored: 4, cells: 30}, {stored: 10, cells: 1}, {stored: 20, cells: 1}} {
		n.sigma = 0.01
		name := fmt.Sprintf("%d sessions, %d cells", n.stored, n.cells)
		suspect := func(what string, nights int, change func(int) float64) int {
			n.change = change
			return count("CH "+what+name, nights, func(rng *rand.Rand) bool {
				return slices.ContainsFunc(n.judge(n.values(rng, 1), defaults).Comparisons, suspected)
			})
		}
		edge, none := suspect("edge ", b.nights, always(-lambda)), suspect("none ", b.cells, always(0))
		b.hold(t, finding{gate: "CH", name: "some cell at the edge: " + name, hits: edge, draws: b.nights, limit: defaults.Alpha, nominal: true})
		b.hold(t, finding{gate: "CH", name: "some cell without change: " + name, hits: none, draws: b.cells, limit: 0.005})
		row := []string{fmt.Sprint(n.stored), fmt.Sprint(n.cells), share(edge, b.nights), share(none, b.cells)}
		for _, lost := range losses[2:] {
			found := suspect(fmt.Sprint(lost), b.matrices, firstCell(loss(lost)))
			row = append(row, share(found, b.matrices))
			if lost == -0.10 {
				b.hold(t, finding{gate: "CH", name: "a loss of 10 %: " + name, hits: found, draws: b.matrices, limit: 0.80, atLeast: true})
			}
		}
		tab.rows = append(tab.rows, row)

		n.change = always(loss(-0.05))
		held := 0
		for _, holding := range simulate("CH interval "+name, b.cells, func(rng *rand.Rand) int {
			return howMany(n.judge(n.values(rng, 1), at95()).Comparisons, func(c compare.Comparison) bool { return covers(c.Interval, -0.05) })
		}) {
			held += holding
		}
		b.hold(t, finding{gate: "CH", name: "interval: " + name, hits: held, draws: b.cells * n.cells, limit: 0.94, atLeast: true})
	}
	b.tables = append(b.tables, tab)
}

func firstCell(change float64) func(int) float64 {
	return func(cell int) float64 {
		if cell == 0 {
			return change
		}
		return 0
	}
}
