package measure

import (
	"fmt"
	"io"
	"slices"
	"text/tabwriter"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/report"
	"github.com/llama-regress/llama-regress/stats"
)

// OneBuild reports whether a run has one arm, its null control aside.
func OneBuild(run *record.Run) bool {
	return !slices.ContainsFunc(run.Arms, func(arm record.Arm) bool { return arm.ControlOf == "" && arm.Name != run.Baseline })
}

// Print says what a run of one arm measured, which has nothing to be
// compared with: of each metric the median of its trials and their range.
func Print(w io.Writer, run *record.Run) error {
	uncounted := run.Uncounted()
	for _, c := range run.Cells {
		var trials []record.Trial
		good, all := 0, 0
		for _, t := range run.Trials {
			if t.Cell != c.Key || t.Arm != run.Baseline || uncounted[t.ID] {
				continue
			}
			if all++; t.Fault() == nil {
				good++
			}
			if t.Counts() {
				trials = append(trials, t)
			}
		}
		of := ""
		if len(trials) > 1 {
			of = "; their median and range"
		}
		fmt.Fprintf(w, "%s: %d of %d trials measured%s\n", report.Line(c.Key, 120), good, all, of)
		tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		for _, m := range c.Metrics {
			var values []float64
			undefined := 0
			for _, t := range trials {
				measured, ok := t.Measurement(m.Name)
				if !ok {
					undefined++
				} else if !measured.Censored {
					values = append(values, stats.Median(measured.Values))
				}
			}
			switch {
			case len(trials) == 0:
			case undefined == len(trials): // no answer had a second token
			case len(values)+undefined < len(trials):
				fmt.Fprintf(tw, "  %s\tnot estimable in %d of %d: requests failed\n", report.Line(m.Name, 40), len(trials)-undefined-len(values), len(trials))
			case len(values) == 1:
				fmt.Fprintf(tw, "  %s\t%s\n", report.Line(m.Name, 40), report.Amount(m, values[0]))
			default:
				fmt.Fprintf(tw, "  %s\t%s\tfrom %s to %s\n", report.Line(m.Name, 40), report.Amount(m, stats.Median(values)), report.Amount(m, slices.Min(values)), report.Amount(m, slices.Max(values)))
			}
		}
		if err := tw.Flush(); err != nil {
			return err
		}
	}
	return nil
}
