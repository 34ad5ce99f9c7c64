package report

import (
	"fmt"
	"math"
	"slices"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/compare"
)

// newRows words comparisons, in their order. What is told of the arms is not
// repeated.
func newRows(list []compare.Comparison, res *compare.Result, labels map[string]string, told map[string]bool) []Row {
	rows := make([]Row, 0, len(list))
	seen := make(map[string]int, len(list))
	for i := range list {
		c, cleaned := finite(list[i])
		row := Row{
			ID:         rowID(&c, seen),
			Class:      classify(&c),
			Comparison: newComparison(&c),
			Fails:      res.Policy.Undecided(c),
			Points:     c.Metric.InPoints(),
			Label:      Foreign{labels[c.Cell]},
			c:          c,
		}
		if _, gated := res.Policy.Margin(c.Metric); !gated && c.Reason != nil && (c.Reason.Code == compare.NoBaseline || c.Reason.Code == compare.Undefined) {
			row.Class = Unjudged // nothing that is measured would have it judged
		}
		row.Figures = newFigures(&c, row.Points)
		row.Finding = finding(row)
		row.Reason, row.Remedy = reason(row)
		row.Caveats = caveats(row, cleaned, res.Busy.Mostly(), told)
		rows = append(rows, row)
	}
	return rows
}

// rowID names a comparison by what it compares; seen tells apart what a
// hostile file gave the same name.
func rowID(c *compare.Comparison, seen map[string]int) string {
	id := "c-" + hashed(6, c.Cell, c.Metric.Name, c.Candidate.Arm)
	seen[id]++
	if n := seen[id]; n > 1 {
		id += fmt.Sprintf("-%04x", uint16(n))
	}
	return id
}

func classify(c *compare.Comparison) Class {
	switch c.Verdict {
	case compare.Regression:
		return Regression
	case compare.Improvement:
		return Improvement
	case compare.Equivalent:
		return Equivalent
	}
	code := compare.ReasonCode("")
	if c.Reason != nil {
		code = c.Reason.Code
	}
	switch {
	case code == compare.NotMeasured:
		return NotMeasured
	case code == compare.NoMargin, c.Margin == nil && c.Change != nil:
		return Unjudged
	case code == compare.NoFailure:
		return NoFailure
	case code == compare.Suspected, code == compare.SuspectedByHistory:
		return Suspected
	}
	return Inconclusive
}

// lost says that the candidate lacks what the baseline has.
func (r Row) lost() bool {
	return r.c.Reason != nil && r.c.Reason.Code == compare.Lost
}

// Unmeasured returns how many rows from the first on belong to one cell of one
// candidate that was not measured, so that they can be told in one sentence; 1
// when the first row was measured, and 0 when there is none.
func Unmeasured(rows []Row) int {
	n := min(1, len(rows))
	for n > 0 && n < len(rows) && rows[0].Class == NotMeasured && rows[n].Class == NotMeasured &&
		rows[n].c.Cell == rows[0].c.Cell && rows[n].c.Candidate.Arm == rows[0].c.Candidate.Arm {
		n++
	}
	return n
}

// setSeconds shares the wall time of the trials among the rows that show them.
func setSeconds(rows []Row, src Source) {
	type place struct{ arm, cell string }
	spent := make(map[place]float64)
	for _, run := range src.runs() {
		for _, t := range run.Trials {
			if t.Seconds > 0 && !math.IsInf(t.Seconds, 1) {
				spent[place{t.Arm, t.Cell}] += t.Seconds
			}
		}
	}
	sharers := make(map[place]int)
	for _, row := range rows {
		c := row.c
		sharers[place{c.Baseline.Arm, c.Cell}]++
		sharers[place{c.Candidate.Arm, c.Cell}]++
	}
	for i, row := range rows {
		c := row.c
		base, head := place{c.Baseline.Arm, c.Cell}, place{c.Candidate.Arm, c.Cell}
		rows[i].Seconds = spent[base]/float64(sharers[base]) + spent[head]/float64(sharers[head])
	}
}

// finite returns c without numbers that no medium can show, and whether there
// were any.
func finite(c compare.Comparison) (compare.Comparison, bool) {
	cleaned := false
	bad := func(xs ...float64) bool {
		for _, x := range xs {
			if math.IsNaN(x) || math.IsInf(x, 0) {
				cleaned = true
				return true
			}
		}
		return false
	}
	if c.Change != nil && bad(*c.Change) {
		c.Change = nil
	}
	if i := c.Interval; i != nil && bad(i.Low, i.High, i.Confidence) {
		c.Interval = nil
	}
	if m := c.Margin; m != nil && bad(m.Low, m.High) {
		c.Margin = nil
	}
	if p := c.P; p != nil && bad(p.Regression, p.Improvement, p.Equivalence, p.Worse, p.AdjustedRegression, p.AdjustedImprovement) {
		c.P = nil
	}
	if bad(c.Sigma) {
		c.Sigma = 0
	}
	if bad(c.MDE) {
		c.MDE = 0
	}
	for _, side := range []*compare.Side{&c.Baseline, &c.Candidate} {
		if bad(side.Estimate) {
			side.Estimate = 0
		}
		if slices.ContainsFunc(side.Trials, func(p compare.Point) bool { return bad(p.Value) }) {
			side.Trials = slices.DeleteFunc(slices.Clone(side.Trials), func(p compare.Point) bool { return bad(p.Value) })
		}
	}
	if slices.ContainsFunc(c.Warnings, func(w compare.Warning) bool { return bad(w.Number) }) {
		c.Warnings = slices.Clone(c.Warnings)
		for i := range c.Warnings {
			if bad(c.Warnings[i].Number) {
				c.Warnings[i].Number = 0
			}
		}
	}
	return c, cleaned
}

// sortRows puts rows into reading order: by class, the worst first, and what
// is equally bad in measured order. Improvements stand with the largest first.
// Requests that do not count stand behind those that do.
func sortRows(rows []Row) {
	slices.SortStableFunc(rows, func(a, b Row) int {
		if a.Class != b.Class {
			return slices.Index(Classes, a.Class) - slices.Index(Classes, b.Class)
		}
		if warmup := a.c.Metric.Name == record.WarmupRate; warmup != (b.c.Metric.Name == record.WarmupRate) {
			if warmup {
				return 1
			}
			return -1
		}
		x, y := a.relativeGain(), b.relativeGain()
		if a.Class == Improvement {
			x, y = y, x
		}
		switch {
		case x < y:
			return -1
		case x > y:
			return 1
		}
		return 0
	})
}

// relativeGain is the gain in margins, so that metrics judged by different
// margins can stand in one order; 0 when it is not known.
func (r Row) relativeGain() float64 {
	c := r.c
	if c.Change == nil {
		return 0
	}
	gain := r.Gain(*c.Change)
	if c.Margin != nil && c.Margin.High > 0 {
		return gain / c.Margin.High
	}
	return gain
}

func count(rows []Row) Counts {
	n := Counts{Total: len(rows)}
	for _, row := range rows {
		switch row.Class {
		case Regression:
			n.Regressions++
		case Improvement:
			n.Improvements++
		case Equivalent:
			n.Equivalent++
		case NotMeasured:
			n.Unmeasured++
		case Unjudged:
			n.Unjudged++
		case NoFailure:
			n.NoFailure++
		case Suspected:
			n.Suspected++
			n.Inconclusive++
		default:
			n.Inconclusive++
			if row.lost() {
				n.Lost++
			}
		}
	}
	return n
}
