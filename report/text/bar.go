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
	at := func(change float64) int { return barCentre + column(row, change) }
	if c.Interval != nil {
		low, high := at(c.Interval.Low), at(c.Interval.High)
		low, high = min(low, high), max(low, high)
		if low < high-1 || low < high && (c.Interval.High-c.Interval.Low)*barMargin > c.Margin.High {
			for i := max(0, low); i <= min(barWidth-1, high); i++ {
				if cells[i] == ' ' {
					cells[i] = '━'
				} else {
					cells[i] = '┿' // so that a mark under the bar stays to be seen
				}
			}
			mark(cells, low, '━')
			mark(cells, high, '━')
		}
	}
	mark(cells, at(*c.Change), '●')
	return p.paint(classColors[row.Class], string(cells))
}

// column is where a change stands, counted from the middle. What lies beyond
// the margin stands beyond its mark and what lies within stands inside,
// whatever rounding would make of it.
func column(row report.Row, change float64) int {
	m := row.Comparison.Margin
	gain := row.Gain(change)
	x := int(math.Round(barMargin * math.Max(-1e3, math.Min(1e3, gain/m.High))))
	worse, better := row.Gain(m.Low), row.Gain(m.High)
	if worse > better {
		worse, better = better, worse
	}
	switch {
	case gain < worse:
		return min(x, -barMargin-1)
	case gain > better:
		return max(x, barMargin+1)
	}
	return max(1-barMargin, min(barMargin-1, x))
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
