package markdown

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/llama-regress/llama-regress/report"
)

// verdicts say the class of a row in a symbol and in words.
var verdicts = map[report.Class]string{
	report.Regression: "❌ regression", report.NotMeasured: "⚠️ not\u00a0measured", report.Suspected: "❓ suspected",
	report.Improvement: "🟢 improvement", report.Inconclusive: "❔ inconclusive", report.Unjudged: "⚪ not judged", report.NoFailure: "✅ no\u00a0failure", report.Equivalent: "✅ equivalent",
}

// openTable lists what is not equivalent, in the report's order.
func (d *document) openTable() {
	var rows []report.Row
	for _, row := range d.report.Rows {
		if row.Class != report.Equivalent && row.Class != report.NoFailure && row.Class != report.Unjudged {
			rows = append(rows, row)
		}
	}
	if len(rows) == 0 || d.plan.open == 0 {
		return
	}
	shown, families := report.Families(rows)
	d.table(shown, d.plan.open, false)
	d.line("")
	left := d.plan.open - len(shown)
	for _, f := range families {
		span := ""
		if f.Span != "" {
			span = ", " + report.Minus(f.Span)
		}
		if d.plan.detail != Full || left <= 0 {
			d.line("… and %d more of %s%s\n", len(f.Rows), code(f.Metric), span)
			continue
		}
		d.folded(fmt.Sprintf("… and %d more like these%s", len(f.Rows), span), func() { d.table(f.Rows, left, false) })
		left -= len(f.Rows)
	}
}

func (d *document) allResults() {
	rows := d.report.Rows
	if len(rows) == 0 {
		return
	}
	d.folded(fmt.Sprintf("All results (%d)", len(rows)), func() { d.table(rows, d.plan.all, true) })
}

func (d *document) controls() {
	if rows := d.report.Controls; len(rows) > 0 {
		d.folded(fmt.Sprintf("%s (%d)", report.Titles.Control, len(rows)), func() { d.table(rows, d.plan.all, true) })
	}
}

// table writes at most limit rows; wide adds what a second look asks for.
func (d *document) table(rows []report.Row, limit int, wide bool) {
	candidates := report.SeveralCandidates(d.report.Rows)
	head, rule := "| verdict | metric | cell |", "|---|---|---|"
	if candidates {
		head, rule = head+" candidate |", rule+"---|"
	}
	head, rule = head+" baseline → candidate | change | interval | margin |", rule+"--:|--:|--:|--:|"
	if wide {
		head, rule = head+" noise | detectable | replicates |", rule+"--:|--:|--:|"
	}
	d.line("%s\n%s", head, rule)
	for shown := 0; len(rows) > 0; shown++ {
		if shown == limit {
			d.line("\n… and %d more.", len(rows))
			return
		}
		if d.size() > d.limit {
			return // this plan has failed; render notices
		}
		n := 1
		if !wide {
			n = report.Unmeasured(rows)
		}
		d.row(rows[:n], candidates, wide)
		rows = rows[n:]
	}
}

// row writes one row of a table, for rows that say the same of several metrics.
func (d *document) row(rows []report.Row, candidates, wide bool) {
	c, f := rows[0].Comparison, rows[0].Figures
	metrics := cell(c.Metric.Name)
	for _, other := range rows[1:] {
		metrics += ", " + cell(other.Comparison.Metric.Name)
		f = report.Figures{} // they have but their failure in common
	}
	fmt.Fprintf(&d.b, "| %s | %s | %s |", verdicts[rows[0].Class], metrics, cell(rows[0].Label))
	if candidates {
		fmt.Fprintf(&d.b, " %s |", cell(c.Candidate.Arm))
	}
	change := whole(figure(f.Change))
	if rows[0].Class == report.Regression && change != "" {
		change = "**" + change + "**"
	}
	fmt.Fprintf(&d.b, " %s | %s | %s | %s |", arrow(f), change, figure(f.Interval()), whole(figure(f.Margin)))
	if wide {
		replicates := ""
		if c.Replicates > 0 {
			replicates = strconv.Itoa(c.Replicates)
		}
		fmt.Fprintf(&d.b, " %s | %s | %s |", figure(f.Noise), figure(f.Detectable), replicates)
	}
	d.b.WriteByte('\n')
}

// figure writes numbers of the report, which hold nothing foreign. A line may
// break in front of "to" only.
func figure(s string) string {
	return prose(strings.ReplaceAll(report.Minus(s), " to ", " to\u00a0"))
}

// whole keeps a number and its unit on one line.
func whole(s string) string { return strings.ReplaceAll(s, " ", "\u00a0") }

func arrow(f report.Figures) string {
	if f.Baseline == "" && f.Candidate == "" {
		return ""
	}
	from, to, _ := strings.Cut(f.Levels("→"), " → ")
	return prose(whole(from) + " →\u00a0" + whole(to))
}
