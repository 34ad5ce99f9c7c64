package html

import (
	"slices"
	"strconv"
	"time"

	"github.com/llama-regress/llama-regress/compare"
	"github.com/llama-regress/llama-regress/report"
)

// nightsShown is how many of a trend's latest nights stand in its table.
const nightsShown = 60

// A nightlyView is a nightly as its template needs it.
type nightlyView struct {
	report.Nightly
	Tone, Mark string
	Machines   []machineView
}

type machineView struct {
	report.NightlyMachine
	Open, Gains, Over []pointView
	Suspected         []moveView
	NotMeasured       []moveView
	Trends            []trendView // open ones first, then those that changed
	Pinned            []trendView // of the sentinel
	Changed           int         // trends with a change or an open regression
	Unshown           int         // trends that there is no room for
}

type pointView struct {
	report.ChangePoint
	Class  report.Class
	Charts []moveView // as rows are ordered
	More   int        // commits that are not listed
}

// A moveView is one trend that moved.
type moveView struct {
	report.Row
	Trend string // ID of its element, "" when it has none
}

type trendView struct {
	report.Trend
	ID      string
	Changed bool
	Failed  bool // the last night ran it and measured nothing
	Spans   []spanView
	Recent  []report.TrendNight // the latest first
	Older   int
	Drawn   int // its latest nights
}

// A spanView is a level, with what began it.
type spanView struct {
	From, To time.Time
	Nights   int
	Text     string
	Band     string
	Began    string         // "", "worse", "better", "drift", "break"
	Why      report.Foreign // of a break
}

func newNightlyView(n report.Nightly) nightlyView {
	v := nightlyView{Nightly: n}
	v.Tone, v.Mark = nightlyTone(n)
	shares := portions(n)
	for i, m := range n.Machines {
		mv := machineView{NightlyMachine: m}
		ids := make(map[string]string) // of a trend's element by the trend's own
		type place struct{ cell, metric report.Foreign }
		byCell := make(map[place]string) // by cell and metric
		for k, t := range m.Trends {
			share := shares[i][k]
			if !share.shown {
				mv.Unshown++
				continue
			}
			tv := newTrendView(t, trendID(i, k), share)
			tv.Failed = slices.ContainsFunc(t.Missed, func(n report.Night) bool { return n.Key == m.Night.Key })
			mv.Trends = append(mv.Trends, tv)
			if _, twice := ids[t.ID]; !twice {
				ids[t.ID] = tv.ID
			}
			byCell[place{t.Cell, t.Metric}] = tv.ID
			if tv.Changed {
				mv.Changed++
			}
		}
		if m.Sentinel != nil {
			for k, t := range m.Sentinel.Trends {
				mv.Pinned = append(mv.Pinned, newTrendView(t, pinnedID(i, k), portion{shown: true, drawn: len(t.Nights), table: min(len(t.Nights), nightsShown)}))
			}
		}
		slices.SortStableFunc(mv.Trends, func(a, b trendView) int { return order(a) - order(b) })
		for _, p := range m.ChangePoints {
			pv := pointView{ChangePoint: p, Class: p.Rows[0].Class, More: p.CommitCount - len(p.Commits)}
			for k, row := range p.Rows {
				mov := moveView{Row: row}
				if k < len(p.Series) {
					mov.Trend = ids[p.Series[k]]
				}
				pv.Charts = append(pv.Charts, mov)
			}
			switch {
			case p.Open():
				mv.Open = append(mv.Open, pv)
			case p.Gained():
				mv.Gains = append(mv.Gains, pv)
			default:
				mv.Over = append(mv.Over, pv)
			}
		}
		if m.Last != nil {
			for _, row := range m.Last.Rows {
				move := moveView{row, byCell[place{row.Comparison.Cell, row.Comparison.Metric.Name}]}
				switch row.Class {
				case report.Suspected:
					mv.Suspected = append(mv.Suspected, move)
				case report.NotMeasured:
					mv.NotMeasured = append(mv.NotMeasured, move)
				}
			}
		}
		v.Machines = append(v.Machines, mv)
	}
	return v
}

func order(t trendView) int {
	switch {
	case t.Open:
		return 0
	case t.Changed:
		return 1
	case t.Gone:
		return 3
	}
	return 2
}

func newTrendView(t report.Trend, id string, share portion) trendView {
	v := trendView{Trend: t, ID: id, Changed: len(t.Marks) > 0, Drawn: share.drawn}
	for _, l := range t.Levels {
		s := spanView{From: t.Nights[l.From].Started, To: t.Nights[l.To-1].Started, Nights: l.To - l.From, Text: l.Text}
		if l.Low < l.High {
			s.Band = short(l.Low) + " to " + short(l.High)
		}
		for _, b := range t.Breaks {
			if b.At == l.From {
				s.Began, s.Why = "break", b.Why
			}
		}
		for _, c := range t.Marks {
			switch {
			case s.Began != "":
			case c.Drift && c.At <= l.From && l.From <= c.To:
				s.Began = "drift"
			case c.At == l.From && c.Worse:
				s.Began = "worse"
			case c.At == l.From:
				s.Began = "better"
			}
		}
		v.Spans = append(v.Spans, s)
	}
	for i := len(t.Nights) - 1; i >= len(t.Nights)-share.table; i-- {
		v.Recent = append(v.Recent, t.Nights[i])
	}
	v.Older = len(t.Nights) - len(v.Recent)
	return v
}

// short is a number to four significant digits.
func short(x float64) string {
	y, _ := strconv.ParseFloat(strconv.FormatFloat(x, 'g', 4, 64), 64)
	return strconv.FormatFloat(y, 'f', -1, 64)
}

func nightlyTone(n report.Nightly) (class, symbol string) {
	if n.Status == report.Steady {
		return string(report.Improvement), "✓"
	}
	if n.Outcome == compare.Passed || n.Outcome == compare.Undecided {
		return string(report.Inconclusive), "?"
	}
	return tone(report.Report{Outcome: n.Outcome})
}

func day(t time.Time) string { return t.UTC().Format(time.DateOnly) }
