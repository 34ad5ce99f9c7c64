package text

import (
	"fmt"
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
	candidates := report.SeveralCandidates(r.Rows)
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
	var said report.Repeats
	if !quiet {
		said = report.Repeated(rows)
	}
	for _, t := range said.Sentences(len(rows)) {
		p.paragraph("  ", "  ", t)
	}
	var families []report.Family
	if !quiet && !p.Full {
		rows, families = report.Families(rows)
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
	for _, f := range families {
		span := ""
		if f.Span != "" {
			span = ", " + f.Span
		}
		p.line("  … and %d more of %s%s (--full lists them)", len(f.Rows), f.Metric.Terminal(40), span)
	}
	if quiet && class != report.Equivalent {
		p.reasons(rows)
	}
}

// reasons says once why rows that were shown without one have no verdict.
func (p *printer) reasons(rows []report.Row) {
	all := report.ByReason(rows)
	for _, s := range all {
		t := s.Why
		if len(all) > 1 {
			t = report.Join(": ", report.MetricNames(s.Rows), t)
		}
		p.paragraph("  ", "  ", t)
	}
}

// row writes what is compared, the numbers with a bar, and the doubts. Further
// rows of the same cell that measured nothing either are only named. What was said
// of several rows is not repeated.
func (p *printer) row(rows []report.Row, candidates bool, said report.Repeats) {
	row := rows[0]
	f := row.Figures
	metrics := fit(report.MetricNames(rows).Terminal(), 40)
	p.line("  %s  %s", p.paint(classColors[row.Class], metrics), what(row, candidates, p.Width-4-columns(metrics)))
	if f.Change != "" {
		numbers := fmt.Sprintf("    %s %s  %s", pad(f.Levels("->"), 23), padLeft(f.Change, 8), pad(f.Interval(), 18))
		p.line("%s", strings.TrimRight(numbers+p.bar(row, p.Width-columns(numbers)), " "))
	}
	if why := row.Because(); len(why) > 0 && !said.Tell(row) {
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

// lastLine is the last line of a program's output that says anything.
func lastLine(f report.Foreign) string {
	s := strings.TrimSpace(f.TerminalBlock(4000))
	return s[strings.LastIndexByte(s, '\n')+1:]
}
