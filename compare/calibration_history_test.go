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
	for i := range sessions {
		run := emptySession(n.cells, throughput)
		run.ID = fmt.Sprint("night", i)
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

func nominated(c compare.Comparison) bool {
	return c.Reason != nil && c.Reason.Code == compare.Nominated
}

// nominations, CH: a night in which every cell lost exactly the margin
// nominates none of them in 95 % of nights, few stored sessions or many.
func nominations(t *testing.T, b *book) {
	tab := table{title: "History mode: nominations", text: "Share of nights in which a cell is nominated although every cell lost just the margin, " +
		"in which one is although nothing changed, and in which the one cell that lost so much is. Sessions vary by 1 %; 12 cells moderate one another, a single one stands alone.",
		head: []string{"stored sessions", "cells", "at the edge", "no change", "−4 %", "−6 %", "−10 %"}}
	for _, n := range []nightly{{stored: 4, cells: 12}, {stored: 6, cells: 12}, {stored: 10, cells: 12}, {stored: 20, cells: 12}, {stored: 10, cells: 1}, {stored: 20, cells: 1}} {
		n.sigma = 0.01
		name := fmt.Sprintf("%d sessions, %d cells", n.stored, n.cells)
		nominate := func(what string, change func(int) float64) int {
			n.change = change
			return count("CH "+what+name, b.matrices, func(rng *rand.Rand) bool {
				for _, c := range n.judge(n.values(rng, 1), defaults).Comparisons {
					if nominated(c) {
						return true
					}
				}
				return false
			})
		}
		edge, none := nominate("edge ", always(-lambda)), nominate("none ", always(0))
		b.hold(t, finding{gate: "CH", name: "some cell at the edge: " + name, hits: edge, draws: b.matrices, limit: defaults.Alpha, nominal: true})
		b.hold(t, finding{gate: "CH", name: "some cell without change: " + name, hits: none, draws: b.matrices, limit: 0.005})
		row := []string{fmt.Sprint(n.stored), fmt.Sprint(n.cells), share(edge, b.matrices), share(none, b.matrices)}
		for _, lost := range losses[2:] {
			row = append(row, share(nominate(fmt.Sprint(lost), firstCell(loss(lost))), b.matrices))
		}
		tab.rows = append(tab.rows, row)

		n.change = always(loss(-0.05))
		held := count("CH interval "+name, b.matrices, func(rng *rand.Rand) bool {
			return covers(n.judge(n.values(rng, 1), at95()).Comparisons[0].Interval, -0.05)
		})
		b.hold(t, finding{gate: "CH", name: "interval: " + name, hits: held, draws: b.matrices, limit: 0.94, atLeast: true})
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

// changePoints, C8: a series without a change has one found in it no more often
// than the level says, and a step of 3 standard deviations is found where it is.
func changePoints(t *testing.T, b *book) {
	t3 := func(rng *rand.Rand) float64 {
		chiSquared := 0.0
		for range 3 {
			z := rng.NormFloat64()
			chiSquared += z * z
		}
		return rng.NormFloat64() / math.Sqrt(chiSquared)
	}
	for _, kind := range []shape{{name: "normal", draw: normal}, {name: "t3", draw: t3}, {name: "autocorrelated", draw: normal, lag: 0.3}} {
		for _, n := range []int{30, 60, 100, 200} {
			name := fmt.Sprintf("%s, %d nights", kind.name, n)
			alarms := count("C8 "+name, b.series, func(rng *rand.Rand) bool {
				return stats.ChangePoints(series(rng, kind, n), stats.ChangeRule{Level: 0.05, Seed: rng.Uint64()}) != nil
			})
			b.hold(t, finding{gate: "C8", name: "no change: " + name, hits: alarms, draws: b.series, limit: 0.05, nominal: true})
			if kind.name != "normal" {
				continue
			}
			near := count("C8 step "+name, b.series, func(rng *rand.Rand) bool {
				xs := series(rng, kind, n)
				at := 8 + rng.IntN(n-16)
				for i := at; i < n; i++ {
					xs[i] -= 3
				}
				found := stats.ChangePoints(xs, stats.ChangeRule{Level: 0.05, Seed: rng.Uint64()})
				return len(found) > 0 && nearest(found, at) <= 1
			})
			b.hold(t, finding{gate: "C8", name: "step of 3 sd, within 1: " + name, hits: near, draws: b.series, limit: 0.90, atLeast: true})
		}
	}
}

func series(rng *rand.Rand, s shape, n int) []float64 {
	xs := make([]float64, n)
	previous := s.draw(rng)
	for i := range xs {
		xs[i] = s.draw(rng)
		if s.lag > 0 {
			xs[i] = s.lag*previous + math.Sqrt(1-s.lag*s.lag)*xs[i]
			previous = xs[i]
		}
	}
	return xs
}

// nearest is how far the closest change found lies from a true one.
func nearest(found []stats.Change, at int) int {
	d := math.MaxInt
	for _, c := range found {
		d = min(d, max(c.At-at, at-c.At))
	}
	return d
}
