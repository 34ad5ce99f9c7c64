package history

import (
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/ci/store"
	"github.com/llama-regress/llama-regress/compare"
	"github.com/llama-regress/llama-regress/stats"
)

// A Trend is the history of one metric of one cell on one machine. Cell, Model,
// Params and the metric's names are foreign.
type Trend struct {
	Cell     string // record.CellKey
	Workload string
	Model    string
	Params   map[string]string
	Metric   record.Metric

	Margin compare.Margin
	Judged bool // the policy has a margin, so that changes were looked for

	Points   []Point   // nights that measured it, oldest first
	Missed   []int     // nights that ran it and measured nothing, by index
	Breaks   []Break   // where the history begins anew, oldest first
	Segments []Segment // between changes and breaks, oldest first
	Changes  []Change  // oldest first

	// Blind is what a trend that is judged and goes on cannot show yet.
	Blind Blind

	// Lost says that the machine measured it until some nights ago, and that nobody
	// said, by baseline promote, that its history ends there.
	Lost bool

	stretches []stretch
}

// Ran returns the last night, by index, that ran it.
func (t *Trend) Ran() int {
	ran := -1
	if n := len(t.Points); n > 0 {
		ran = t.Points[n-1].Night
	}
	if n := len(t.Missed); n > 0 {
		ran = max(ran, t.Missed[n-1])
	}
	return ran
}

// A Point is what one session measured: the geometric mean of its trials, of
// shares their mean, of success counts the pooled rate.
type Point struct {
	Night  int     // index in Machine.Nights
	Value  float64 // in Metric.Unit, finite
	Trials int
	Failed int // trials that measured nothing
	Count  *record.Count

	stretch int
}

// A Break is where what was measured before cannot be compared with what comes
// after. It is no change of the program's.
type Break struct {
	At       int    // index of the first point after it
	Why      string // "differs in cpu, kernel", or the reason that was given; foreign
	Accepted bool   // somebody accepted a change there, by baseline promote
}

// A Segment is the mean of a run of nights without a change, and the band in
// which 95 % of them are to be expected; both ends equal where that cannot be
// told.
type Segment struct {
	From, To  int // points From <= i < To
	Value     float64
	Low, High float64
}

// current says whether the trend still goes on: a few nights in which it failed
// do not end it.
func (t *Trend) current(m Machine) bool {
	return len(t.Points) > 0 && t.Points[len(t.Points)-1].Night >= len(m.Nights)-14
}

// A stretch is what may be compared with one another. It may be left and come
// back to, as when a kernel is tried for a week.
type stretch struct {
	host    record.Host
	arm     record.Arm
	what    *record.Run // whose models and datasets it measured
	cell    record.Cell
	segment int
	level   int   // of the machine, as its sentinel has it
	points  []int // indices in Points
}

type trendKey struct{ cell, metric string }

// A trendBuilder sorts the samples of one machine's sessions into trends.
type trendBuilder struct {
	contents *store.Contents
	policy   compare.Policy
	machine  string
	trends   []Trend
	order    []int // of each trend in the last session that has it
	at       map[trendKey]int

	footing footing
	last    []int                  // by trend: the footing of its latest point
	found   map[*record.Cell][]int // the trend of each metric of a cell, plus one
}

func newTrendBuilder(c *store.Contents, policy compare.Policy, machine string) trendBuilder {
	return trendBuilder{contents: c, policy: policy, machine: machine, at: make(map[trendKey]int), found: make(map[*record.Cell][]int)}
}

