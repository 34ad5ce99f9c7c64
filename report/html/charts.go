package html

import (
	"math"

	"github.com/go-echarts/go-echarts/v2/charts"
	"github.com/go-echarts/go-echarts/v2/opts"
	"github.com/go-echarts/go-echarts/v2/types"

	"github.com/llama-regress/llama-regress/compare"
	"github.com/llama-regress/llama-regress/report"
)

// chartSet is what the page's script draws from. Options hold no data: the
// script adds that of the rows to be seen.
type chartSet struct {
	Forest map[string]any `json:"forest"`
	Strip  map[string]any `json:"strip"`
	Rows   []chartRow     `json:"rows"` // in the report's order
}

// A chartRow is one comparison. Gains are in percent, or points, turned so
// that worse is negative; null where there is none.
type chartRow struct {
	ID     string       `json:"id"`
	Class  report.Class `json:"class"`
	Name   string       `json:"name"` // of its bar
	Gain   *float64     `json:"gain"`
	Low    *float64     `json:"low"`
	High   *float64     `json:"high"`
	Margin *[2]float64  `json:"margin"`
	Text   string       `json:"text"` // the finding, for tooltips

	Unit  string      `json:"unit"`
	Sides [2]sideData `json:"sides"` // baseline, contender
}

// sideData is an arm's trials: [order, value, block] each.
type sideData struct {
	Arm    string       `json:"arm"`
	Trials [][3]float64 `json:"trials"`
}

func newCharts(r report.Report) chartSet {
	set := chartSet{Forest: forest(), Strip: strip(), Rows: []chartRow{}}
	for _, row := range append(append([]report.Row(nil), r.Rows...), r.Controls...) {
		set.Rows = append(set.Rows, newChartRow(row))
	}
	return set
}

func newChartRow(row report.Row) chartRow {
	c := row.Comparison
	cr := chartRow{
		ID: row.ID, Class: row.Class, Text: foreignText(row.Finding), Unit: c.Metric.Unit,
		Name:  report.Line(c.Metric.Name, 40) + "  " + report.Line(row.Label, 60),
		Sides: [2]sideData{newSide(c.Baseline), newSide(c.Contender)},
	}
	gain := func(change float64) *float64 {
		g := 100 * row.Gain(change)
		if !finite(g) {
			return nil
		}
		return &g
	}
	if c.Change != nil {
		cr.Gain = gain(*c.Change)
	}
	if c.Interval != nil {
		cr.Low, cr.High = gain(c.Interval.Low), gain(c.Interval.High)
	}
	if c.Margin != nil && finite(c.Margin.Low) && finite(c.Margin.High) {
		cr.Margin = &[2]float64{*gain(c.Margin.Low), *gain(c.Margin.High)}
	}
	return cr
}

func newSide(s compare.Side) sideData {
	d := sideData{Arm: report.Line(s.Arm, 40), Trials: [][3]float64{}}
	for _, p := range s.Trials {
		if !finite(p.Value) {
			continue // JSON has no such number, and a chart no place for it
		}
		d.Trials = append(d.Trials, [3]float64{float64(p.Order), p.Value, float64(p.Block)})
	}
	return d
}

func finite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }

// forest is one line a comparison: margin, interval and estimate. The script
// knows the function behind the name "interval"; no code comes from here.
func forest() map[string]any {
	c := charts.NewCustom()
	c.SetGlobalOptions(
		charts.WithInitializationOpts(opts.Initialization{ChartID: "forest"}),
		charts.WithAnimation(false),
		charts.WithAriaOpts(&opts.Aria{Enabled: opts.Bool(true)}),
		charts.WithLegendOpts(opts.Legend{Show: opts.Bool(false)}),
		charts.WithGridOpts(opts.Grid{Left: "8", Right: "24", Top: "30", Bottom: "44", ContainLabel: opts.Bool(true)}),
		charts.WithTooltipOpts(opts.Tooltip{Show: opts.Bool(true), Trigger: "item"}),
		charts.WithXAxisOpts(opts.XAxis{Type: "value", Name: "← worse    change in %    better →", NameLocation: "middle", NameGap: 28, Scale: opts.Bool(true)}),
		charts.WithYAxisOpts(opts.YAxis{Type: "category", Inverse: opts.Bool(true)}),
	)
	c.AddSeries("change", nil, charts.WithCustomChartOpts(opts.CustomChart{RenderItem: types.FuncStr("interval")}))
	return option(c)
}

// strip shows every trial of one comparison in the order in which it ran, so
// that drift and outliers can be seen.
func strip() map[string]any {
	c := charts.NewScatter()
	c.SetGlobalOptions(
		charts.WithInitializationOpts(opts.Initialization{ChartID: "strip"}),
		charts.WithAnimation(false),
		charts.WithAriaOpts(&opts.Aria{Enabled: opts.Bool(true)}),
		charts.WithLegendOpts(opts.Legend{Show: opts.Bool(true), Top: "0", Left: "0"}),
		charts.WithGridOpts(opts.Grid{Left: "8", Right: "16", Top: "32", Bottom: "34", ContainLabel: opts.Bool(true)}),
		charts.WithTooltipOpts(opts.Tooltip{Show: opts.Bool(true), Trigger: "item"}),
		charts.WithXAxisOpts(opts.XAxis{Type: "value", Name: "trials in the order in which they ran", NameLocation: "middle", NameGap: 24, Scale: opts.Bool(true)}),
		charts.WithYAxisOpts(opts.YAxis{Type: "value", Scale: opts.Bool(true)}),
	)
	c.AddSeries("baseline", nil)
	c.AddSeries("contender", nil)
	return option(c)
}

// option is a chart's option as plain data.
func option(c interface {
	Validate()
	JSON() map[string]any
}) map[string]any {
	c.Validate()
	return c.JSON()
}
