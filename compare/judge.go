package compare

import (
	"math"
	"slices"

	"github.com/llama-regress/llama-regress/stats"
)

const (
	power        = 0.80 // of the minimum detectable effect and of every "needed"
	firstBlocks  = 6    // blocks to ask for when nothing is known of the spread (statistics reference 7.5)
	minSessions  = 4    // stored sessions below which history mode gives no verdict (7.3)
	suspectAlpha = 0.05
	mostBlocks   = 10_000 // asking for more than that is no advice
)

// judge gives every comparison its verdict: the candidates as one family, the
// null controls as another.
func (r *Result) judge(mismatched mismatches) {
	judgeFamily(r.Controls, r.Policy, mismatches{}) // of one session: nothing can be mismatched
	judgeFamily(r.Comparisons, r.Policy, mismatched)
	r.judgeTogether()
}

// judgeTogether looks at the verdicts together: what moved together, and what a
// fired control forbids.
func (r *Result) judgeTogether() {
	r.heedControls()
	r.withdrawSurvivorBias()
	r.Groups = groups(r.Comparisons)
	r.Suspects = suspects(r.Comparisons)
}

// share is the part of Policy.Alpha that the claim "equivalent" may spend.
func (c *Comparison) share() float64 {
	if c.equivalence == 0 {
		return 1
	}
	return c.equivalence
}

// judgeFamily applies statistics reference 7.4, with
// Holm's correction over all comparisons that have an interval and a margin.
func judgeFamily(cs []Comparison, policy Policy, mismatched mismatches) {
	var family []*Comparison
	for i := range cs {
		if c := &cs[i]; c.Interval != nil && c.Margin != nil {
			e := c.effect
			c.P = &PValues{
				Regression:  c.analysis.pValue(e.PBelow(-e.lambda)),
				Improvement: c.analysis.pValue(e.PAbove(e.lambda)),
				Equivalence: min(1, c.analysis.pValue(max(e.PAbove(-e.lambda), e.PBelow(e.lambda)))/c.share()),
				Worse:       e.PBelow(0),
			}
			family = append(family, c)
		}
	}
	adjust(family)
	j := newJudge(policy, len(family))
	for i := range cs {
		c := &cs[i]
		c.Verdict, c.Reason = j.verdict(c, mismatched)
		if c.P != nil {
			c.MDE = j.mde(c)
			c.Warnings = caveats(c)
		}
	}
}

// A judge knows the levels that hold in one family.
type judge struct {
	policy  Policy
	perTest float64             // level at which the first comparison of the family is called a regression
	errors  map[float64]float64 // degrees of freedom -> multiplier of the standard error in the historical MDE
}

func newJudge(policy Policy, family int) judge {
	return judge{policy: policy, perTest: policy.Alpha / float64(max(2, family)), errors: make(map[float64]float64)}
}

// verdict asks first whether a comparison can be decided at all, then decides. Both
// lists are in the order of the decision table (.github/docs/verdicts.md): the first
// row that holds is the answer.
func (j judge) verdict(c *Comparison, mismatched mismatches) (Verdict, *Reason) {
	if r := j.precondition(c, mismatched); r != nil {
		return Inconclusive, r
	}
	return j.decision(c)
}

// precondition is why a comparison cannot be decided, nil if it can.
func (j judge) precondition(c *Comparison, mismatched mismatches) *Reason {
	censored := c.Baseline.Censored + c.Candidate.Censored
	_, gated := j.policy.Margin(c.Metric)
	least, ask := j.least(c)
	switch {
	case c.lost:
		return c.Reason
	case censored > 0 && !gated:
		return &Reason{Code: NoMargin}
	case c.Baseline.undefined() || c.Candidate.undefined():
		return &Reason{Code: Undefined, Have: c.Baseline.Undefined + c.Candidate.Undefined}
	case censored > 0 && len(c.Baseline.Trials) == 0:
		return &Reason{Code: NotMeasured} // nothing to compare with, and no pass
	case censored > 0: // whatever the other trials say, they are the better ones
		return &Reason{Code: Censored, Have: censored}
	case len(c.Candidate.Trials) == 0:
		return &Reason{Code: NotMeasured}
	case mismatched.of(c) != nil:
		return mismatched.of(c)
	case c.Method == Historical && len(c.Baseline.Trials) == 0:
		return &Reason{Code: NoBaseline, Need: minSessions}
	case c.Change == nil:
		return &Reason{Code: NotMeasured}
	case c.Method == Sessions && !c.Metric.Exact:
		return &Reason{Code: BaselineTooYoung, Have: 1, Need: minSessions}
	case c.Method == Historical && c.Replicates < minSessions:
		return &Reason{Code: BaselineTooYoung, Have: c.Replicates, Need: minSessions}
	case c.Method == Historical && c.Replicates < oldEnough && !c.effect.moderated:
		return &Reason{Code: BaselineTooYoung, Have: c.Replicates, Need: oldEnough}
	case c.Interval == nil || c.Replicates < least:
		return &Reason{Code: TooFewTrials, Have: c.Replicates, Need: ask}
	case c.Margin == nil:
		return &Reason{Code: NoMargin}
	case c.notDeterministic() > 0:
		return &Reason{Code: NotDeterministic, Have: c.notDeterministic()}
	}
	return constantRates(c)
}

