package compare

import (
	"gonum.org/v1/gonum/stat/distuv"

	"github.com/llama-regress/llama-regress/ci/record"
)

// leastClean is how many clean blocks must remain, or the policy's minimum where
// that is more, and cleanShare of all of them, for contaminated trials to be
// left out. Fewer would say less than all of them do: whatever disturbs a
// machine meets both arms of interleaved blocks alike, so it widens intervals
// and moves none.
const (
	leastClean = 4
	cleanShare = 0.5
)

// replaced are the trials in whose place a repetition counts.
func replaced(run *record.Run) map[string]bool {
	ids := make(map[string]bool)
	for _, t := range run.Trials {
		if t.Repeats != "" && t.Counts() {
			ids[t.Repeats] = true
		}
	}
	return ids
}

// clean leaves out the trials that conditions spoilt, where enough others
// remain. Which those are was decided by conditions alone, so leaving them out
// favours no outcome (TestContaminationKeepsTheErrorRate).
func clean(base, head Side, policy Policy) (Side, Side) {
	base.Contaminated, head.Contaminated = base.spoilt(), head.spoilt()
	if base.Contaminated+head.Contaminated == 0 {
		return base, head
	}
	all, fit := pairs(base, head)
	if fit < max(leastClean, policy.MinTrials) || float64(fit) < cleanShare*float64(all) {
		return base, head
	}
	return base.fit(), head.fit()
}

// pairs counts the blocks that both sides have, and those of them in which
// neither is contaminated; without blocks the trials of the smaller side.
func pairs(base, head Side) (all, fit int) {
	of := make(map[int]bool)
	blocks := true
	for _, p := range base.Trials {
		of[p.Block] = !p.Contaminated
		blocks = blocks && p.Block != record.NoBlock
	}
	for _, p := range head.Trials {
		blocks = blocks && p.Block != record.NoBlock
		if ok, there := of[p.Block]; there {
			all++
			if ok && !p.Contaminated {
				fit++
			}
		}
	}
	if blocks {
		return all, fit
	}
	return min(len(base.Trials), len(head.Trials)), min(len(base.fit().Trials), len(head.fit().Trials))
}

// lopsidedLevel is lenient to the suspicion: to take a fair disturbance for an
// unfair one costs a verdict now and then, to miss an unfair one makes a false
// verdict. At 5 % sixteen blocks did not see 60 % against 90 %.
const lopsidedLevel = 0.20

// lopsided reports whether one arm met more disturbance than the other, beyond
// chance: the sign test, two-sided at lopsidedLevel, on the blocks in which one of the two
// trials is contaminated. All of them kept, the difference between the arms
// might then be the disturbance's.
func lopsided(base, head Side) bool {
	of := make(map[int]bool)
	for _, p := range base.Trials {
		of[p.Block] = p.Contaminated
	}
	onlyBase, onlyHead := 0, 0
	for _, p := range head.Trials {
		switch other, there := of[p.Block]; {
		case !there || other == p.Contaminated:
		case other:
			onlyBase++
		default:
			onlyHead++
		}
	}
	n := onlyBase + onlyHead
	if n == 0 {
		return false
	}
	tail := distuv.Binomial{N: float64(n), P: 0.5}.CDF(float64(min(onlyBase, onlyHead)))
	return 2*tail <= lopsidedLevel
}

// spoilt counts the contaminated trials that are among the usable ones.
func (s Side) spoilt() int {
	n := 0
	for i := range s.Trials {
		if s.Trials[i].Contaminated {
			n++
		}
	}
	return n
}

// fit is the side without its contaminated trials.
func (s Side) fit() Side {
	var trials []Point
	for _, p := range s.Trials {
		if !p.Contaminated {
			trials = append(trials, p)
		}
	}
	s.Trials = trials
	return s
}

// contamination is what a reader should know of a comparison's conditions.
func contamination(c *Comparison) []Warning {
	n := c.Baseline.Contaminated + c.Contender.Contaminated
	switch {
	case n == 0:
		return nil
	case c.Baseline.spoilt()+c.Contender.spoilt() > 0:
		return []Warning{{Code: ContaminatedKept, Number: float64(n)}}
	}
	return []Warning{{Code: ContaminatedLeftOut, Number: float64(n)}}
}
