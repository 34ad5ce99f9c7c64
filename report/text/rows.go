package text

import (
	"fmt"
	"slices"
	"strings"

	"github.com/llama-regress/llama-regress/report"
)

var classTitles = map[report.Class]string{
	report.Regression: "Regressions", report.NotMeasured: "Not measured", report.Suspected: "Suspected regressions",
	report.Improvement: "Improvements", report.Inconclusive: "Inconclusive", report.Unjudged: "Not judged", report.NoFailure: "Without a failure", report.Equivalent: "Equivalent",
}

var classColors = map[report.Class]string{
	report.Regression: red, report.NotMeasured: magenta, report.Suspected: yellow, report.Improvement: green,
	report.Inconclusive: yellow, report.Unjudged: dim, report.NoFailure: dim, report.Equivalent: dim,
}

// rows writes the comparisons class by class, in the report's order.
func (p *printer) rows(r report.Report) {
	candidates := severalCandidates(r.Rows)
	legend := true
	for start := 0; start < len(r.Rows); {
		end := start
		for end < len(r.Rows) && r.Rows[end].Class == r.Rows[start].Class {
			end++
		}
		p.class(r.Rows[start:end], candidates, &legend)
		start = end
	}
}

// class writes the rows of one class; legend is true until a bar was explained.
func (p *printer) class(rows []report.Row, candidates bool, legend *bool) {
	class := rows[0].Class
	title := fmt.Sprintf("%s (%d)", classTitles[class], len(rows))
	quiet := (class == report.Equivalent || class == report.NoFailure || class == report.Unjudged) && !p.Full
	bars := !quiet && class != report.NotMeasured
	if bars && *legend {
		*legend = false
		p.heading(title + strings.Repeat(" ", max(1, p.Width-len(title)-barWidth-4)) + barLegend)
	} else {
		p.heading(title)
	}
	said := make(map[string]bool) // reasons that hold for several of the rows
	if !quiet && class != report.NotMeasured {
		said = p.common(rows)
	}
	limit := mostRows
	if quiet || class == report.Improvement {
		limit = mostQuiet
	}
	for i, shown := 0, 0; i < len(rows); shown++ {
		if shown == limit && !p.Full {
			p.more(len(rows)-i, "comparison")
			break
		}
		n := 1
		if quiet {
			p.quiet(rows[i], candidates)
		} else {
			n = report.Unmeasured(rows[i:])
			p.row(rows[i:i+n], candidates, said)
		}
		i += n
	}
	if quiet && class != report.Equivalent {
		p.reasons(rows)
	}
}

// severalTimes is how many rows with one reason have it said once above them.
const severalTimes = 3

// common says the reasons that several rows have, and returns them.
func (p *printer) common(rows []report.Row) map[string]bool {
	count := make(map[string]int)
	said := make(map[string]bool)
	for _, row := range rows {
		count[because(row).String()]++
	}
	for _, row := range rows {
		why := because(row)
		n := count[why.String()]
		if len(why) == 0 || n < severalTimes || said[why.String()] {
			continue
		}
		said[why.String()] = true
		of := "All: "
		if n < len(rows) {
			of = fmt.Sprintf("%d of them: ", n)
		}
		p.paragraph("  ", "  ", slices.Concat(report.Text{{Words: of}}, why))
	}
	return said
}

// because is why a row has no verdict, and what would give it one.
func because(row report.Row) report.Text {
	if len(row.Reason) == 0 || len(row.Remedy) == 0 {
		return row.Reason
	}
	return slices.Concat(row.Reason, report.Text{{Words: "; "}}, row.Remedy)
}

// reasons says once why rows that were shown without one have no verdict.
func (p *printer) reasons(rows []report.Row) {
	metrics := make(map[string][]string) // by reason, in the order of their first row
	var order []report.Row
	for _, row := range rows {
		reason, metric := row.Reason.String(), name(row.Comparison.Metric.Name, 20)
		if reason == "" {
			continue
		}
		if metrics[reason] == nil {
			order = append(order, row)
		}
		if !slices.Contains(metrics[reason], metric) {
			metrics[reason] = append(metrics[reason], metric)
		}
	}
	for _, row := range order {
		which := ""
		if len(order) > 1 {
			which = strings.Join(metrics[row.Reason.String()], ", ") + ": "
		}
		var remedy report.Text
		if len(row.Remedy) > 0 {
			remedy = append(report.Text{{Words: "; "}}, row.Remedy...)
		}
		p.paragraph("  ", "  ", slices.Concat(report.Text{{Foreign: which}}, row.Reason, remedy))
	}
}

func metrics(rows []report.Row) string {
	var names []string
	for _, row := range rows {
		names = append(names, row.Comparison.Metric.Name)
	}
	return strings.Join(names, ", ")
}

// row writes what is compared, the numbers with a bar, and the doubts. Further
// rows of the same cell that measured nothing either are only named. What was said
// of several rows is not repeated.
func (p *printer) row(rows []report.Row, candidates bool, said map[string]bool) {
	row := rows[0]
	f := row.Figures
	p.line("  %s  %s", p.paint(classColors[row.Class], name(metrics(rows), 40)), what(row, candidates, p.Width-4-columns(name(metrics(rows), 40))))
	if f.Change != "" {
		numbers := fmt.Sprintf("    %s %s  %s", pad(f.Levels("->"), 23), padLeft(f.Change, 8), pad(f.Interval(), 18))
		p.line("%s", strings.TrimRight(numbers+p.bar(row, p.Width-columns(numbers)), " "))
	}
	if why := because(row); len(why) > 0 && !said[why.String()] {
		p.paragraph("    ", "    ", why)
	}
	for _, caveat := range row.Caveats {
		p.paragraph("    ! ", "      ", caveat)
	}
}

// quiet writes a row that asks for no attention on one line.
func (p *printer) quiet(row report.Row, candidates bool) {
	numbers := padLeft(row.Figures.Change, 8)
	if interval := row.Figures.Interval(); interval != "" {
		numbers += "  (" + interval + ")"
	}
	if row.Class == report.NotMeasured {
		numbers = "not measured"
	}
	metric, room := pad(name(row.Comparison.Metric.Name, 14), 14), p.Width-18-2-30
	p.line("  %s  %s  %s", metric, pad(what(row, candidates, room), room), p.paint(classColors[row.Class], numbers))
}

// what says which cell, and with which candidate where there are several.
func what(row report.Row, candidates bool, room int) string {
	if candidates {
		arm := name(row.Comparison.Candidate.Arm, 16)
		return arm + ": " + shorten(row.Label, room-columns(arm)-2)
	}
	return shorten(row.Label, room)
}

func severalCandidates(rows []report.Row) bool {
	for _, row := range rows {
		if row.Comparison.Candidate.Arm != rows[0].Comparison.Candidate.Arm {
			return true
		}
	}
	return false
}

// lastLine is the last line of a program's output that says anything.
func lastLine(s string) string {
	s = strings.TrimSpace(report.Block(s, 4000))
	return s[strings.LastIndexByte(s, '\n')+1:]
}
