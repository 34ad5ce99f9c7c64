package html

import (
	"math"
	"strconv"

	"github.com/go-echarts/go-echarts/v2/charts"
	"github.com/go-echarts/go-echarts/v2/opts"
	"github.com/go-echarts/go-echarts/v2/types"

	"github.com/llama-regress/llama-regress/compare"
	"github.com/llama-regress/llama-regress/report"
)

// chartSet is what the page's script draws from. Options hold no data: the
// script adds that of the rows to be seen, and of trials what their table says.
type chartSet struct {
	Forest map[string]any            `json:"forest"`
	Strip  map[string]any            `json:"strip"`
	Tables map[string]map[string]any `json:"tables"` // by kind: drawn from the table below each
	Paired bool                      `json:"paired"` // the trials of a block belong together
	Rows   []chartRow                `json:"rows"`   // in the report's order, controls last
}

// A chartRow is one comparison. Gains are in percent or, of shares, in points,
// turned so that worse is negative; null where there is none.
type chartRow struct {
	ID     string       `json:"id"`
	Class  report.Class `json:"class"`
	Name   string       `json:"name"` // of its bar
	Points bool         `json:"points,omitempty"`
	Gain   *float64     `json:"gain"`
	Low    *float64     `json:"low"`
	High   *float64     `json:"high"`
	Margin *[2]float64  `json:"margin"`
}

func newCharts(r report.Report) chartSet {
	set := chartSet{Forest: forest(), Strip: strip(r.Method), Tables: tableCharts(), Paired: r.Method == compare.Paired, Rows: []chartRow{}}
	candidates := report.SeveralCandidates(r.Rows)
	for _, row := range r.Rows {
		set.Rows = append(set.Rows, newChartRow(row, candidates))
	}
	for _, row := range r.Controls {
		set.Rows = append(set.Rows, newChartRow(row, candidates))
	}
	return set
}

func newChartRow(row report.Row, candidates bool) chartRow {
	c := row.Comparison
	cr := chartRow{ID: row.ID, Class: row.Class, Points: row.Points}
	cr.Name = classes[row.Class].symbol + " " + c.Metric.Name.Script(40) + "  " + row.Label.Script(60)
	if candidates {
		cr.Name += "  " + c.Candidate.Arm.Script(30)
	}
	if !drawn(row) {
		return cr
	}
	cr.Gain = percent(row, *c.Change)
	if i := c.Interval; i != nil {
		cr.Low, cr.High = percent(row, i.Low), percent(row, i.High)
	}
	if m := c.Margin; m != nil {
		if low, high := percent(row, m.Low), percent(row, m.High); low != nil && high != nil {
			cr.Margin = &[2]float64{*low, *high}
		}
	}
	return cr
}

// drawn reports whether a row has a place on an axis in percent: a difference
// in a unit of its own has none.
func drawn(row report.Row) bool {
	c := row.Comparison
	return c.Change != nil && percent(row, *c.Change) != nil
}

// percent is the gain of a change for an axis, nil when it is beyond all
// numbers.
func percent(row report.Row, change float64) *float64 {
	x := 100 * row.Gain(change)
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return nil
	}
	x = rounded(x)
	return &x
}

// rounded keeps six significant digits: more than anybody sees, and fewer than
// differ from one processor to the next.
func rounded(x float64) float64 {
	x, _ = strconv.ParseFloat(strconv.FormatFloat(x, 'g', 6, 64), 64)
	return x
}

