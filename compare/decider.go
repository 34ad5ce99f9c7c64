package compare

import (
	"slices"

	"github.com/llama-regress/llama-regress/ci/record"
)

// A Decider says which cells of a run under way need no more blocks, by the
// same judgement that the finished record will get.
type Decider struct {
	Policy Policy
}

// Interim says what Run finds in the cells of due now. It stops a cell where more
// blocks would change nothing: a screened cell without a sign of a loss, a cell
// whose every comparison has its verdict, a cell that cannot get a verdict. While
// the null control fires, no cell is decided, since the control may still stop firing.
func (d Decider) Interim(run *record.Run, due []record.Interim) []record.Interim {
	res := Run(run, d.Policy)
	byCell := make(map[string][]Comparison)
	for _, c := range res.Comparisons {
		byCell[c.Cell] = append(byCell[c.Cell], c)
	}
	analyses := slices.Clone(due)
	for i := range analyses {
		l := &analyses[i]
		screening := run.Plan.Screen > 0 && l.Blocks <= run.Plan.Screen
		l.Seen, l.Stop, l.Need = nil, "", 0
		decided, open := 0, 0
		for _, c := range byCell[l.Cell] {
			l.Seen = append(l.Seen, seen(c))
			unconfirmed := c.Reason != nil && c.Reason.Code == Unconfirmed
			switch {
			case run.Plan.Screen > 0 && !c.Confirmed && !unconfirmed:
				if c.needsNoMore() {
					decided++
				}
			case c.needsNoMore():
				decided++
			case c.Reason.mayPass():
				open++
				need := c.Reason.Need
				if c.Confirmed && need > 0 {
					need += run.Plan.Screen
				}
				l.Need = max(l.Need, need)
			}
		}
		l.Stop = stopReason(screening, decided, open, len(byCell[l.Cell]))
	}
	return analyses
}

// stopReason says why a cell of so many comparisons stops; "" while some are open,
// which more blocks may decide. What is neither open nor decided has no verdict to get.
func stopReason(screening bool, decided, open, comparisons int) record.Stop {
	switch {
	case open > 0:
		return ""
	case decided > 0 && (decided == comparisons || !screening):
		return record.StopDecided
	case screening:
		return record.StopCleared
	}
	return record.StopUseless
}

// needsNoMore says that no more blocks are asked for: there is a verdict, or no
// request failed. No number of blocks that a gate can afford turns the second into a
// verdict.
func (c Comparison) needsNoMore() bool {
	return c.Verdict != Inconclusive || c.Reason != nil && c.Reason.Code == NoFailure
}

// mayPass says that more blocks may decide what a reason leaves open.
func (r *Reason) mayPass() bool {
	switch r.Code {
	case TooFewTrials, TooNoisy, Suspected, ControlFired, MethodsDisagree, Disturbed, Unconfirmed, Survivors:
		return true
	}
	return false
}

func seen(c Comparison) record.Seen {
	s := record.Seen{Metric: c.Metric.Name, Candidate: c.Candidate.Arm, Verdict: c.Verdict.String(), Change: c.Change}
	if c.Reason != nil {
		s.Reason = string(c.Reason.Code)
	}
	if c.Interval != nil {
		s.Low, s.High = &c.Interval.Low, &c.Interval.High
	}
	return s
}
