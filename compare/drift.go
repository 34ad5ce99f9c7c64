package compare

import (
	"math"
	"slices"

	"github.com/llama-regress/llama-regress/ci/disturbance"
	"github.com/llama-regress/llama-regress/stats"
)

const (
	driftAlpha      = 0.01 // two-sided, of a slope of the baseline arm over its trials
	driftTrials     = 6    // below that a slope says little
	autocorrelation = 0.3  // lag-1, above which neighbouring blocks are not independent
	pagesRead       = 10.0 // a second, by which arms may differ: a page from a solid-state disk takes some 0.1 ms
)

// caveats lists what a reader should know of how a comparison was measured
// (statistics reference 7.7). Interleaving cancels a linear drift, so none of
// this changes a verdict.
func caveats(c *Comparison) []Warning {
	var ws []Warning
	if n := c.Baseline.Failed + c.Candidate.Failed; n > 0 {
		ws = append(ws, Warning{Code: FailedTrials, Number: float64(n)})
	}
	ws = append(ws, disturbanceWarnings(c)...)
	for _, text := range slices.Compact(slices.Sorted(slices.Values(slices.Concat(c.Baseline.said, c.Candidate.said)))) {
		ws = append(ws, Warning{Code: ProgramWarning, Text: text})
	}
	if more := c.Candidate.pagesRead() - c.Baseline.pagesRead(); math.Abs(more) > pagesRead {
		ws = append(ws, Warning{Code: PageFaults, Number: more})
	}
	e := c.effect
	if t, ok := e.inference.(stats.Estimate); ok && t.SE == 0 {
		ws = append(ws, Warning{Code: Constant})
	}
	if len(e.differences) > 0 && hasOutlier(e.differences) {
		ws = append(ws, Warning{Code: Outlier})
	}
	if _, rate := e.inference.(stats.RateDifference); rate || c.Metric.Exact || len(c.Baseline.Trials) < driftTrials {
		return ws
	}
	// As shares of the middle: a slope of the values themselves would be in
	// the metric's unit and say nothing to a reader.
	values := c.Baseline.values()
	middle := stats.Median(values)
	if middle == 0 {
		return ws
	}
	for i := range values {
		values[i] /= middle
	}
	slope := stats.Slope(values)
	if min(slope.PAbove(0), slope.PBelow(0)) < driftAlpha/2 {
		ws = append(ws, Warning{Code: Drift, Number: slope.Theta})
	}
	series := e.differences
	if c.Method != Paired {
		series = values
	}
	if r := stats.Autocorrelation(series); r > autocorrelation && len(series) >= driftTrials {
		ws = append(ws, Warning{Code: Autocorrelated, Number: r})
	}
	return ws
}

// pagesRead is the median over trials of the pages a second that the measured program
// read from disk; 0 without trials.
func (s Side) pagesRead() float64 {
	if len(s.Trials) == 0 {
		return 0
	}
	rates := make([]float64, len(s.Trials))
	for i, p := range s.Trials {
		rates[i] = disturbance.ReadBy(p.samples)
	}
	return stats.Median(rates)
}
