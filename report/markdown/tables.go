package markdown

import (
	"fmt"
	"strconv"

	"github.com/llama-regress/llama-regress/report"
)

// verdicts say the class of a row in a symbol and in words.
var verdicts = map[report.Class]string{
	report.Regression: "❌ regression", report.NotMeasured: "⚠️ not measured", report.Suspected: "❓ suspected",
	report.Improvement: "🟢 improvement", report.Inconclusive: "❔ inconclusive", report.Unjudged: "⚪ not judged", report.Equivalent: "✅ equivalent",
}

// openTable lists what is not equivalent, in the report's order.
func (d *document) openTable() {
	var rows []report.Row
	for _, row := range d.report.Rows {
		if row.Class != report.Equivalent && row.Class != report.Unjudged {
			rows = append(rows, row)
		}
	}
	if len(rows) == 0 || d.plan.open == 0 {
		return
	}
	d.table(rows, d.plan.open, false)
	d.line("")
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
		d.folded(fmt.Sprintf("Control: the baseline against itself (%d)", len(rows)), func() { d.table(rows, d.plan.all, true) })
	}
}

// table writes at most limit rows; wide adds what a second look asks for.
func (d *document) table(rows []report.Row, limit int, wide bool) {
	contenders := severalContenders(d.report.Rows)
	head, rule := "| verdict | metric | cell |", "|---|---|---|"
	if contenders {
		head, rule = head+" contender |", rule+"---|"
	}
	head, rule = head+" baseline → contender | change | interval | margin |", rule+"--:|--:|--:|--:|"
	if wide {
		head, rule = head+" noise | detectable | replicates |", rule+"--:|--:|--:|"
	}
	d.line("%s\n%s", head, rule)
	for i, row := range rows {
		if i == limit {
			d.line("\n… and %d more.", len(rows)-limit)
			return
		}
		if d.size() > d.limit {
			return // this plan has failed; render notices
		}
		d.row(row, contenders, wide)
	}
}

func (d *document) row(row report.Row, contenders, wide bool) {
	c, f := row.Comparison, row.Figures
	fmt.Fprintf(&d.b, "| %s | %s | %s |", verdicts[row.Class], cell(c.Metric.Name), cell(row.Label))
	if contenders {
		fmt.Fprintf(&d.b, " %s |", cell(c.Contender.Arm))
	}
	change := figure(f.Change)
	if row.Class == report.Regression && change != "" {
		change = "**" + change + "**"
	}
	fmt.Fprintf(&d.b, " %s | %s | %s | %s |", arrow(f), change, figure(f.Interval()), figure(f.Margin))
	if wide {
		replicates := ""
		if c.Blocks > 0 {
			replicates = strconv.Itoa(c.Blocks)
		}
		fmt.Fprintf(&d.b, " %s | %s | %s |", figure(f.Noise), figure(f.Detectable), replicates)
	}
	d.b.WriteByte('\n')
}

// figure writes numbers of the report, which hold nothing foreign.
func figure(s string) string { return prose(report.Minus(s)) }

func arrow(f report.Figures) string {
	if f.Baseline == "" && f.Contender == "" {
		return ""
	}
	return prose(f.Levels("→"))
}

func severalContenders(rows []report.Row) bool {
	for _, row := range rows {
		if row.Comparison.Contender.Arm != rows[0].Comparison.Contender.Arm {
			return true
		}
	}
	return false
}
