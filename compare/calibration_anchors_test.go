package compare_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/llama-regress/llama-regress/stats"
)

// losses are the true changes of the anchor tables: none, the margin, and more.
var losses = []float64{0, math.Expm1(-lambda), -0.04, -0.06, -0.10}

func share(hits, draws int) string { return fmt.Sprintf("%.2f %%", 100*float64(hits)/float64(draws)) }

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
			for draw := range b.cells {
				run := s.session(generator(fmt.Sprint("CA ", between, lost), draw))
				for i, r := range rs {
					if r.called(run) {
						called[i][k]++
					}
					if lost == -0.04 && r.holds != nil && r.holds(run, lost) {
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

// noWeaker holds our power to another's, less 3 standard errors of the
// difference; a count of all or none still has an error.
func noWeaker(t *testing.T, b *book, gate, name string, ours, theirs, draws int) {
	t.Helper()
	n := float64(draws)
	p := (float64(theirs) + 1) / (n + 2)
	limit := float64(theirs)/n - 3*math.Sqrt(2*p*(1-p)/n)
	b.hold(t, finding{gate: gate, name: "power, " + name, hits: ours, draws: draws, limit: max(0, limit), atLeast: true})
}

// nightlyAnchors, CA: the same for a new night against stored ones, and for the
// search of a change in a series of nights.
func nightlyAnchors(t *testing.T, b *book) {
	draws := b.series / 2
	for _, sigma := range []float64{0.005, 0.01, 0.02} {
		n := nightly{stored: 20, cells: 12, sigma: sigma}
		const fresh = 10
		names := []string{"llama-regress, history mode", "t prediction bound 0.99 (Bencher)", "llama-regress, change points at 0.001", "t test at the best split, 0.001 (Otava)"}
		called := make([][]int, len(names))
		for i := range called {
			called[i] = make([]int, len(losses))
		}
		for k, lost := range losses {
			n.change = firstCell(loss(lost))
			if k < 2 {
				n.change = always(loss(lost)) // no cell may be called: all are at risk
			}
			atRisk := n.cells
			if k >= 2 {
				atRisk = 1
			}
			for draw := range draws {
				values := n.values(generator(fmt.Sprint("CA nightly ", sigma, lost), draw), fresh)
				for i, found := range n.callers(values, atRisk, uint64(draw)) {
					if found {
						called[i][k]++
					}
				}
			}
		}
		tab := table{title: fmt.Sprintf("Nightly anchors: sessions vary by %.1f %%", 100*sigma),
			text: "20 stored sessions of 12 cells. Without a change and at the margin's edge: share of nights in which any of the 12 is called a loss. Beyond: in which the one cell that lost is. " +
				"The last two rules see 10 nights after the change, the first two only one.",
			head: []string{"rule", "no change", "margin's edge (−2.91 %)", "−4 %", "−6 %", "−10 %", "nights after"}}
		for i, name := range names {
			row := []string{name}
			for _, hits := range called[i] {
				row = append(row, share(hits, draws))
			}
			after := "1"
			if i >= 2 {
				after = fmt.Sprint(fresh)
			}
			tab.rows = append(tab.rows, append(row, after))
		}
		b.tables = append(b.tables, tab)
		for i := 0; i < len(names); i += 2 {
			name := fmt.Sprintf("%s, sessions %g", names[i+1], sigma)
			noWorse(t, b, "CA", "no change: "+name, called[i][0], called[i+1][0], draws)
			if i == 2 && sigma < 0.02 { // see fairness for history mode
				noWeaker(t, b, "CA", "−10 %: "+name, called[i][4], called[i+1][4], draws)
			}
		}
	}
}

// callers returns, for each nightly rule, whether it calls a loss in any of the
// first so many cells.
func (n nightly) callers(values [][]float64, atRisk int, seed uint64) [4]bool {
	var called [4]bool
	for c, comparison := range n.judge(values, defaults).Comparisons[:atRisk] {
		xs := values[c]
		called[0] = called[0] || nominated(comparison)
		called[1] = called[1] || predictionLoss(xs[:n.stored], xs[n.stored])
		for _, change := range stats.ChangePoints(xs, stats.ChangeRule{Level: 0.001, Margin: lambda, Seed: seed}) {
			called[2] = called[2] || change.Shift.Theta < 0
		}
		_, down := bestSplit(xs, 0.001)
		called[3] = called[3] || down
	}
	return called
}
