package html

import (
	"cmp"
	"maps"
	"math"
	"slices"

	"github.com/llama-regress/llama-regress/report"
)

// A heatMap shows one metric of one model and candidate over the two
// parameters of a sweep. It is a table, so it needs no script to be read.
type heatMap struct {
	Metric, Model, Arm report.Foreign
	X, Y               report.Foreign // the parameters
	Xs                 []report.Foreign
	Rows               []heatRow
}

// A heatRow is the cells of one value of Y, in the order of Xs; nil where
// nothing was measured.
type heatRow struct {
	Y     report.Foreign
	Cells []*heatCell
}

// A heatCell is one comparison. Heat is how deep its colour is, from 0 to 100
// at deepest margins of change; 0 where no margin says what is much.
type heatCell struct {
	report.Row
	Heat  int
	Worse bool
}

// deepest is how many margins of change have the deepest colour.
const deepest = 3

// heatMaps draws every metric, model and candidate whose cells differ in
// exactly two parameters, in reading order of their worst row.
func heatMaps(rows []report.Row) []heatMap {
	type key struct{ workload, model, metric, arm report.Foreign }
	groups := make(map[key][]report.Row)
	var order []key
	for _, row := range rows {
		c := row.Comparison
		k := key{c.Workload, c.Model, c.Metric.Name, c.Candidate.Arm}
		if groups[k] == nil {
			order = append(order, k)
		}
		groups[k] = append(groups[k], row)
	}
	var all []heatMap
	for _, k := range order {
		if x, y, ok := swept(groups[k]); ok {
			m := newHeatMap(groups[k], x, y)
			m.Metric, m.Model, m.Arm = k.metric, k.model, k.arm
			all = append(all, m)
		}
	}
	return all
}

// swept returns the two parameters in which the rows differ, that with more
// values first, so that maps are wide and not long.
func swept(rows []report.Row) (x, y report.Foreign, ok bool) {
	values := make(map[report.Foreign][]report.Foreign)
	for name := range rows[0].Comparison.Params {
		values[name] = levels(rows, name)
	}
	var names []report.Foreign
	for _, name := range slices.SortedFunc(maps.Keys(values), report.Foreign.Compare) {
		if len(values[name]) > 1 {
			names = append(names, name)
		}
	}
	if len(names) != 2 || len(rows) < 4 {
		return x, y, false
	}
	if len(values[names[1]]) > len(values[names[0]]) {
		slices.Reverse(names)
	}
	for _, row := range rows {
		if len(row.Comparison.Params) != len(values) { // they differ in what they set, too
			return x, y, false
		}
	}
	return names[0], names[1], true
}

// levels lists the values of a parameter, as numbers when all of them are.
func levels(rows []report.Row, name report.Foreign) []report.Foreign {
	seen := make(map[report.Foreign]bool)
	for _, row := range rows {
		seen[row.Comparison.Params[name]] = true
	}
	list := slices.SortedFunc(maps.Keys(seen), report.Foreign.Compare)
	numbers := make(map[report.Foreign]float64, len(list))
	for _, v := range list {
		n, err := v.Number()
		if err != nil {
			return list
		}
		numbers[v] = n
	}
	slices.SortStableFunc(list, func(a, b report.Foreign) int { return cmp.Compare(numbers[a], numbers[b]) })
	return list
}

func newHeatMap(rows []report.Row, x, y report.Foreign) heatMap {
	type place struct{ x, y report.Foreign }
	at := make(map[place]*heatCell, len(rows))
	for _, row := range rows {
		cell := &heatCell{Row: row}
		if c := row.Comparison; c.Change != nil && c.Margin != nil && c.Margin.High > 0 {
			margins := math.Abs(*c.Change) / c.Margin.High
			cell.Heat, cell.Worse = int(math.Round(100*math.Min(1, margins/deepest))), row.Gain(*c.Change) < 0
		}
		at[place{row.Comparison.Params[x], row.Comparison.Params[y]}] = cell
	}
	m := heatMap{X: x, Y: y, Xs: levels(rows, x)}
	for _, v := range levels(rows, y) {
		r := heatRow{Y: v}
		for _, u := range m.Xs {
			r.Cells = append(r.Cells, at[place{u, v}])
		}
		m.Rows = append(m.Rows, r)
	}
	return m
}
