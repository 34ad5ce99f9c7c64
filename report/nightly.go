package report

import (
	"cmp"
	"slices"
	"time"

	"github.com/llama-regress/llama-regress/compare"
	"github.com/llama-regress/llama-regress/compare/history"
)

// A Nightly is everything a store of nights has to say: what changed last
// night, what changed earlier and is still so, which nights are missing, and
// every trend.
type Nightly struct {
	Title   Foreign         `json:"title,omitzero"`
	Time    time.Time       `json:"time,omitzero"` // of the latest night; zero without one
	Outcome compare.Outcome `json:"outcome"`       // what the exit code follows from

	Status   string `json:"status"`   // in one or two words: "Regression", "Steady"
	Headline string `json:"headline"` // "2 regressions open, 1 of them new; 3 suspected last night"
	Lead     Text   `json:"lead"`     // the most important finding in one sentence
	Steps    []Step `json:"steps"`    // what to do next, most useful first

	Machines    []NightlyMachine `json:"machines"` // by name
	Facts       []Fact           `json:"facts"`
	Notes       []Text           `json:"notes,omitempty"`
	Definitions []Definition     `json:"definitions,omitempty"`
	Policy      compare.Policy   `json:"policy"`
}

// A NightlyMachine is the history of one machine.
type NightlyMachine struct {
	Name  string `json:"name"` // [a-z0-9._-]+
	Night Night  `json:"night"`

	// Last is the last night against those before it, in history mode; nil
	// where it was not judged.
	Last   *Report `json:"-"`
	memory *history.Memory

	// ChangePoints are in reading order: regressions that are open, the worst
	// first, then gains that last, then what is over, the latest first.
	ChangePoints []ChangePoint `json:"change_points"`

	Sentinel *Sentinel `json:"sentinel,omitempty"` // what its sentinel says of the last night; nil where none was ever measured

	Lost   []Text  `json:"lost,omitempty"`   // what is no longer measured, and since when
	Gaps   []Text  `json:"gaps,omitempty"`   // nights without a session, the latest first
	Breaks []Text  `json:"breaks,omitempty"` // where histories begin anew, and why, the latest first
	Trends []Trend `json:"trends"`
}

// A Night is a stored session.
type Night struct {
	Started time.Time `json:"started"`
	Key     string    `json:"key"` // in the store
	Commit  Foreign   `json:"commit,omitzero"`
	Build   int       `json:"build,omitempty"`
}

// A ChangePoint is a night from which on something was different.
type ChangePoint struct {
	ID    string        `json:"id"` // [a-z0-9-]+, unique in the report
	State history.State `json:"state"`
	Worse bool          `json:"worse"` // something of it got worse
	New   bool          `json:"new"`   // it was not to be seen before the last night
	Drift bool          `json:"drift"` // no single night is to blame

	Stairs []Night `json:"stairs,omitempty"` // the nights of the small steps it went in

	Restores bool `json:"restores,omitempty"` // it only takes back a loss, that of another change point

	Title     Text   `json:"title"`               // "pp512 of small and 1 more: 6.1% slower"
	Summary   string `json:"summary"`             // without any name: "5.5% slower since 2026-10-12 in 1 trend"
	When      Text   `json:"when"`                // "between the nights of 2025-12-30 and 2025-12-31"
	Standing  Text   `json:"standing"`            // what became of it, one clause
	Confirmed bool   `json:"confirmed,omitempty"` // both builds were measured in turns
	Caveats   []Text `json:"caveats,omitempty"`   // what speaks against blaming the program, and how sure the night is
	Rows      []Row  `json:"rows"`                // what moved, the worst first; Class is Regression or Improvement
	Steps     []Step `json:"steps,omitempty"`     // what to do about it
	Machine   string `json:"machine,omitempty"`   // whose it is
	Blamable  bool   `json:"blamable,omitempty"`  // the program may be at fault: another build was measured

	LastGood   Night `json:"last_good"`
	FirstBad   Night `json:"first_bad"`
	SurelyGood Night `json:"surely_good"` // with 95 % of the evidence it came after this one
	SurelyBad  Night `json:"surely_bad"`  // and not after this one

	Commits      []Commit `json:"commits,omitempty"`       // between last good and first bad, the latest first
	CommitCount  int      `json:"commit_count,omitempty"`  // of them, also of those not listed; 0 when not known
	CommitsUnder Text     `json:"commits_under,omitempty"` // what they are, or why there are none

	Series []string `json:"series"` // stable short names of the trends that moved: [0-9a-f]{8}
}

