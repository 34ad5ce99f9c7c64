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

// Look says what Run sees of the cells of due now, and stops those of which
// more blocks would change nothing: a screened cell that shows no sign of a
// loss, one whose every comparison has its verdict, one that cannot get any.
// The control is not asked for: while it fires no cell is decided, and it may
// yet be that it stops.
func (d Decider) Interim(run *record.Run, due []record.Interim) []record.Interim {
	res := Run(run, d.Policy)
	of := make(map[string][]Comparison)
	for _, c := range res.Comparisons {
		of[c.Cell] = append(of[c.Cell], c)
	}
	looks := slices.Clone(due)
	for i := range looks {
		l := &looks[i]
		screening := run.Plan.Screen > 0 && l.Blocks <= run.Plan.Screen
		l.Seen, l.Stop, l.Need = nil, "", 0
		decided, open := 0, 0
		for _, c := range of[l.Cell] {
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
		switch {
		case open > 0:
		case decided == len(of[l.Cell]) && decided > 0:
			l.Stop = record.StopDecided
		case screening:
			l.Stop = record.StopCleared
		case decided > 0:
			l.Stop = record.StopDecided
		default:
			l.Stop = record.StopUseless
		}
	}
	return looks
}

// settled says that more blocks are not asked for: there is a verdict, or no
// request failed, which no number of blocks that a gate can afford would turn
// into one.
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
