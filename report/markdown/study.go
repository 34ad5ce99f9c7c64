package markdown

import (
	"fmt"

	"github.com/llama-regress/llama-regress/report"
)

// studies sets the schedulers side by side, a table a cell.
func (d *document) studies() {
	all := d.report.Studies
	if len(all) == 0 {
		return
	}
	d.folded(fmt.Sprintf("%s (%d)", report.Titles.Studies, len(all)), func() {
		list(d, all, min(d.plan.all, 40), d.study)
		d.line("%s", prose(report.StudyRule))
	})
}

func (d *document) study(s report.Study) {
	head, rule := "| scheduler |", "|---|"
	for _, c := range s.Columns {
		head, rule = head+" "+cell(c.Title)+" |", rule+"--:|"
	}
	if !s.Label.IsEmpty() {
		d.line("%s\n", code(s.Label))
	}
	d.line("%s\n%s", head, rule)
	for _, row := range s.Rows {
		line := "| " + cell(row.Arm) + " |"
		for _, f := range row.Cells {
			text := prose(whole(f.Estimate))
			if interval := f.Interval(); interval != "" {
				text += " (" + figure(interval) + ")"
			}
			if f.Rank != "" {
				text += ", rank " + f.Rank
			}
			line += " " + text + " |"
		}
		d.line("%s", line)
	}
	d.line("")
	for _, f := range s.Findings {
		d.line("- %s", inline(f))
	}
	d.line("")
}
