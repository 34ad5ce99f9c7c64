package stats

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/floats"
)

// A RateChange is a lasting step in a series of success counts.
type RateChange struct {
	At            int     // index of the first session after it
	First, Last   int     // where it may have been instead, with 95 % of the evidence
	P             float64 // 1/Bayes factor of a step against none, in (0, 1]
	Before, After Count   // of the sessions since the last change, and until the next
}

// RateChanges returns where the success rate of a series of sessions steps, in
// order; sessions[i] holds the trials of session i, whose requests correlate by
// rho within a trial (see ICC). The evidence is the Bayes factor of one step at
// any place, each equally likely and with at least 3 sessions on either side,
// against none, with Jeffreys' prior on the rates (after the change points of
// LUCI Analysis). A step is taken if it is at least 1/Level, which under no
// change has a chance of at most Level because the factor has mean 1 there; then
// both parts are searched. Those steps stay whose rates differ by more than
// Margin, also when only the last three sessions before the next step count.
//
// Nothing random is done: rule.Seed is not used. A session without trials is
// missing: it counts for no side. The result is nil without a change. It panics
// unless 0 <= K <= N and N > 0 for every count, rho lies in [0, 1), and the rule
// is one that ChangePoints takes.
func RateChanges(sessions [][]Count, rho float64, rule ChangeRule) []RateChange {
	model := newRateModel("RateChanges", rho)
	rule.check("RateChanges")
	for _, trials := range sessions {
		for _, c := range trials {
			checkCount("RateChanges", c)
		}
	}
	changes := model.split(sessions, 0, rule.Alpha, nil)
	slices.SortFunc(changes, func(a, b RateChange) int { return a.At - b.At })
	return keepLasting(changes, func(changes []RateChange, i int) (float64, bool) {
		return rule.judgeRate(sessions, changes, i)
	})
}

// split appends the changes of the sessions, of which the first has the given
// index.
func (m rateModel) split(sessions [][]Count, first int, level float64, found []RateChange) []RateChange {
	n := len(sessions)
	if n < 2*leastSegment {
		return found
	}
	upTo := make([][]float64, n+1) // log likelihoods of the sessions before, at every node
	upTo[0] = make([]float64, rateNodes)
	for i, trials := range sessions {
		upTo[i+1] = slices.Clone(upTo[i])
		m.add(upTo[i+1], trials)
	}
	none, rest := logEvidence(upTo[n]), make([]float64, rateNodes)
	factors := make([]float64, 0, n) // log Bayes factors of a step after each session
	for k := leastSegment; k <= n-leastSegment; k++ {
		factors = append(factors, logEvidence(upTo[k])+logEvidence(floats.SubTo(rest, upTo[n], upTo[k]))-none)
	}
	total := floats.LogSumExp(factors)
	p := math.Exp(math.Log(float64(len(factors))) - total)
	if p > level {
		return found
	}
	at := floats.MaxIdx(factors) + leastSegment
	for i := range factors {
		factors[i] = math.Exp(factors[i] - total)
	}
	low, high := centralRange(factors, 0.95)
	found = append(found, RateChange{
		At:    first + at,
		First: first + min(low+leastSegment, at),
		Last:  first + max(high+leastSegment, at),
		P:     p,
	})
	found = m.split(sessions[:at], first, level, found)
	return m.split(sessions[at:], first+at, level, found)
}

// judgeRate is judge for success rates. A side without requests shows nothing.
func (rule ChangeRule) judgeRate(sessions [][]Count, changes []RateChange, i int) (shift float64, lasts bool) {
	from, to := 0, len(sessions)
	if i > 0 {
		from = changes[i-1].At
	}
	if i+1 < len(changes) {
		to = changes[i+1].At
	}
	c := &changes[i]
	c.Before, c.After = sumCounts(sessions[from:c.At]), sumCounts(sessions[c.At:to])
	last := sumCounts(sessions[to-leastSegment : to])
	if c.Before.N == 0 || c.After.N == 0 || last.N == 0 {
		return 0, false
	}
	shift = c.After.Rate() - c.Before.Rate()
	return shift, rule.lasting(shift, last.Rate()-c.Before.Rate())
}

func sumCounts(sessions [][]Count) (sum Count) {
	for _, trials := range sessions {
		for _, c := range trials {
			sum.K, sum.N = sum.K+c.K, sum.N+c.N
		}
	}
	return sum
}
