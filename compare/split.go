package compare

import (
	"math"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/stats"
)

// splitAlpha is the error allowed for a whole search among commits.
const splitAlpha = 0.05

// splitBlocks are the blocks after which a step may end (statistics reference, 7.5).
var splitBlocks = []int{6, 10, 15, 20}

// A Split tells the commits before a regression from those after it, by one
// metric of one cell: a commit is bad when it lies nearer to the bad end than
// to the good one, half of the loss being the border.
type Split struct {
	Cell   string        `json:"cell"`
	Metric record.Metric `json:"metric"`
	Border float64       `json:"border"` // a change, as in Comparison
	Alpha  float64       `json:"alpha"`  // chance of a wrong answer about a commit at either end, one-sided
}

// NewSplit takes the border from the comparison of the two ends, which must be
// estimated by PairedT and a regression, and shares the error of the search out among at most
// steps answers.
func NewSplit(ends Comparison, steps int, policy Policy) Split {
	if ends.Estimator != PairedT || ends.Verdict != Regression {
		panic("compare: NewSplit: the ends must be a paired regression")
	}
	margin, _ := policy.Margin(ends.Metric)
	sc := scaleOf(ends.Metric, margin)
	return Split{Cell: ends.Cell, Metric: ends.Metric, Border: sc.change(sc.better * ends.effect.theta / 2), Alpha: splitAlpha / float64(max(1, steps))}
}

// MostBlocks is after how many blocks a step ends without an answer.
func (s Split) MostBlocks() int { return splitBlocks[len(splitBlocks)-1] }

// An Answer is what a step knows about a commit.
type Answer struct {
	Known bool // on which side of the border it lies
	Bad   bool // beyond it
	Over  bool // known, or measured as often as a step may

	Blocks   int       // that both arms have
	Change   *float64  // against the good end; nil without a block
	Interval *Interval // that holds at whichever interim analysis the step ended; nil when it has no end
}

// Answer says what the blocks measured so far tell of the candidate, whose
// baseline is the good end. blocks is how many have ended, usable or not: only
// at the planned interim analyses is there an answer, since more of them would find
// something in noise.
func (s Split) Answer(run *record.Run, candidate string, blocks int, policy Policy) Answer {
	at := -1
	for i, n := range splitBlocks {
		if blocks == n {
			at = i
		}
	}
	base, head := side(Selection{run, run.Baseline}), side(Selection{run, candidate})
	comparisons, _ := match(base, head, Paired, policy)
	for _, c := range comparisons {
		if c.Cell != s.Cell || c.Metric.Name != s.Metric.Name {
			continue
		}
		return s.answer(c, at, policy)
	}
	return Answer{Over: at == len(splitBlocks)-1}
}

func (s Split) answer(c Comparison, at int, policy Policy) Answer {
	a := Answer{Blocks: c.Replicates, Change: c.Change, Over: at == len(splitBlocks)-1}
	t, ok := c.effect.inference.(stats.Estimate)
	if at < 0 || !ok || c.Replicates < 2 {
		return a
	}
	enough := sequenceOf(splitBlocks).Level(at, s.Alpha)
	margin, _ := policy.Margin(s.Metric)
	sc := scaleOf(s.Metric, margin)
	border := sc.better * s.Border
	if !s.Metric.InPoints() {
		border = sc.better * math.Log1p(s.Border)
	}
	if iv := t.Interval(1 - 2*enough); !math.IsInf(iv.Low, 0) && !math.IsInf(iv.High, 0) {
		low, high := sc.change(sc.better*iv.Low), sc.change(sc.better*iv.High)
		a.Interval = &Interval{Low: min(low, high), High: max(low, high), Confidence: 1 - 2*s.Alpha}
	}
	switch {
	case t.PBelow(border) <= enough:
		a.Known, a.Bad, a.Over = true, true, true
	case t.PAbove(border) <= enough:
		a.Known, a.Over = true, true
	}
	return a
}
