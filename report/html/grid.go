package html

import (
	"math"
	"strconv"

	"github.com/llama-regress/llama-regress/report"
)

// A gridView is a parameter sweep as a table, a value of Y a row. Its lines are
// drawn from that table.
type gridView struct {
	report.Grid
	Rows []gridRow
}

type gridRow struct {
	Y     report.Foreign
	Cells []*gridCell // by Xs; nil where nothing was measured
}

// A gridCell is a point. Heat is how deep its colour is, 0 for the worst of the
// grid to 100 for the best. Value is in the table's unit.
type gridCell struct {
	report.GridFigures
	Best  bool
	Heat  int
	Value string
}

func newGridViews(list []report.Grid) []gridView {
	var views []gridView
	for _, g := range list {
		v := gridView{Grid: g}
		least := 1.0
		for _, f := range g.Figures {
			least = math.Min(least, f.Share)
		}
		type place struct{ x, y report.Foreign }
		at := make(map[place]*gridCell)
		for i, p := range g.Points {
			f := g.Figures[i]
			c := &gridCell{GridFigures: f, Best: p.Best, Value: gridValue(p.Mean, g)}
			if least < 1 {
				c.Heat = int(math.Round(100 * (f.Share - least) / (1 - least)))
			}
			at[place{p.X, p.Y}] = c
		}
		for _, y := range g.Ys {
			row := gridRow{Y: y}
			for _, x := range g.Xs {
				row.Cells = append(row.Cells, at[place{x, y}])
			}
			v.Rows = append(v.Rows, row)
		}
		views = append(views, v)
	}
	return views
}

// gridValue is a level in the unit of the grid's figures.
func gridValue(x float64, g report.Grid) string {
	return strconv.FormatFloat(rounded(x*g.Factor), 'g', -1, 64)
}
