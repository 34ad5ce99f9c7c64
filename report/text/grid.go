package text

import (
	"fmt"

	"github.com/llama-regress/llama-regress/report"
)

// grids says of each parameter sweep where it is best and, with Options.Full,
// every cell.
func (p *printer) grids(list []report.Grid) {
	if len(list) == 0 {
		return
	}
	p.heading(fmt.Sprintf("%s (%d)", report.Titles.Grids, len(list)))
	for i, g := range list {
		if i == mostServings && !p.Full {
			p.more(len(list)-i, "sweep")
			break
		}
		p.line("  %s  %s over %s and %s  %s", p.paint(bold, name(g.Metric.Name, 20)), shorten(g.Model, 24), name(g.X, 16), name(g.Y, 16), name(g.Arm, 16))
		p.paragraph("    ", "    ", g.Finding)
		for j, point := range g.Points {
			if !p.Full {
				break
			}
			mark := " "
			if point.Best {
				mark = "*"
			}
			f := g.Figures[j]
			p.line("    %s %s %s  %s  %s", mark, padLeft(name(point.X, 12), 12), padLeft(name(point.Y, 12), 12), padLeft(f.Estimate, 14), f.Interval())
		}
	}
	p.paragraph("  ", "  ", report.Text{{Words: report.GridRule}})
}
