package text

import (
	"fmt"
	"strings"

	"github.com/llama-regress/llama-regress/report"
)

// mostStudies bounds the cells that are told of, unless Options.Full.
const mostStudies = 4

// studies sets the schedulers side by side, a cell each.
func (p *printer) studies(list []report.Study) {
	if len(list) == 0 {
		return
	}
	p.heading(fmt.Sprintf("%s (%d)", report.Titles.Studies, len(list)))
	for i, s := range list {
		if i == mostStudies && !p.Full {
			p.more(len(list)-i, "cell")
			break
		}
		if !s.Label.IsEmpty() {
			p.line("  %s", p.paint(bold, shorten(s.Label, p.Width-2)))
		}
		p.study(s)
		for _, f := range s.Findings {
			p.paragraph("    - ", "      ", f)
		}
	}
	p.paragraph("  ", "  ", report.Text{{Words: report.StudyRule}})
}

// study writes a table for each metric: columns side by side would not fit.
func (p *printer) study(s report.Study) {
	room := 8
	for _, row := range s.Rows {
		room = min(24, max(room, columns(name(row.Arm, 24))))
	}
	for i, c := range s.Columns {
		p.line("    %s", name(c.Title, p.Width-4))
		for _, row := range s.Rows {
			f := row.Cells[i]
			if f.Estimate == "" {
				p.line("      %s  not measured", pad(name(row.Arm, room), room))
				continue
			}
			line := fmt.Sprintf("      %s  %s  %s  rank %s", pad(name(row.Arm, room), room), padLeft(f.Estimate, 12), pad(f.Interval(), 20), f.Rank)
			p.line("%s", strings.TrimRight(line, " "))
		}
	}
}