// Open says whether a regression lasts that somebody should look after. One that
// cannot be looked at any more is not known to be over.
func (p ChangePoint) Open() bool {
	return p.Worse && (p.State == history.Open || p.State == history.OutOfSight)
}

// Lasts says whether the level still is what the change made it.
func (p ChangePoint) Lasts() bool { return p.State == history.Open }

// Gained says whether something got better and still is, by more than what had
// got lost before.
func (p ChangePoint) Gained() bool { return !p.Worse && p.Lasts() && !p.Restores }

// A Commit may have caused a change.
type Commit struct {
	SHA     string    `json:"sha"`
	Author  Foreign   `json:"author"`
	Time    time.Time `json:"time"`
	Subject Foreign   `json:"subject"`
}

// A NightlySource says where a nightly comes from. Its zero value is allowed.
type NightlySource struct {
	Title  string
	Store  string                     // reference of the store, without secrets
	Since  time.Time                  // when the sessions looked at begin; zero for all
	Latest map[string]*history.Latest // of machines by name; those that were judged
	Policy compare.Policy

	Checkout    string // folder of the llama.cpp checkout; "" without one
	Calibration string
	Faults      int // records of the store that could not be used
	Ahead       int // sessions and marks that are dated after now
}

// NewNightly orders and words the trends of a store.
func NewNightly(t history.Trends, src NightlySource) Nightly {
	n := Nightly{Title: Foreign{src.Title}, Policy: src.Policy, Machines: []NightlyMachine{}}
	for i := range t.Machines {
		m := newNightlyMachine(&t.Machines[i], src)
		n.Machines = append(n.Machines, m)
		if m.Night.Started.After(n.Time) {
			n.Time = m.Night.Started
		}
	}
	n.conclude(t)
	n.Facts = nightlyFacts(n, t, src)
	n.Notes = nightlyNotes(n, src)
	n.Definitions = nightlyDefinitions(n)
	return n
}

func newNightlyMachine(m *history.Machine, src NightlySource) NightlyMachine {
	nm := NightlyMachine{Name: m.Name, Night: newNight(m.Last()), ChangePoints: []ChangePoint{}}
	if latest := src.Latest[m.Name]; latest != nil {
		r := New(latest.Result, Source{Base: latest.Run, Head: latest.Run, Calibration: src.Calibration, Memory: &latest.Memory, Machine: m.Name, Store: src.Store})
		nm.Last, nm.memory = &r, &latest.Memory
	}
	labels := trendLabels(m.Trends)
	for _, p := range m.ChangePoints {
		cp := newChangePoint(m, p, labels, src)
		cp.Restores = restores(m, p)
		if cp.Restores {
			cp.Standing = say("only what took back an earlier loss")
		}
		nm.ChangePoints = append(nm.ChangePoints, cp)
	}
	slices.SortStableFunc(nm.ChangePoints, func(a, b ChangePoint) int {
		if x, y := a.place(), b.place(); x != y {
			return x - y
		}
		if a.Open() {
			return cmp.Compare(a.Rows[0].relativeGain(), b.Rows[0].relativeGain())
		}
		return b.FirstBad.Started.Compare(a.FirstBad.Started)
	})
	for _, g := range slices.Backward(m.Gaps) {
		nm.Gaps = append(nm.Gaps, gapText(m, g))
	}
	nm.Breaks = breakTexts(m)
	nm.Trends = newTrends(m, labels, nm.ChangePoints)
	nm.Sentinel = nightlySentinel(m, nm.memory)
	nm.Lost = lostTexts(nm.Trends)
	return nm
}

// place is where a change point stands in reading order.
func (p ChangePoint) place() int {
	switch {
	case p.Open():
		return 0
	case p.Gained():
		return 1
	}
	return 2
}

