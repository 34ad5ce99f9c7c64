package report

import (
	"math"
	"slices"
	"time"

	"github.com/llama-regress/llama-regress/compare/history"
)

// A Trend is the history of one metric of one cell, ready to be drawn. Values
// are in Unit.
type Trend struct {
	ID     string  `json:"id"` // [0-9a-f]{8}, unique on the machine unless a hostile file names two alike
	Cell   Foreign `json:"cell"`
	Metric Foreign `json:"metric"`
	Label  Foreign `json:"label"`
	Unit   string  `json:"unit"`   // "tok/s", "ms", "%"; "" when not known
	Better string  `json:"better"` // "higher" or "lower"
	Judged bool    `json:"judged"` // changes were looked for
	Gone   bool    `json:"gone"`   // the last night did not run it
	Lost   bool    `json:"lost"`   // and the nights before did, so that somebody should know
	Ran    Night   `json:"ran"`    // the last night that ran it

	Nights []TrendNight  `json:"nights"` // oldest first
	Missed []Night       `json:"missed"` // nights that ran it and measured nothing
	Levels []TrendLevel  `json:"levels"` // between changes and breaks
	Breaks []TrendBreak  `json:"breaks"`
	Marks  []TrendChange `json:"changes"`
	Latest string        `json:"latest"` // the last value in words: "812.4 tok/s"
	Open   bool          `json:"open"`   // a regression of it is open
}

// A TrendNight is what one session measured. All trends of a machine share its nights.
type TrendNight struct {
	*Night
	Value  float64 `json:"value"`
	Trials int     `json:"trials"`
	Failed int     `json:"failed,omitempty"`
}

// A TrendLevel is the mean of nights From <= i < To and the band in which 95 %
// of them are to be expected.
type TrendLevel struct {
	From  int     `json:"from"`
	To    int     `json:"to"`
	Value float64 `json:"value"`
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
	Text  string  `json:"text"` // Value in words
}

// A TrendBreak is where the history begins anew, at the night At.
type TrendBreak struct {
	At       int     `json:"at"`
	Accepted bool    `json:"accepted"`
	Why      Foreign `json:"why"`
}

// A TrendChange is a change at the night At, of a change point. A drift ends at
// the night To, which is At otherwise.
type TrendChange struct {
	At    int    `json:"at"`
	To    int    `json:"to"`
	Point string `json:"change_point"` // its ID
	Worse bool   `json:"worse"`
	Drift bool   `json:"drift"`
}

func newTrends(m *history.Machine, labels map[string]string, points []ChangePoint) []Trend {
	type place struct{ trend, change int }
	byChange := make(map[place]*history.ChangePoint)
	for i := range m.ChangePoints {
		for _, x := range m.ChangePoints[i].Moved {
			byChange[place{x.Trend, x.Change}] = &m.ChangePoints[i]
		}
	}
	nights := make([]Night, len(m.Nights))
	for i, n := range m.Nights {
		nights[i] = newNight(n)
	}
	trends := make([]Trend, 0, len(m.Trends))
	for i := range m.Trends {
		h := &m.Trends[i]
		t := Trend{
			ID: seriesName(h), Cell: Foreign{h.Cell}, Metric: Foreign{h.Metric.Name}, Label: Foreign{labels[h.Cell]}, Better: h.Metric.Better.String(), Judged: h.Judged,
			Nights: make([]TrendNight, 0, len(h.Points)), Missed: []Night{}, Levels: []TrendLevel{}, Breaks: []TrendBreak{}, Marks: []TrendChange{},
		}
		var u unit
		precision := 0.0
		for _, l := range h.Segments {
			u = unitFor(h.Metric.Unit, l.Value)
			precision = (l.High - l.Low) / 8 // about half a standard deviation
		}
		t.Unit = u.name
		words := func(x float64) string {
			p := precision
			if p <= 0 {
				p = math.Abs(x) / 100
			}
			return fixed(x*u.factor, decimalsFor(p*u.factor)) + u.suffix()
		}
		for _, p := range h.Points {
			t.Nights = append(t.Nights, TrendNight{Night: &nights[p.Night], Value: p.Value * u.factor, Trials: p.Trials, Failed: p.Failed})
		}
		for _, n := range h.Missed {
			t.Missed = append(t.Missed, nights[n])
		}
		for _, l := range h.Segments {
			t.Levels = append(t.Levels, TrendLevel{l.From, l.To, l.Value * u.factor, l.Low * u.factor, l.High * u.factor, words(l.Value)})
		}
		for _, b := range h.Breaks {
			t.Breaks = append(t.Breaks, TrendBreak{b.At, b.Accepted, Foreign{b.Why}})
		}
		for k, c := range h.Changes {
			p := byChange[place{i, k}]
			mark := TrendChange{c.At, c.At, p.ID, c.Worse, c.Drift && len(c.Stairs) == 0}
			if c.Drift {
				mark.To = c.Last
			}
			t.Marks = append(t.Marks, mark)
			t.Open = t.Open || c.Worse && c.State == history.Open
		}
		if n := len(h.Points); n > 0 {
			t.Latest = words(h.Points[n-1].Value)
			t.Gone = h.Points[n-1].Night != len(m.Nights)-1 && (len(h.Missed) == 0 || h.Missed[len(h.Missed)-1] != len(m.Nights)-1)
		}
		t.Lost, t.Ran = h.Lost, nights[h.Ran()]
		trends = append(trends, t)
	}
	return trends
}

// Recent are the change points that a digest tells of: what is open, and what
// happened or ended since a time.
func (m NightlyMachine) Recent(since time.Time) []ChangePoint {
	return slices.DeleteFunc(slices.Clone(m.ChangePoints), func(p ChangePoint) bool {
		return !p.Open() && !p.Gained() && p.FirstBad.Started.Before(since)
	})
}
