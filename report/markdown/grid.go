package markdown

import (
	"fmt"

	"github.com/llama-regress/llama-regress/report"
)

// mostGrids are shown; the HTML and JSON reports have them all.
const mostGrids = 4

// grids writes each parameter sweep as a table, the cells of its best region in
// bold.
func (d *document) grids() {
	all := d.report.Grids
	if len(all) == 0 {
		return
	}
	d.folded(fmt.Sprintf("%s (%d)", report.Titles.Grids, len(all)), func() {
		list(d, all, min(d.plan.all, mostGrids), d.grid)
		d.line("%s In bold: the marked cells.", prose(report.GridRule))
	})
}

func (d *document) grid(g report.Grid) {
	d.line("%s of %s with %s: %s\n", code(g.Metric.Name), code(g.Model), code(g.Arm), inline(g.Finding))
	head, rule := fmt.Sprintf("| %s, by %s |", cell(g.Y), cell(g.X)), "|---|"
	for _, x := range g.Xs {
		head, rule = head+" "+cell(x)+" |", rule+"--:|"
	}
	d.line("%s\n%s", head, rule)
	at := make(map[[2]report.Foreign]string)
	for i, p := range g.Points {
		f := g.Figures[i]
		text := prose(whole(f.Estimate))
		if p.Best {
			text = "**" + text + "**"
		}
		if interval := f.Interval(); interval != "" {
			text += " (" + figure(interval) + ")"
		}
		at[[2]report.Foreign{p.X, p.Y}] = text
	}
	for _, y := range g.Ys {
		line := "| " + cell(y) + " |"
		for _, x := range g.Xs {
			line += " " + at[[2]report.Foreign{x, y}] + " |"
		}
		d.line("%s", line)
	}
	d.line("")
}