// restores says whether a gain is the end of a loss.
func restores(m *history.Machine, p history.ChangePoint) bool {
	return p.Worse == 0 && slices.ContainsFunc(m.ChangePoints, func(q history.ChangePoint) bool {
		return q.Worse > 0 && q.State == history.Recovered && q.Ended == p.FirstBad
	})
}

func newNight(n history.Night) Night {
	return Night{Started: n.Started, Key: n.Key.String(), Commit: Foreign{n.Commit}, Build: n.Build}
}

// trendLabels labels the cells of a machine as rows are.
func trendLabels(trends []history.Trend) map[string]string {
	cells := make([]compare.Comparison, len(trends))
	for i, t := range trends {
		cells[i] = compare.Comparison{Cell: t.Cell, Workload: t.Workload, Model: t.Model, Params: t.Params}
	}
	return labelCells(cells)
}

func newChangePoint(m *history.Machine, p history.ChangePoint, labels map[string]string, src NightlySource) ChangePoint {
	cp := ChangePoint{
		ID: p.ID, State: p.State, Worse: p.Worse > 0, New: p.New, Drift: p.Drift, Machine: m.Name, Blamable: !p.SameBuild,
		LastGood: newNight(m.Nights[p.LastGood]), FirstBad: newNight(m.Nights[p.FirstBad]),
		SurelyGood: newNight(m.Nights[p.SurelyGood]), SurelyBad: newNight(m.Nights[p.SurelyBad]),
		CommitCount: p.Commits.Total, Confirmed: p.Confirmed != nil,
	}
	for _, night := range p.Stairs {
		cp.Stairs = append(cp.Stairs, newNight(m.Nights[night]))
	}
	seen := make(map[string]int)
	for _, x := range p.Moved {
		t, c := m.At(x)
		cp.Rows = append(cp.Rows, changeRow(t, c, labels, src.Policy, seen))
		cp.Series = append(cp.Series, seriesName(t))
	}
	for _, c := range p.Commits.List {
		if !p.Drift { // none of them is to blame
			cp.Commits = append(cp.Commits, Commit{c.SHA, Foreign{c.Author}, c.Time, Foreign{c.Subject}})
		}
	}
	cp.Title = changeTitle(cp)
	cp.Summary = changeSummary(cp)
	cp.When = changeWhen(cp)
	cp.Standing = changeStanding(cp, m, p)
	cp.Caveats = changeCaveats(cp, p)
	cp.CommitsUnder = commitsUnder(cp, p, src)
	cp.Steps = changeSteps(cp, src)
	return cp
}

// seriesName names a trend wherever its own name, which is foreign, must not
// stand.
func seriesName(t *history.Trend) string {
	return hashed(4, t.Cell, t.Metric.Name)
}

// changeRow is a change as a row of a report: what it was before, what it is
// since.
func changeRow(t *history.Trend, c *history.Change, labels map[string]string, policy compare.Policy, seen map[string]int) Row {
	lambda := t.Margin.Value
	low := -lambda / (1 + lambda)
	if t.Metric.InPoints() {
		low = -lambda
	}
	nights := make([]compare.Point, c.Nights) // only how many
	k := compare.Comparison{
		Cell: t.Cell, Workload: t.Workload, Model: t.Model, Params: t.Params, Metric: t.Metric, Method: compare.Historical,
		Baseline: compare.Side{Arm: "before", Estimate: c.Before, Trials: nights}, Candidate: compare.Side{Arm: "since", Estimate: c.After, Trials: nights},
		Change: &c.Size, Interval: &c.Interval, Margin: &compare.Range{Low: low, High: lambda},
		Replicates: c.Nights, Sigma: c.Sigma, Verdict: compare.Improvement,
	}
	if c.Worse {
		k.Verdict = compare.Regression
	}
	k, _ = finite(k)
	row := Row{ID: rowID(&k, seen), Class: classify(&k), Points: t.Metric.InPoints(), Label: Foreign{labels[t.Cell]}}
	row.Figures = newFigures(&k, row.Points)
	k.Baseline.Trials, k.Candidate.Trials = []compare.Point{}, []compare.Point{}
	row.Comparison, row.c = newComparison(&k), k
	row.Finding = changeFinding(row)
	return row
}
