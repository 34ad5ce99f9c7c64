package text

import (
	"math"

	"github.com/llama-regress/llama-regress/report"
)

// A bar is drawn in margins, so that the marks stand in one column whatever
// the metric: worse to the left, better to the right.
const (
	barWidth  = 21
	barCentre = barWidth / 2
	barMargin = 3 // columns from no change to the margin's edge

	barLegend = "worse ┊margin┊ better"
)

// bar draws the interval and the estimate of a row against its margin, in at
// most room columns; nothing where there is no margin to draw against.
func (p *printer) bar(row report.Row, room int) string {
	c := row.Comparison
	if c.Margin == nil || c.Change == nil || !(c.Margin.High > 0) || room < barWidth {
		return ""
	}
	cells := make([]rune, barWidth)
	for i := range cells {
		cells[i] = ' '
	}
	cells[barCentre-barMargin], cells[barCentre], cells[barCentre+barMargin] = '┊', '│', '┊'
	at := func(change float64) int {
		return barCentre + int(math.Round(barMargin*math.Max(-1e3, math.Min(1e3, row.Gain(change)/c.Margin.High))))
	}
	if c.Interval != nil {
		low, high := at(c.Interval.Low), at(c.Interval.High)
		for i := max(0, min(low, high)); i <= min(barWidth-1, max(low, high)); i++ {
			cells[i] = '━'
		}
		mark(cells, low, '━')
		mark(cells, high, '━')
	}
	mark(cells, at(*c.Change), '●')
	return p.paint(classColors[row.Class], string(cells))
}

// mark sets cells[x], or an arrow at the end that x lies beyond.
func mark(cells []rune, x int, r rune) {
	switch {
	case x < 0:
		cells[0] = '◀'
	case x >= len(cells):
		cells[len(cells)-1] = '▶'
	default:
		cells[x] = r
	}
}