// forest is one line a comparison: margin, interval and estimate. The script
// knows the function behind the name "interval"; no code comes from here.
func forest() map[string]any {
	c := charts.NewCustom()
	c.SetGlobalOptions(
		charts.WithInitializationOpts(opts.Initialization{ChartID: "forest"}),
		charts.WithAnimation(false),
		charts.WithLegendOpts(opts.Legend{Show: opts.Bool(false)}),
		charts.WithGridOpts(opts.Grid{Left: "8", Right: "24", Top: "8", Bottom: "44", ContainLabel: opts.Bool(true)}),
		charts.WithTooltipOpts(opts.Tooltip{Show: opts.Bool(true), Trigger: "item"}),
		charts.WithXAxisOpts(opts.XAxis{Type: "value", NameLocation: "middle", NameGap: 28, Scale: opts.Bool(true)}),
		charts.WithYAxisOpts(opts.YAxis{Type: "category", Inverse: opts.Bool(true)}),
	)
	c.AddSeries("change", nil, charts.WithCustomChartOpts(opts.CustomChart{RenderItem: types.FuncStr("interval")}))
	return option(c)
}

// strip shows every trial of one comparison in the order in which it ran, so
// that drift and outliers can be seen.
func strip(m compare.Method) map[string]any {
	order := "trials of each side in the order in which they ran"
	switch m {
	case compare.Paired:
		order = "trials in the order in which they ran"
	case compare.Historical:
		order = "sessions in the order in which they ran"
	}
	c := charts.NewScatter()
	c.SetGlobalOptions(
		charts.WithInitializationOpts(opts.Initialization{ChartID: "strip"}),
		charts.WithAnimation(false),
		charts.WithLegendOpts(opts.Legend{Show: opts.Bool(true), Top: "0", Left: "0"}),
		charts.WithGridOpts(opts.Grid{Left: "8", Right: "16", Top: "48", Bottom: "34", ContainLabel: opts.Bool(true)}),
		charts.WithTooltipOpts(opts.Tooltip{Show: opts.Bool(true), Trigger: "item"}),
		charts.WithXAxisOpts(opts.XAxis{Type: "value", Name: order, NameLocation: "middle", NameGap: 24, Scale: opts.Bool(true)}),
		charts.WithYAxisOpts(opts.YAxis{Type: "value", Scale: opts.Bool(true)}),
	)
	c.AddSeries("baseline", nil)
	c.AddSeries("candidate", nil)
	return option(c)
}

// tableCharts are the charts of serving, by the kind that the page's script
// knows how to read from a table.
func tableCharts() map[string]map[string]any {
	line := func(id, x, y string) map[string]any {
		c := charts.NewLine()
		c.SetGlobalOptions(globals(id, x, y)...)
		return option(c)
	}
	bar := charts.NewBar()
	bar.SetGlobalOptions(globals("outcomes", "requests", "")...)
	functions := charts.NewBar()
	functions.SetGlobalOptions(globals("work", "percent of the baseline's work", "")...)
	return map[string]map[string]any{
		"outcomes": option(bar),
		"work":     option(functions),
		"ttft":     line("ttft", "time to first token", "% of requests"),
		"shift":    line("shift", "percent of requests", "longer than the baseline"),
		"machine":  line("machine", "seconds since the load began", ""),
		"capacity": line("capacity", "requests at a time", ""),
		"grid":     line("grid", "", ""),
	}
}

// globals are what all charts of serving have in common.
func globals(id, x, y string) []charts.GlobalOpts {
	return []charts.GlobalOpts{
		charts.WithInitializationOpts(opts.Initialization{ChartID: id}),
		charts.WithAnimation(false),
		charts.WithLegendOpts(opts.Legend{Show: opts.Bool(true), Top: "0", Left: "0"}),
		charts.WithGridOpts(opts.Grid{Left: "8", Right: "24", Top: "52", Bottom: "34", ContainLabel: opts.Bool(true)}),
		charts.WithTooltipOpts(opts.Tooltip{Show: opts.Bool(true), Trigger: "item"}),
		charts.WithXAxisOpts(opts.XAxis{Type: "value", Name: x, NameLocation: "middle", NameGap: 24, Scale: opts.Bool(true)}),
		charts.WithYAxisOpts(opts.YAxis{Type: "value", Name: y, Scale: opts.Bool(true)}),
	}
}

// option is a chart's option as plain data.
func option(c interface {
	Validate()
	JSON() map[string]any
}) map[string]any {
	c.Validate()
	return c.JSON()
}
