package markdown

import (
	"fmt"
	"slices"

	"github.com/llama-regress/llama-regress/report"
)

// undecided says why rows have no verdict, and what caveats the others have. What
// several rows have in common is said once.
func (d *document) undecided() {
	judged := slices.DeleteFunc(slices.Clone(d.report.Rows), func(r report.Row) bool { return r.Class == report.Unjudged })
	said := report.Repeated(judged)
	var groups [][]report.Row
	for rows := judged; len(rows) > 0; {
		n := report.Unmeasured(rows)
		if row := rows[0]; len(row.Caveats) > 0 || len(row.Reason) > 0 && !said.Tell(row) {
			groups = append(groups, rows[:n])
		}
		rows = rows[n:]
	}
	if len(groups)+len(said) == 0 {
		return
	}
	d.folded("Reasons and caveats", func() {
		for i, t := range said.Sentences(len(judged)) {
			d.line("- %s (%s)", inline(t), inline(report.MetricNames(said[i].Rows)))
		}
		list(d, groups, d.plan.all, func(rows []report.Row) { d.doubts(rows, said) })
	})
}

// doubts writes the reason and caveats that rows share.
func (d *document) doubts(rows []report.Row, said report.Repeats) {
	row := rows[0]
	what := inline(report.MetricNames(rows)) + " of " + code(row.Label)
	if report.SeveralCandidates(d.report.Rows) {
		what += " with " + code(row.Comparison.Candidate.Arm)
	}
	d.line("- %s", what)
	doubts := row.Caveats
	if !said.Tell(row) {
		doubts = slices.Concat([]report.Text{row.Reason, row.Remedy}, doubts)
	}
	for _, t := range doubts {
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
	d.folded(fmt.Sprintf("%s (%d)", report.Titles.Failures, len(d.report.Failures)), func() {
		list(d, groups, min(d.plan.all, 20), func(g report.FailureGroup) {
			d.line("%d × %s in %s with %s, first %s: %s\n", g.Count, code(g.Cause.Class()), code(g.Label), code(g.Arm), code(g.Trial), code(g.Cause.Message()))
			if out := g.Cause.Stderr(); !out.IsEmpty() {
				d.line("%s", out.MarkdownBlock("", "text", mostOutput))
			}
		})
	})
}

func (d *document) differences() {
	all := d.report.Differences
	if len(all) == 0 {
		return
	}
	d.folded(fmt.Sprintf("%s (%d)", report.Titles.Differences, len(all)), func() {
		d.line("| property | baseline | candidate | arm | |\n|---|---|---|---|---|")
		list(d, all, d.plan.all, func(x report.Difference) {
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
	d.folded(fmt.Sprintf("%s (%d)", report.Titles.Alone, len(all)), func() {
		list(d, all, d.plan.all, func(a report.Alone) {
			d.line("- %s of %s, only in %s", code(a.Metric), code(a.Cell), code(a.Arm))
		})
	})
}

func (d *document) notes() {
	if len(d.report.Notes) == 0 {
		return
	}
	d.folded(fmt.Sprintf("%s (%d)", report.Titles.Notes, len(d.report.Notes)), func() {
		list(d, d.report.Notes, d.plan.all, func(t report.Text) { d.line("- %s", inline(t)) })
	})
}

func (d *document) measured() {
	if len(d.report.Facts) == 0 {
		return
	}
	d.folded(report.Titles.Measured, func() {
		for _, f := range d.report.Facts {
			d.line("- %s: %s", prose(f.Label), inline(f.Value))
		}
		list(d, d.report.Arms, min(d.plan.all, 20), func(a report.Arm) { d.line("- %s: %s", prose(a.Role.String()), armDetails(a)) })
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
	d.folded(report.Titles.Definitions, func() {
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
