package report

import (
	"slices"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/compare"
)

// withDeviations tells of rows whose trials are means what the program printed
// beside them, which is never their error.
func withDeviations(rows []Row, src Source) {
	base, head := deviations(src.Base), deviations(src.Head)
	if base == nil && head == nil {
		return
	}
	for i, row := range rows {
		c := row.c
		of, other := deviationText(c.Baseline, base, c), deviationText(c.Candidate, head, c)
		if of == "" && other == "" {
			continue
		}
		rows[i].Caveats = append(slices.Clip(row.Caveats), say("printed beside the means, of repetitions inside a process: %s, %s; it says nothing of another process, and is not the error of this comparison",
			orUnknown(of), orUnknown(other)))
	}
}

func orUnknown(text string) string {
	if text == "" {
		return "nothing"
	}
	return text
}

// deviations are the standard deviations that a run's program printed, by trial; nil
// where no trial has one.
func deviations(run *record.Run) map[string]float64 {
	if run == nil {
		return nil
	}
	var all map[string]float64
	for i := range run.Trials {
		for _, m := range run.Trials[i].Measurements {
			if m.Summary == nil || m.Summary.Deviation <= 0 {
				continue
			}
			if all == nil {
				all = make(map[string]float64)
			}
			all[run.Trials[i].ID] = m.Summary.Deviation
		}
	}
	return all
}

// deviationText is what stands beside the means of a side: "629.25 ± 288.96 tok/s".
func deviationText(s compare.Side, of map[string]float64, c compare.Comparison) string {
	var low, high float64
	n := 0
	for _, p := range s.Trials {
		sd, ok := of[p.Trial]
		if !ok {
			continue
		}
		if n == 0 {
			low, high = sd, sd
		}
		low, high = min(low, sd), max(high, sd)
		n++
	}
	unit := unitFor(c.Metric.Unit, s.Estimate)
	number := func(x float64) string { return significant(x*unit.factor, 5) }
	switch {
	case n == 0:
		return ""
	case len(s.Trials) == 1:
		return number(s.Trials[0].Value) + " ± " + number(high) + unit.suffix()
	}
	return "± " + number(low) + " to " + number(high) + unit.suffix() + " in " + plural(n, "row")
}
