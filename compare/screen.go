package compare

import (
	"math"

	"github.com/llama-regress/llama-regress/ci/record"
)

// screenLevel is the p of "worse at all" up to which a comparison is
// suspected (statistics reference 7.6): generous, because confirming costs
// little where few cells are suspected.
const screenLevel = 0.10

// screenShare is the part of Policy.Alpha that the claim "equivalent" may spend
// in the screening; the fresh blocks have the rest. A cell has a chance to be
// called equivalent in either stage, and the two levels add up to Alpha whatever
// the noise and the number of blocks. At 4 % and 1 % more unchanged cells are
// shown to be equivalent than at 3.5 % and 1.5 % or at half each: nine of ten are
// never suspected. Regressions need no share: only fresh blocks convict.
const screenShare = 0.8

// A comparisonKey names a comparison of one candidate.
type comparisonKey struct {
	Cell      string `json:"cell"`
	Metric    string `json:"metric"`
	Candidate string `json:"contender"`
}

// uncleared lists the comparisons of a screening run that may be losses. What
// it leaves out needs no more machine time.
func uncleared(screen *Result) []comparisonKey {
	var ns []comparisonKey
	for _, c := range screen.Comparisons {
		if c.Metric.Exact {
			continue // it has all its trials
		}
		tooFew := c.Reason != nil && c.Reason.Code == TooFewTrials && c.Margin != nil // too few trials clear nothing
		mayBeLoss := c.P != nil && c.P.Worse <= screenLevel
		if tooFew || mayBeLoss {
			ns = append(ns, keyOf(c))
		}
	}
	return ns
}

func keyOf(c Comparison) comparisonKey {
	return comparisonKey{Cell: c.Cell, Metric: c.Metric.Name, Candidate: c.Candidate.Arm}
}

// stages is Run for a record that holds both stages: the blocks of the screening
// and, after them, the fresh ones.
func stages(run *record.Run, policy Policy) *Result {
	screen := oneStage(blocksFrom(run, 0, run.Plan.Screen, nil), policy, screenShare)
	fresh := blocksFrom(run, run.Plan.Screen, math.MaxInt, run.Plan.Interims)
	res := confirm(screen, oneStage(fresh, policy, 1-screenShare), run.Plan.Screen)
	if res.Reliability = nil; len(res.Failures) == 0 {
		res.judgeTogether()
		return res
	}
	base := side(Selection{run, run.Baseline})
	for _, arm := range run.Arms {
		if arm.Name == run.Baseline || arm.ControlOf != "" {
			continue
		}
		if r, more := reliability(base, side(Selection{run, arm.Name})); more {
			res.Reliability = append(res.Reliability, r)
		}
	}
	res.judgeTogether()
	return res
}

// blocksFrom is what a run would have been of the blocks from first to before end.
func blocksFrom(run *record.Run, first, end int, interims []int) *record.Run {
	part := *run
	part.Plan.Screen, part.Plan.Interims, part.Trials = 0, interims, nil
	within := func(i int) bool { return run.Trials[i].Block >= first && run.Trials[i].Block < end }
	for i := 0; i < len(run.Trials); i++ {
		from := i
		for i < len(run.Trials) && within(i) {
			i++
		}
		switch stretch := run.Trials[from:i:i]; { // trials mostly lie in the order of their blocks
		case len(part.Trials) == 0:
			part.Trials = stretch
		case len(stretch) > 0:
			part.Trials = append(part.Trials, stretch...)
		}
	}
	return &part
}

// confirm judges the suspected comparisons of the screening, which had so many
// blocks, by the fresh blocks of second alone, as a family of their own; all
// others keep what the screening said. The blocks that suspected a cell are not
// used to convict it: this independence keeps the family's error although only
// the suspected cells are measured again. A suspected comparison that second
// lacks is inconclusive.
func confirm(screen, second *Result, blocks int) *Result {
	measured := make(map[comparisonKey]Comparison)
	for _, c := range second.Comparisons {
		if c.lost {
			continue // its fresh blocks were not measured
		}
		measured[keyOf(c)] = c
	}
	suspected := make(map[comparisonKey]bool)
	for _, n := range uncleared(screen) {
		suspected[n] = true
	}
	var family []Comparison
	var at []int
	res := *screen
	res.Comparisons = append([]Comparison(nil), screen.Comparisons...)
	for i, c := range res.Comparisons {
		if c.Metric.Exact { // convicted by this family, of the trials that it has
			if c.Reason == nil || c.Reason.Code != EnvironmentMixed {
				family, at = append(family, c), append(at, i)
			}
			continue
		}
		if !suspected[keyOf(c)] {
			continue
		}
		confirmed, ok := measured[keyOf(c)]
		if !ok {
			need := firstBlocks
			if c.Reason != nil && c.Reason.Need > 0 {
				need = c.Reason.Need // had they to be decided by these
			}
			c.Verdict, c.Reason = Inconclusive, &Reason{Code: Unconfirmed, Have: blocks, Need: blocks + need}
			res.Comparisons[i] = c
			continue
		}
		confirmed.Confirmed = true
		family, at = append(family, confirmed), append(at, i)
	}
	res.Controls = append(append([]Comparison(nil), screen.Controls...), second.Controls...)
	res.Failures = append(append([]Failure(nil), screen.Failures...), second.Failures...)
	judgeFamily(family, screen.Policy, mismatches{})
	for k, i := range at {
		res.Comparisons[i] = family[k]
	}
	return &res
}