func (b *trendBuilder) add(night int, s *store.Session, arm record.Arm, r Reading) {
	b.footing.step(s, arm, r, b.begun(s))
	for i, x := range s.Samples {
		if s.Run.Arms[x.Arm].Name != arm.Name {
			continue
		}
		cell := &s.Run.Cells[x.Cell]
		at := b.trendOf(cell, x.Metric)
		t := &b.trends[at]
		b.order[at] = i
		if b.last[at] != b.footing.number {
			metric := cell.Metrics[x.Metric]
			t.Cell, t.Workload, t.Model, t.Params, t.Metric = cell.Key, cell.Workload, cell.Model, cell.Params, metric
			t.Margin, t.Judged = b.policy.Margin(metric)
			t.Judged = t.Judged && !metric.Exact
		}
		p, ok := newPoint(night, x, t.scale())
		switch {
		case !ok:
			t.Missed = append(t.Missed, night)
		case b.last[at] == b.footing.number:
			p.stretch = t.Points[len(t.Points)-1].stretch
			st := &t.stretches[p.stretch]
			st.points = append(st.points, len(t.Points))
			t.Points = append(t.Points, p)
		default:
			b.place(t, p, s, arm, r)
			b.last[at] = b.footing.number
		}
	}
}

// trendOf is the trend of a metric of a cell, by its place, a new one where there is
// none.
func (b *trendBuilder) trendOf(cell *record.Cell, metric int32) int {
	known, ok := b.found[cell]
	if !ok {
		known = make([]int, len(cell.Metrics))
		b.found[cell] = known
	}
	if known[metric] > 0 {
		return known[metric] - 1
	}
	key := trendKey{cell.Key, cell.Metrics[metric].Name}
	at, ok := b.at[key]
	if !ok {
		at = len(b.trends)
		b.at[key] = at
		b.trends, b.order, b.last = append(b.trends, Trend{}), append(b.order, 0), append(b.last, 0)
	}
	known[metric] = at + 1
	return at
}

// begun counts the marks of the machine's history that have begun by a session.
func (b *trendBuilder) begun(s *store.Session) (marks int) {
	for _, g := range b.contents.Segments {
		if g.Machine == b.machine && !s.Key.Started.Before(g.Start()) {
			marks++
		}
	}
	return marks
}

// newPoint is what a session says of a metric, false when that is nothing: a
// session of which a trial lies beyond what could be measured has no mean.
func newPoint(night int, x store.Sample, sc scale) (Point, bool) {
	p := Point{Night: night, Trials: len(x.Values), Failed: int(x.Failed)}
	if len(x.Values) == 0 || x.Beyond > 0 {
		return p, false
	}
	if x.Count.Total > 0 {
		count := x.Count
		p.Count, p.Value = &count, float64(count.Succeeded)/float64(count.Total)
		return p, true
	}
	sum := 0.0
	for _, v := range x.Values {
		sum += sc.to(v)
	}
	p.Value = sc.from(sum / float64(len(x.Values)))
	on := sc.to(p.Value)
	return p, !math.IsNaN(on) && !math.IsInf(on, 0) && math.Abs(on) < 1e100
}

// place puts a point into the stretch that it may be compared with, a new one
// where there is none, and notes where that breaks the trend.
func (b *trendBuilder) place(t *Trend, p Point, s *store.Session, arm record.Arm, r Reading) {
	here := stretch{level: r.Level, host: s.Run.Host, arm: arm, what: &s.Run, cell: record.Cell{Workload: t.Workload, Model: t.Model, Params: t.Params}}
	var begun *store.Segment // latest that has begun
	for i, g := range b.contents.Segments {
		if g.Machine == b.machine && g.About(t.Cell) && !s.Key.Started.Before(g.Start()) {
			here.segment++
			if begun == nil || !g.Start().Before(begun.Start()) {
				begun = &b.contents.Segments[i]
			}
		}
	}
	p.stretch = slices.IndexFunc(t.stretches, func(old stretch) bool { return old.segment == here.segment && old.differs(here) == "" })
	if p.stretch < 0 {
		p.stretch = len(t.stretches)
		t.stretches = append(t.stretches, here)
	}
	if n := len(t.Points); n > 0 && t.Points[n-1].stretch != p.stretch {
		before := t.stretches[t.Points[n-1].stretch]
		br := Break{At: n, Why: before.differs(here)}
		if before.segment != here.segment && begun != nil {
			br.Why, br.Accepted = begun.Reason, true
		}
		t.Breaks = append(t.Breaks, br)
	}
	st := &t.stretches[p.stretch]
	st.host, st.points = here.host, append(st.points, len(t.Points))
	if hashOf(here.what, t.Model) != "" || hashOf(st.what, t.Model) == "" {
		st.what = here.what
	}
	t.Points = append(t.Points, p)
}