// decision is the verdict of a comparison that can be decided, and its reason where
// that is Inconclusive.
func (j judge) decision(c *Comparison) (Verdict, *Reason) {
	inconclusive := func(r Reason) (Verdict, *Reason) { return Inconclusive, &r }
	v := decide(c.P, j.policy.Alpha)
	disagree := v != Inconclusive && ranksDisagree(c.effect, 1-2*c.analysis.level(j.policy.Alpha))
	switch n := c.Baseline.disturbed() + c.Candidate.disturbed(); {
	case disagree && n > 0:
		return inconclusive(Reason{Code: Disturbed, Have: n})
	case (v == Regression || v == Improvement) && c.Disturbance.mayExplain(c.effect, c.Sigma, j.policy.Alpha, c.analysis):
		if v == Regression {
			return inconclusive(Reason{Code: Suspected, Have: c.Replicates, Disturbed: n})
		}
		return inconclusive(Reason{Code: Disturbed, Have: n})
	}
	if disagree {
		return inconclusive(j.advised(MethodsDisagree, c))
	}
	switch {
	case v == Regression && c.Method == Historical:
		return inconclusive(Reason{Code: SuspectedByHistory, Have: c.Replicates})
	case v == Regression:
		return v, nil
	case newlyDead(c) && c.Method == Historical:
		return inconclusive(Reason{Code: SuspectedByHistory, Have: c.Replicates})
	case newlyDead(c):
		return inconclusive(j.advised(Suspected, c))
	case v == Improvement, v == Equivalent && c.Estimator != PooledRates:
		return v, nil
	case j.lostByLeavingOut(c):
		return inconclusive(Reason{Code: Suspected, Have: c.Replicates, Disturbed: c.Baseline.Disturbed + c.Candidate.Disturbed})
	case c.P.Worse <= suspectAlpha && c.effect.theta < -c.effect.lambda:
		return inconclusive(j.advised(Suspected, c))
	case v == Equivalent: // of rates: a crash of a few trials may be missing from them, of which the interval knows nothing
		return inconclusive(Reason{Code: FewFailures, Have: c.Replicates})
	}
	if n := c.Baseline.disturbed() + c.Candidate.disturbed(); n > 0 {
		return inconclusive(Reason{Code: Disturbed, Have: n})
	}
	return inconclusive(j.advised(TooNoisy, c))
}

// lostByLeavingOut reports whether all of a cell's blocks show a loss that is open
// once the disturbed ones are left out. What is left may be noisier than it was
// taken to be: a disturbance that began late in a long trial is not in the time that is
// looked at. Leaving blocks out must not turn a loss into a pass.
func (j judge) lostByLeavingOut(c *Comparison) bool {
	return c.whole.inference != nil && c.analysis.pValue(c.whole.PBelow(-c.whole.lambda)) <= j.perTest
}

// decide is the four-way rule on p-values.
func decide(p *PValues, alpha float64) Verdict {
	switch {
	case p.AdjustedRegression <= alpha:
		return Regression
	case p.AdjustedImprovement <= alpha:
		return Improvement
	case p.Equivalence <= alpha:
		return Equivalent
	}
	return Inconclusive
}

// ranksDisagree reports whether one paired difference lies so far from the
// others that a mean says more about that block than about the arms: the
// signed-rank interval then has to lie where the t interval lies.
func ranksDisagree(e effect, confidence float64) bool {
	if len(e.differences) == 0 || !hasOutlier(e.differences) {
		return false
	}
	ranks := stats.SignedRank(e.differences, confidence)
	return place(ranks, e.lambda) != place(e.Interval(confidence), e.lambda)
}

// place is the four-way rule on an interval of the oriented scale.
func place(iv stats.Interval, lambda float64) Verdict {
	switch {
	case iv.High < -lambda:
		return Regression
	case iv.Low > lambda:
		return Improvement
	case iv.Low > -lambda && iv.High < lambda:
		return Equivalent
	}
	return Inconclusive
}

// hasOutlier reports whether a value lies more than 5 robust standard
// deviations from the median (statistics reference 7.2). 1.4826 makes the MAD
// of normal data their standard deviation.
func hasOutlier(d []float64) bool {
	median, mad := stats.Median(d), stats.MAD(d)
	return slices.ContainsFunc(d, func(x float64) bool {
		return math.Abs(x-median) > 5*1.4826*mad
	})
}

// mde turns the loss that would be called with 80 % power into a share.
func (j judge) mde(c *Comparison) float64 {
	e := c.effect
	t := stats.Target{Margin: e.lambda, Alpha: c.analysis.level(j.perTest), Power: power}
	if _, rate := e.inference.(stats.RateDifference); rate || t.Alpha < leastLevel {
		return 0 // the spread of a rate depends on the rate
	}
	var loss float64
	switch {
	case c.Method == Historical || c.Metric.Exact:
		est := e.inference.(stats.Estimate)
		k, ok := j.errors[est.DF]
		if !ok {
			k = stats.MDEOf(t, stats.Estimate{SE: 1, DF: est.DF}) - e.lambda
			j.errors[est.DF] = k
		}
		loss = e.lambda + k*est.SE
	case c.Method == Paired:
		loss = e.lambda + multiplier(t, e.n)*c.Sigma
	default:
		loss = stats.MDEUnpaired(t, stats.Side{SD: spread(e.base), N: len(e.base)}, stats.Side{SD: spread(e.head), N: len(e.head)})
	}
	if math.IsInf(loss, 1) || math.IsNaN(loss) {
		return 0
	}
	if c.Metric.InPoints() {
		return loss
	}
	return -math.Expm1(-loss)
}
