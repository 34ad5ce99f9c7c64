package markdown

import (
	"fmt"

	"github.com/llama-regress/llama-regress/compare"
	"github.com/llama-regress/llama-regress/report"
)

// undecided says why rows have no verdict, and what caveats the others have.
func (d *document) undecided() {
	var groups [][]report.Row
	for rows := d.report.Rows; len(rows) > 0; {
		n := report.Unmeasured(rows)
		if row := rows[0]; row.Class != report.Unjudged && len(row.Reason)+len(row.Caveats) > 0 {
			groups = append(groups, rows[:n])
		}
		rows = rows[n:]
	}
	if len(groups) == 0 {
		return
	}
	candidates := severalCandidates(d.report.Rows)
	d.folded("Reasons and caveats", func() {
		list(d, groups, d.plan.all, func(rows []report.Row) { d.doubts(rows, candidates) })
	})
}

// doubts writes the reason and caveats that rows share.
func (d *document) doubts(rows []report.Row, candidates bool) {
	row := rows[0]
	what := code(row.Comparison.Metric.Name)
	for _, other := range rows[1:] {
		what += ", " + code(other.Comparison.Metric.Name)
	}
	what += " of " + code(row.Label)
	if candidates {
		what += " with " + code(row.Comparison.Candidate.Arm)
	}
	d.line("- %s", what)
	for _, t := range append([]report.Text{row.Reason, row.Remedy}, row.Caveats...) {
		if len(t) > 0 {
			d.line("  - %s", inline(t))
		}
	}
}

func (d *document) failures() {
	groups := report.GroupFailures(d.report.Failures)
	if len(groups) == 0 {
		return
	}
	d.folded(fmt.Sprintf("Failed trials (%d)", len(d.report.Failures)), func() {
		list(d, groups, min(d.plan.all, 20), func(g report.FailureGroup) {
			d.line("%d × %s in %s with %s, first %s: %s\n", g.Count, code(string(g.Cause.Class)), code(g.Label), code(g.Arm), code(g.Trial), code(g.Cause.Message))
			if g.Cause.Stderr != "" {
				d.line("%s", fenced("", "text", report.Block(g.Cause.Stderr, 1500)))
			}
		})
	})
}

func (d *document) differences() {
	all := d.report.Differences
	if len(all) == 0 {
		return
	}
	d.folded(fmt.Sprintf("What differs between the sides (%d)", len(all)), func() {
		d.line("| property | baseline | candidate | arm | |\n|---|---|---|---|---|")
		list(d, all, d.plan.all, func(x compare.Difference) {
			forbids := ""
			if x.Hard {
				forbids = "forbids a comparison"
			}
			d.line("| %s | %s | %s | %s | %s |", cell(x.Key), cell(x.Baseline), cell(x.Candidate), cell(x.Arm), forbids)
		})
	})
}

func (d *document) alone() {
	all := d.report.Alone
	if len(all) == 0 {
		return
	}
	d.folded(fmt.Sprintf("On one side only, so not compared (%d)", len(all)), func() {
		list(d, all, d.plan.all, func(a compare.Alone) {
			d.line("- %s of %s, only in %s", code(a.Metric), code(a.Cell), code(a.Arm))
		})
	})
}

func (d *document) notes() {
	if len(d.report.Notes) == 0 {
		return
	}
	d.folded(fmt.Sprintf("Notes (%d)", len(d.report.Notes)), func() {
		list(d, d.report.Notes, d.plan.all, func(t report.Text) { d.line("- %s", inline(t)) })
	})
}

func (d *document) measured() {
	if len(d.report.Facts) == 0 {
		return
	}
	d.folded("How it was measured", func() {
		for _, f := range d.report.Facts {
			d.line("- %s: %s", prose(f.Label), inline(f.Value))
		}
		list(d, d.report.Arms, min(d.plan.all, 20), func(a report.Arm) { d.line("- %s: %s", prose(string(a.Role)), armDetails(a)) })
	})
}

// armDetails says what an arm ran and with which settings of its own.
func armDetails(a report.Arm) string {
	text := code(a.Name)
	for _, part := range a.Details() {
		text += ", " + inline(part)
	}
	return text
}

func (d *document) words() {
	if len(d.report.Definitions) == 0 {
		return
	}
	d.folded("What the words mean", func() {
		for _, x := range d.report.Definitions {
			d.line("- **%s**: %s", prose(x.Term), prose(x.Meaning))
		}
	})
}

// list writes at most limit items and says how many are left.
func list[T any](d *document, items []T, limit int, write func(T)) {
	for i, item := range items {
		if i == limit {
			d.line("\n… and %d more.", len(items)-limit)
			return
		}
		if d.size() > d.limit {
			return
		}
		write(item)
	}
}
