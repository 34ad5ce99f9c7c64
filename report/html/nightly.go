package html

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"strings"
	"sync"

	"github.com/go-echarts/go-echarts/v2/charts"
	"github.com/go-echarts/go-echarts/v2/opts"

	"github.com/llama-regress/llama-regress/report"
)

//go:embed nightly.js
var nightlyScript string

//go:embed nightly.css
var nightlyStyle string

//go:embed nightly.html.tmpl
var nightlyText string

var nightlyPage = sync.OnceValue(func() *template.Template {
	return template.Must(template.New("nightly").Funcs(functions).Funcs(template.FuncMap{
		"day":    day,
		"commit": func(n report.Night) template.HTML { return n.ShortCommit().HTML(24) },
		"sha":    func(s string) string { return s[:min(len(s), 12)] },
	}).Parse(nightlyText))
})

// WriteNightly writes the page of a store of nights, as Write does a report's:
// what is open with its trend, then the last night, then every trend.
func WriteNightly(w io.Writer, n report.Nightly, o Options) error {
	data, err := json.Marshal(newNightlyCharts(n))
	if err != nil {
		return fmt.Errorf("charts: %w", err)
	}
	library, script := echarts, chartScript+commonScript+nightlyScript
	if o.WithoutCharts {
		library = ""
	}
	var b bytes.Buffer
	err = nightlyPage().Execute(&b, map[string]any{
		"View":    newNightlyView(n),
		"Policy":  policy(library, script),
		"Style":   template.CSS(pageStyle + nightlyStyle),
		"Library": template.JS(library),
		"Script":  template.JS(script),
		"Charts":  template.JS(data), // inert, as in Write
		"Notice":  strings.TrimSpace(echartsNotice),
	})
	if err != nil {
		return fmt.Errorf("html nightly: %w", err)
	}
	_, err = w.Write(b.Bytes())
	return err
}

// nightlyCharts is what the page's script draws trends from. Rows and the
// options of a report's charts are not used.
type nightlyCharts struct {
	Rows     []chartRow                `json:"rows"`
	Tables   map[string]map[string]any `json:"tables"`
	Machines []chartMachine            `json:"machines"`
}

// A chartMachine has its nights once and trends that refer to them.
type chartMachine struct {
	Nights []chartNight          `json:"nights"`
	Trends map[string]chartTrend `json:"trends"` // by the ID of their element
}

// A chartNight is when a night began, in minutes since 1970, and its build in
// words.
type chartNight struct {
	At    int64  `json:"at"`
	Build string `json:"build,omitempty"`
}

// A chartTrend holds points as pairs of night and value; levels, breaks and
// changes refer to points by index.
type chartTrend struct {
	Name    string       `json:"name"`
	Unit    string       `json:"unit"`
	Points  [][2]float64 `json:"points"`
	Levels  [][5]float64 `json:"levels"` // from, to, value, low, high
	Breaks  []chartBreak `json:"breaks"`
	Changes []chartMark  `json:"changes"`
}

type chartBreak struct {
	At  int    `json:"at"`
	Why string `json:"why"`
}

type chartMark struct {
	At    int  `json:"at"`
	Worse bool `json:"worse"`
	Drift bool `json:"drift"`
}

func newNightlyCharts(n report.Nightly) nightlyCharts {
	set := nightlyCharts{Rows: []chartRow{}, Tables: map[string]map[string]any{"trend": trendChart()}, Machines: []chartMachine{}}
	shares := portions(n)
	for i, m := range n.Machines {
		cm := chartMachine{Nights: []chartNight{}, Trends: make(map[string]chartTrend)}
		at := make(map[string]int) // index of a night by its key
		for k, t := range m.Trends {
			if share := shares[i][k]; share.shown {
				cm.Trends[trendID(i, k)] = cm.trend(t, at, share.drawn)
			}
		}
		if m.Sentinel != nil {
			for k, t := range m.Sentinel.Trends {
				cm.Trends[pinnedID(i, k)] = cm.trend(t, at, len(t.Nights))
			}
		}
		set.Machines = append(set.Machines, cm)
	}
	return set
}

// trend draws the latest nights of a trend. at has the machine's nights by their keys.
func (cm *chartMachine) trend(t report.Trend, at map[string]int, nights int) chartTrend {
	ct := chartTrend{Name: t.Metric.Script(40) + "  " + t.Label.Script(60), Unit: t.Unit, Points: [][2]float64{}, Levels: [][5]float64{}, Breaks: []chartBreak{}, Changes: []chartMark{}}
	first := len(t.Nights) - nights
	for _, p := range t.Nights[first:] {
		night, ok := at[p.Key]
		if !ok {
			night = len(cm.Nights)
			at[p.Key] = night
			cm.Nights = append(cm.Nights, chartNight{At: p.Started.Unix() / 60, Build: buildWords(*p.Night)})
		}
		ct.Points = append(ct.Points, [2]float64{float64(night), rounded(p.Value)})
	}
	for _, l := range t.Levels {
		if l.To > first {
			ct.Levels = append(ct.Levels, [5]float64{float64(max(0, l.From-first)), float64(l.To - first), rounded(l.Value), rounded(l.Low), rounded(l.High)})
		}
	}
	for _, b := range t.Breaks {
		if b.At < first {
			continue
		}
		why := b.Why.Script(60)
		if b.Accepted {
			why = "accepted: " + why
		}
		ct.Breaks = append(ct.Breaks, chartBreak{b.At - first, why})
	}
	for _, c := range t.Marks {
		if c.At >= first {
			ct.Changes = append(ct.Changes, chartMark{c.At - first, c.Worse, c.Drift})
		}
	}
	return ct
}

// trendID names the element of a trend, pinnedID that of the sentinel's.
func trendID(machine, trend int) string { return fmt.Sprintf("t-%d-%d", machine, trend) }

func pinnedID(machine, trend int) string { return fmt.Sprintf("s-%d-%d", machine, trend) }

func buildWords(n report.Night) string {
	var parts []string
	if n.Build > 0 {
		parts = append(parts, fmt.Sprintf("build %d", n.Build))
	}
	if c := n.ShortCommit().Script(24); c != "" {
		parts = append(parts, c)
	}
	return strings.Join(parts, ", ")
}

// trendChart shows nights as dots, levels as lines with their bands, and marks
// where levels changed and where history broke.
func trendChart() map[string]any {
	c := charts.NewScatter()
	c.SetGlobalOptions(
		charts.WithInitializationOpts(opts.Initialization{ChartID: "trend"}),
		charts.WithAnimation(false),
		charts.WithLegendOpts(opts.Legend{Show: opts.Bool(true), Top: "0", Left: "0"}),
		charts.WithGridOpts(opts.Grid{Left: "8", Right: "24", Top: "58", Bottom: "12", ContainLabel: opts.Bool(true)}),
		charts.WithTooltipOpts(opts.Tooltip{Show: opts.Bool(true), Trigger: "item"}),
		charts.WithXAxisOpts(opts.XAxis{Type: "time"}),
		charts.WithYAxisOpts(opts.YAxis{Type: "value", Scale: opts.Bool(true)}),
	)
	c.AddSeries("night", nil)
	return option(c)
}
