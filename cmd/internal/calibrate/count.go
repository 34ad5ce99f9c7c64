package calibrate

import (
	"fmt"
	"io"
	"slices"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/cmd/internal/cli"
)

// deterministic is how far apart the counts of one build may lie; beyond it a gate has
// no verdict (statistics reference, 7.9).
const deterministic = 1e-3

// counts tells of each counted metric whether it repeats, and of how many it told.
// Neither blocks nor margins follow from that: two trials an arm are judged.
func counts(w io.Writer, runs []*record.Run) (n int) {
	type what struct{ cell, metric string }
	values := make(map[what][]float64)
	var order []what
	for _, run := range runs {
		for _, t := range run.Trials {
			for _, m := range t.Measurements {
				if d, _, ok := record.DefinitionOf(m.Metric); !ok || !d.Exact || t.Outcome != record.OK {
					continue
				}
				at := what{t.Cell, m.Metric}
				if values[at] == nil {
					order = append(order, at)
				}
				values[at] = append(values[at], m.Values...)
			}
		}
	}
	for _, at := range order {
		v := values[at]
		spread := slices.Max(v)/slices.Min(v) - 1
		verdict := "it repeats, and 2 trials an arm are judged at any margin from 0.1% on"
		if spread > deterministic {
			verdict = "it does not repeat, and a gate has no verdict: count one thread, and see what differs from trial to trial"
		}
		fmt.Fprintf(w, "%s of %s: %d trials of %d sessions within %.4f%%: %s\n", cli.Printable(at.metric), cli.Printable(at.cell), len(v), len(runs), 100*spread, verdict)
	}
	return len(order)
}

// countedAlone says that the runs hold nothing but counts.
func countedAlone(runs []*record.Run) bool {
	return !slices.ContainsFunc(runs, func(run *record.Run) bool {
		return slices.ContainsFunc(run.Cells, func(c record.Cell) bool { return c.Workload != record.CountWorkload })
	})
}
