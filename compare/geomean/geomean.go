// Package geomean says what a candidate does on average over cells: the geometric
// mean of the ratios of all tests of one kind, as reviewers quote it. It decides
// nothing, and no cell is judged by it.
package geomean

import (
	"math"
	"slices"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/compare"
	"github.com/llama-regress/llama-regress/stats"
)

// Confidence of every interval.
const Confidence = 0.95

// leastRounds is how many rounds an interval needs: of fewer it says nothing.
const leastRounds = 3

// A Mean is the geometric mean of candidate/baseline over the cells of a group.
type Mean struct {
	Group  string  `json:"group"`  // "pp", "tg", or "pp+tg" for tests that do both
	Arm    string  `json:"arm"`    // the candidate
	Cells  int     `json:"cells"`  // cells and tests that it is the mean of, 2 or more
	Change float64 `json:"change"` // the mean ratio less 1: +0.03 is 3 % more

	// Low and High bound Change with Confidence; both are 0, as Confidence and Rounds
	// are, where none can be had: see Why.
	Low        float64 `json:"low"`
	High       float64 `json:"high"`
	Confidence float64 `json:"confidence"`
	Rounds     int     `json:"rounds"` // that the interval rests on: blocks, or invocations a side
	Why        Why     `json:"why,omitempty"`
}

// Why says why there is no interval.
type Why string

const (
	FewRounds Why = "few_rounds" // fewer than three that all cells have
	Stopped   Why = "stopped"    // cells stopped as soon as they were decided, which bends a mean
	OneEach   Why = "sessions"   // one session a side: how much sessions differ is not known
)

// Of returns the means of groups with at least two cells, in the order in which the
// candidates and groups appear. Comparisons without a change are left out, those
// whose sides must not be compared or are not believed, and those of history, whose
// sides are sessions.
//
// The interval is that of the mean over cells in each round, so that what moves all
// cells of a round together counts as what it is. A round is a block of a paired run
// (stats.PairedT on the differences by block), or the n-th trial of every cell of a
// side (stats.Welch), which llama-bench measures in one process.
func Of(comparisons []compare.Comparison) []Mean {
	type key struct{ arm, group string }
	var order []key
	groups := make(map[key][]*compare.Comparison)
	for i := range comparisons {
		c := &comparisons[i]
		group := groupOf(c)
		if group == "" || withheld(c) || c.Change == nil || !(*c.Change > -1) || math.IsInf(*c.Change, 1) || c.Method == compare.Historical {
			continue
		}
		k := key{c.Candidate.Arm, group}
		if groups[k] == nil {
			order = append(order, k)
		}
		groups[k] = append(groups[k], c)
	}
	var means []Mean
	for _, k := range order {
		if cs := groups[k]; len(cs) > 1 {
			means = append(means, mean(k.group, k.arm, cs))
		}
	}
	return means
}

// withheld reports whether a change is shown and nothing may be made of it.
func withheld(c *compare.Comparison) bool {
	if c.Reason == nil {
		return false
	}
	switch c.Reason.Code {
	case compare.EnvironmentMixed, compare.SubjectMismatch, compare.ControlFired, compare.Lost, compare.NotMeasured:
		return true
	}
	return false
}

// groupOf is the kind of a comparison's test, "" for what is no throughput of
// llama-bench.
func groupOf(c *compare.Comparison) string {
	test, err := record.ParseTest(c.Metric.Name)
	switch {
	case err != nil || c.Workload != record.BenchWorkload:
		return ""
	case test.Gen == 0:
		return "pp"
	case test.Prompt == 0:
		return "tg"
	}
	return "pp+tg"
}

func mean(group, arm string, cs []*compare.Comparison) Mean {
	m := Mean{Group: group, Arm: arm, Cells: len(cs)}
	sum := 0.0
	for _, c := range cs {
		sum += math.Log1p(*c.Change)
	}
	m.Change = math.Expm1(sum / float64(len(cs)))
	estimate, rounds, why := over(cs)
	if why != "" {
		m.Why = why
		return m
	}
	iv := estimate.Interval(Confidence)
	m.Change, m.Low, m.High = math.Expm1(iv.Estimate), math.Expm1(iv.Low), math.Expm1(iv.High)
	m.Confidence, m.Rounds = Confidence, rounds
	return m
}

// over estimates the mean log ratio from rounds.
func over(cs []*compare.Comparison) (stats.Estimate, int, Why) {
	for _, c := range cs {
		switch {
		case c.Method == compare.Sessions:
			return stats.Estimate{}, 0, OneEach
		case c.Interim != nil:
			return stats.Estimate{}, 0, Stopped
		}
	}
	if cs[0].Method == compare.Paired {
		d := paired(cs)
		if len(d) < leastRounds {
			return stats.Estimate{}, 0, FewRounds
		}
		return stats.PairedT(d), len(d), ""
	}
	base, head := inTurn(cs, func(c *compare.Comparison) compare.Side { return c.Baseline }), inTurn(cs, func(c *compare.Comparison) compare.Side { return c.Candidate })
	n := min(len(base), len(head))
	if n < leastRounds {
		return stats.Estimate{}, 0, FewRounds
	}
	return stats.Welch(base, head), n, ""
}

// paired is the mean over cells of the differences of logs in each block that all
// cells have, candidate less baseline.
func paired(cs []*compare.Comparison) []float64 {
	sums, counts := make(map[int]float64), make(map[int]int)
	for _, c := range cs {
		base := make(map[int]float64, len(c.Baseline.Trials))
		for _, p := range c.Baseline.Trials {
			base[p.Block] = p.Value
		}
		for _, p := range c.Candidate.Trials {
			if b, ok := base[p.Block]; ok {
				sums[p.Block] += math.Log(p.Value / b)
				counts[p.Block]++
			}
		}
	}
	var d []float64
	blocks := make([]int, 0, len(sums))
	for block := range sums {
		blocks = append(blocks, block)
	}
	slices.Sort(blocks)
	for _, block := range blocks {
		if counts[block] == len(cs) {
			d = append(d, sums[block]/float64(len(cs)))
		}
	}
	return d
}

// inTurn is the mean over cells of the logs of the first trials of a side, of the
// second ones and so on; nil where cells have unlike numbers of trials.
func inTurn(cs []*compare.Comparison, side func(*compare.Comparison) compare.Side) []float64 {
	n := len(side(cs[0]).Trials)
	means := make([]float64, n)
	for _, c := range cs {
		trials := side(c).Trials
		if len(trials) != n {
			return nil
		}
		for i, p := range trials {
			means[i] += math.Log(p.Value) / float64(len(cs))
		}
	}
	return means
}