// differs says what makes two stretches incomparable, "" when nothing does.
func (s stretch) differs(other stretch) string {
	hard, _ := s.host.Compare(other.host)
	var why []string
	if len(hard) > 0 {
		why = append(why, "differs in "+keysOf(hard))
	}
	if !maps.Equal(s.arm.Params, other.arm.Params) || !maps.Equal(s.arm.Env, other.arm.Env) {
		why = append(why, "ran with other parameters or environment")
	}
	if s.level != other.level && len(hard) == 0 {
		why = append(why, "the sentinel moved, so the machine did")
	}
	if diffs := record.SettingsDiffer(s.arm, s.cell, other.arm, other.cell); len(diffs) > 0 {
		why = append(why, "ran with "+record.DifferText(diffs))
	}
	if another := anotherOf(compare.Namesakes(s.what, other.what, s.cell), s.cell.Model); another != "" {
		why = append(why, another)
	}
	return strings.Join(why, "; ")
}

// finish returns the trends, those of the last night first and in its order.
func (b *trendBuilder) finish(last int) []Trend {
	places := make([]int, len(b.trends))
	for i := range places {
		places[i] = i
	}
	gone := func(t *Trend) int { return last - t.Ran() } // nights since it was last run
	slices.SortStableFunc(places, func(i, j int) int {
		if a, b := gone(&b.trends[i]), gone(&b.trends[j]); a != b {
			return a - b
		}
		return b.order[i] - b.order[j]
	})
	trends := make([]Trend, len(places))
	for i, at := range places {
		trends[i] = b.trends[at]
	}
	return trends
}

// A scale is where changes of a metric add up, worse below better.
type scale struct {
	to, from func(float64) float64
	change   func(float64) float64 // from a difference on the scale
	better   float64
	lambda   float64
}

func (t *Trend) scale() scale {
	s := scale{to: math.Log, from: math.Exp, change: math.Expm1, better: 1, lambda: t.Margin.Lambda()}
	if t.Metric.InPoints() {
		same := func(x float64) float64 { return x }
		s = scale{to: same, from: same, change: same, better: 1, lambda: t.Margin.Value}
	}
	if t.Metric.Better == record.Lower {
		s.better = -1
	}
	return s
}

// on returns the points of a stretch on the scale.
func (t *Trend) on(sc scale, points []int) []float64 {
	xs := make([]float64, len(points))
	for i, p := range points {
		xs[i] = sc.better * sc.to(t.Points[p].Value)
	}
	return xs
}

// addLevel notes the level of points of one stretch, once for each run of them
// that no break interrupts.
func (t *Trend) addLevel(sc scale, points []int) {
	if len(points) == 0 {
		return
	}
	e := stats.PairedT(t.on(sc, points))
	l := Segment{Value: sc.from(sc.better * e.Theta)}
	l.Low, l.High = l.Value, l.Value
	if n := float64(len(points)); n >= 4 && !math.IsInf(e.SE, 0) {
		e.SE *= math.Sqrt(n + 1) // of one night more instead of the mean
		band := e.Interval(0.95)
		l.Low, l.High = sc.from(sc.better*band.Low), sc.from(sc.better*band.High)
		if l.Low > l.High {
			l.Low, l.High = l.High, l.Low
		}
		if t.Metric.InPoints() {
			l.Low, l.High = max(l.Low, min(0, l.Value)), min(l.High, max(1, l.Value))
		}
	}
	for i := 0; i < len(points); {
		run := i + 1
		for run < len(points) && points[run] == points[run-1]+1 {
			run++
		}
		l.From, l.To = points[i], points[run-1]+1
		t.Segments = append(t.Segments, l)
		i = run
	}
}
