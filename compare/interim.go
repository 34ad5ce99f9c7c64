package compare

import (
	"fmt"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/stats"
)

// An Interim says at which of the planned interim analyses a comparison was
// judged. Its interval is then the repeated one. Its p-values of margin are
// repeated p-values: they hold at every interim analysis, and whatever made the
// cell stop.
type Interim struct {
	Blocks int   `json:"blocks"` // measured by then
	Plan   []int `json:"plan"`   // blocks at each planned interim analysis; the last is the most a cell gets
}

// An analysis is one of a sequence of interim analyses. Nil is the only analysis
// of a number of blocks that was fixed.
type analysis struct {
	blocks   int
	sequence *stats.InterimAnalyses
	k        int // its place in the sequence
}

// analysisAt is the interim analysis of a cell that has blocks of a plan. If the
// run was cut short between two planned analyses, an analysis is inserted there:
// alpha spending permits analyses that were not planned.
func analysisAt(plan []int, blocks int) *analysis {
	last := plan[len(plan)-1]
	blocks = max(1, min(blocks, last))
	var at []int
	for _, n := range plan {
		if n < blocks {
			at = append(at, n)
		}
	}
	l := &analysis{blocks: blocks, k: len(at)}
	at = append(at, blocks)
	if blocks < last {
		at = append(at, last)
	}
	l.sequence = sequenceOf(at)
	return l
}

// sequences holds the sequences that were asked for. The tables of one cost tens
// of milliseconds, and every comparison of a run has the same.
var sequences memo[string, *stats.InterimAnalyses]

func sequenceOf(at []int) *stats.InterimAnalyses {
	return sequences.get(fmt.Sprint(at), func() *stats.InterimAnalyses { return stats.NewInterimAnalyses(at) })
}

// level is the one-sided p-value that is needed now for an error of alpha over
// all interim analyses.
func (l *analysis) level(alpha float64) float64 {
	if l == nil {
		return alpha
	}
	return levels.get(asked{l.sequence, l.k, alpha}, func() float64 { return l.sequence.Level(l.k, alpha) })
}

// asked is what a level depends on.
type asked struct {
	sequence *stats.InterimAnalyses
	k        int
	alpha    float64
}

var levels memo[asked, float64]

// pValue is what a one-sided p-value seen now is worth over all interim analyses.
func (l *analysis) pValue(p float64) float64 {
	if l == nil {
		return p
	}
	return l.sequence.PValue(l.k, p)
}

// blocksOf counts the blocks that trials lie in, whatever came of them.
func blocksOf(trials []*record.Trial) int {
	seen := make(map[int]bool)
	for _, t := range trials {
		seen[t.Block] = true
	}
	return len(seen)
}
