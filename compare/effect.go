package compare

import (
	"math"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/stats"
)

// An effect is a change on the scale it is estimated on, turned so that worse
// is negative whatever the metric.
type effect struct {
	inference
	theta       float64   // the estimate
	lambda      float64   // margin on that scale, > 0; 0 when the policy has none
	differences []float64 // paired: one a block, in block order
	n           int       // blocks, or trials of the smaller side
	base, head  []float64 // unpaired: the trials of each side on that scale
	moderated   bool      // history: the variance of similar cells helped
}

// inference is what can be concluded of a true value: stats.Estimate has it
// for means, stats.RateDifference for success rates.
type inference interface {
	Interval(confidence float64) stats.Interval
	PBelow(bound float64) float64
	PAbove(bound float64) float64
}

// A scale is where effects add up: logs for what is compared by ratio, the
// numbers themselves for margins in points.
type scale struct {
	to     func(float64) float64 // a value onto the scale
	from   func(float64) float64 // and back
	change func(float64) float64 // a difference on the scale to a Change
	better float64               // +1 when more is better, −1 when less is
	lambda float64               // the margin
}

func scaleOf(m record.Metric, margin Margin) scale {
	s := scale{to: math.Log, from: math.Exp, change: math.Expm1, better: 1, lambda: margin.Lambda()}
	if m.InPoints() {
		identity := func(x float64) float64 { return x }
		s.to, s.from, s.change, s.lambda = identity, identity, identity, margin.Value
	}
	if m.Better == record.Lower {
		s.better = -1
	}
	return s
}

// oriented puts a side's values on the scale, worse below better.
func (s scale) oriented(side Side) []float64 {
	vs := side.values()
	for i, v := range vs {
		vs[i] = s.better * s.to(v)
	}
	return vs
}

// level is the mean of oriented values, as a value.
func (s scale) level(oriented []float64) float64 {
	return s.from(s.better * stats.PairedT(oriented).Theta)
}

// withLevels sets the level of each side that has trials from all of them.
func (c Comparison) withLevels(sc scale) Comparison {
	for _, side := range []*Side{&c.Baseline, &c.Candidate} {
		if len(side.Trials) > 0 {
			side.Estimate = sc.level(sc.oriented(*side))
		}
	}
	return c
}

// estimate fills in what can be known of a comparison before the family of all
// comparisons is seen: change, interval, margin, spread.
func estimate(c Comparison, policy Policy) Comparison {
	margin, gated := policy.Margin(c.Metric)
	sc := scaleOf(c.Metric, margin)
	c = c.withLevels(sc)
	e, ok := estimateEffect(c, sc)
	if !ok {
		return c
	}
	c.effect, c.Estimator, c.Sigma = e.effect, e.estimator, e.sigma
	if e.levels != nil {
		c.Baseline.Estimate, c.Candidate.Estimate = e.levels[0], e.levels[1]
	}
	return c.withInterval(sc, gated, policy)
}

// leastLevel is the smallest one-sided level at which an interval is formed. An
// interim analysis so early that it may spend less has none.
const leastLevel = 1e-12

// withInterval turns the comparison's effect into changes: the estimate, its
// interval, and the margin.
func (c Comparison) withInterval(sc scale, gated bool, policy Policy) Comparison {
	e := c.effect
	c.Replicates = e.n
	change := sc.change(sc.better * e.theta)
	c.Change = &change
	if gated {
		c.Margin = &Range{Low: sc.change(-sc.lambda), High: sc.change(sc.lambda)}
	}
	level := c.analysis.level(policy.Alpha)
	if e.n < 2 || level < leastLevel {
		return c
	}
	if iv := e.Interval(1 - 2*level); !math.IsInf(iv.Low, 0) && !math.IsInf(iv.High, 0) {
		low, high := sc.change(sc.better*iv.Low), sc.change(sc.better*iv.High)
		if math.IsInf(low, 0) || math.IsInf(high, 0) {
			return c // beyond what a number can say, which is no interval
		}
		c.Interval = &Interval{Low: min(low, high), High: max(low, high), Confidence: 1 - 2*policy.Alpha}
	}
	return c
}

// An estimated effect comes with what a comparison shows of how it was estimated.
type estimated struct {
	effect
	estimator Estimator
	sigma     float64   // Comparison.Sigma
	levels    []float64 // Side.Estimate of baseline and candidate; nil where it is that of all trials
}

// estimateEffect estimates the change as the comparison's method and metric demand.
// Success counts have an estimator of their own, whatever the method: requests of a
// trial fail together, so what counts is how much trials differ. It returns false when
// a side has no trial, or no block has both arms.
func estimateEffect(c Comparison, sc scale) (estimated, bool) {
	e := estimated{effect: effect{lambda: sc.lambda}}
	if len(c.Baseline.Trials) == 0 || len(c.Candidate.Trials) == 0 {
		return e, false
	}
	if base, head := c.Baseline.counts(), c.Candidate.counts(); base != nil && head != nil && sc.better > 0 {
		d := stats.DeflatedNewcombe(base, head)
		e.inference, e.theta, e.n = d, d.Difference, min(len(base), len(head))
		e.estimator, e.levels = PooledRates, []float64{pooledRate(base), pooledRate(head)}
		return e, true
	}
	base, head := sc.oriented(c.Baseline), sc.oriented(c.Candidate)
	if c.Metric.Exact {
		return estimateExact(base, head, e), true
	}
	var t stats.Estimate
	if c.Method == Paired {
		base, head = byBlock(c.Baseline, c.Candidate, base, head)
		if len(base) == 0 {
			return e, false
		}
		e.differences = make([]float64, len(base))
		for i := range base {
			e.differences[i] = head[i] - base[i]
		}
		t, e.n = stats.PairedT(e.differences), len(e.differences)
		e.estimator, e.sigma, e.levels = PairedT, spread(e.differences), []float64{sc.level(base), sc.level(head)}
	} else {
		e.base, e.head = base, head
		t, e.n = stats.Welch(base, head), min(len(base), len(head))
		e.estimator, e.sigma = Welch, math.Sqrt((spread(base)*spread(base)+spread(head)*spread(head))/2)
	}
	e.inference, e.theta = t, t.Theta
	return e, true
}

func pooledRate(counts []stats.Count) float64 {
	var sum stats.Count
	for _, c := range counts {
		sum.K, sum.N = sum.K+c.K, sum.N+c.N
	}
	return sum.Rate()
}

// spread is the sample standard deviation, 0 for fewer than two values.
func spread(xs []float64) float64 {
	e := stats.PairedT(xs)
	if math.IsInf(e.SE, 1) {
		return 0
	}
	return e.SE * math.Sqrt(float64(len(xs)))
}
