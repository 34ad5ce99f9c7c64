package compare_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

// losses are the true changes of the anchor tables: none, the margin, and more.
var losses = []float64{0, math.Expm1(-lambda), -0.04, -0.06, -0.10}

// share is a simulated share with its 95 % interval (Wilson), as text.
func share(hits, draws int) string {
	low, high := wilson(hits, draws)
	return fmt.Sprintf("%.2f %% [%.2f, %.2f]", 100*float64(hits)/float64(draws), 100*low, 100*high)
}

// anchors, CA: on the same sessions our rule calls a loss where there is none
// no more often than any other, and misses none of 10 % that another finds.
func anchors(t *testing.T, b *book) {
	const blocks = 10
	for _, between := range []float64{0, 0.005, 0.01, 0.02} {
		rs := rules()
		called := make([][]int, len(rs))
		covered := make([]int, len(rs))
		for i := range called {
			called[i] = make([]int, len(losses))
		}
		for k, lost := range losses {
			s := simulation{shape: shapes[0], within: within, between: between, blocks: blocks, change: always(loss(lost))}
			type said struct{ called, holds []bool } // by rule
			for _, all := range simulate(fmt.Sprint("CA ", between, lost), b.cells, func(rng *rand.Rand) said {
				run := s.session(rng)
				all := said{make([]bool, len(rs)), make([]bool, len(rs))}
				for i, r := range rs {
					all.called[i] = r.called(run)
					all.holds[i] = lost == -0.04 && r.holds != nil && r.holds(run, lost)
				}
				return all
			}) {
				for i := range rs {
					if all.called[i] {
						called[i][k]++
					}
					if all.holds[i] {
						covered[i]++
					}
				}
			}
		}
		tab := table{title: fmt.Sprintf("Anchors: trials vary by %.1f %%, repetitions within a trial by 1 %%", 100*between),
			text: "Share of sessions in which a loss is called, by the true loss, and in which the 95 % interval of the change holds it (at −4 %).",
			head: []string{"rule", "no change", "margin's edge (−2.91 %)", "−4 %", "−6 %", "−10 %", "coverage", "blocks"}}
		for i, r := range rs {
			row := []string{r.name}
			for _, hits := range called[i] {
				row = append(row, share(hits, b.cells))
			}
			cover, used := "none shown", blocks
			if r.holds != nil {
				cover = share(covered[i], b.cells)
			}
			if i >= len(rs)-4 {
				used = 1
			}
			tab.rows = append(tab.rows, append(row, cover, fmt.Sprint(used)))
			if i < 2 {
				continue // ours
			}
			name := fmt.Sprintf("%s, between %g", r.name, between)
			noWorse(t, b, "CA", "no change: "+name, called[0][0], called[i][0], b.cells)
			noWeaker(t, b, "CA", "−10 %: "+name, called[0][4], called[i][4], b.cells)
		}
		tab.text += stronger(rs, called)
		b.tables = append(b.tables, tab)
	}
}

// stronger says which rules call more of the small losses than ours: those that
// ask for any change at all, and those whose own edge lies elsewhere.
func stronger(rs []rule, called [][]int) string {
	var text strings.Builder
	for k, lost := range losses[2:4] {
		var more []string
		for i, r := range rs[1:] {
			if called[i+1][k+2] > called[0][k+2] {
				more = append(more, r.name)
			}
		}
		if more != nil {
			fmt.Fprintf(&text, " More often than llama-regress at −%.0f %%: %s.", -100*lost, strings.Join(more, "; "))
		}
	}
	return text.String()
}

// noWorse holds our false alarms to another's.
func noWorse(t *testing.T, b *book, gate, name string, ours, theirs, draws int) {
	t.Helper()
	b.hold(t, finding{gate: gate, name: "false alarms, " + name, hits: ours, draws: draws, limit: float64(theirs) / float64(draws)})
}

// noWeaker holds our power to another's, less what the draws cannot tell
// from equal (95 %); a count of all or none still has an error.
func noWeaker(t *testing.T, b *book, gate, name string, ours, theirs, draws int) {
	t.Helper()
	n := float64(draws)
	p := (float64(theirs) + 1) / (n + 2)
	limit := float64(theirs)/n - normal95*math.Sqrt(2*p*(1-p)/n)
	b.hold(t, finding{gate: gate, name: "power, " + name, hits: ours, draws: draws, limit: max(0, limit), atLeast: true})
}
