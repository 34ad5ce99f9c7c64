package compare

import (
	"math"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/stats"
)

// An effect is a change on the scale it is estimated on, turned so that worse
// is negative whatever the metric.
type effect struct {
	stats.Estimate
	lambda      float64   // margin on that scale, > 0; 0 when the policy has none
	differences []float64 // paired: one a block, in block order
	n           int       // blocks, or trials of the smaller side
	base, head  []float64 // unpaired: the trials of each side on that scale
}

// A scale is where effects add up: logs for what is compared by ratio, the
// numbers themselves for margins in points.
type scale struct {
	to     func(float64) float64 // a value onto the scale
	change func(float64) float64 // a difference on the scale to a Change, and
	better float64               // +1 when more is better, −1 when less is
	lambda float64
}

func scaleOf(m record.Metric, margin Margin) scale {
	s := scale{to: math.Log, change: math.Expm1, better: 1, lambda: margin.Lambda()}
	if margin.Absolute {
		identity := func(x float64) float64 { return x }
		s.to, s.change, s.lambda = identity, identity, margin.Value
	}
	if m.Better == record.Lower {
		s.better = -1
	}
	return s
}

// estimate fills in what can be known of a comparison before the family of all
// comparisons is seen: change, interval, margin, spread.
func estimate(c Comparison, policy Policy) Comparison {
	margin, gated := policy.margin(c.Metric)
	sc := scaleOf(c.Metric, margin)
	if len(c.Baseline.Trials) == 0 || len(c.Contender.Trials) == 0 {
		return c
	}
	e := effect{lambda: sc.lambda}
	on := func(v float64) float64 { return sc.better * sc.to(v) }
	if c.Method == Paired {
		for _, p := range byBlock(c.Baseline, c.Contender) {
			e.differences = append(e.differences, on(p[1])-on(p[0]))
		}
		if e.n = len(e.differences); e.n == 0 {
			return c // no block has both arms
		}
		e.Estimate = stats.PairedT(e.differences)
		c.Sigma = spread(e.differences)
	} else {
		for _, v := range c.Baseline.values() {
			e.base = append(e.base, on(v))
		}
		for _, v := range c.Contender.values() {
			e.head = append(e.head, on(v))
		}
		e.n = min(len(e.base), len(e.head))
		e.Estimate = stats.Welch(e.base, e.head)
		c.Sigma = math.Sqrt((sq(spread(e.base)) + sq(spread(e.head))) / 2)
	}
	c.effect, c.Blocks = e, e.n
	change := sc.change(sc.better * e.Theta)
	c.Change = &change
	if gated {
		c.Margin = &Range{Low: sc.change(-sc.lambda), High: sc.change(sc.lambda)}
	}
	if !math.IsInf(e.SE, 1) {
		iv := e.Interval(1 - 2*policy.Alpha)
		low, high := sc.change(sc.better*iv.Low), sc.change(sc.better*iv.High)
		c.Interval = &Interval{Low: min(low, high), High: max(low, high), Confidence: iv.Confidence}
	}
	return c
}

// spread is the sample standard deviation, 0 for fewer than two values.
func spread(xs []float64) float64 {
	e := stats.PairedT(xs)
	if math.IsInf(e.SE, 1) {
		return 0
	}
	return e.SE * math.Sqrt(float64(len(xs)))
}

func sq(x float64) float64 { return x * x }
