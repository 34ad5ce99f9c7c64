package compare

import "math"

// heedControls takes back what a fired null control forbids. The baseline against itself
// shows what the machine alone does to a comparison. A finding on that machine stands if it
// lies beyond the margin by more than that, and says so; else it is inconclusive (statistics
// reference 7.7).
func (r *Result) heedControls() {
	type source struct { // what a control vouches for
		machine int
		exact   bool // what makes times differ makes no counts differ
	}
	fired := make(map[source]bool)
	for _, c := range r.Controls {
		if c.Verdict == Regression || c.Verdict == Improvement {
			fired[source{r.machines[c.Cell], c.Metric.Exact}] = true
		}
	}
	r.ControlFired = len(fired) > 0
	if !r.ControlFired {
		return
	}
	biases := r.biases()
	perTest := newJudge(r.Policy, inFamily(r.Comparisons)).perTest
	for i := range r.Comparisons {
		c := &r.Comparisons[i]
		machine := r.machines[c.Cell]
		if !fired[source{machine, c.Metric.Exact}] || c.Verdict != Regression && c.Verdict != Improvement && !c.suspectedByHistory() {
			continue
		}
		bias, known := biases[biasKey{machine, c.Metric.InPoints(), c.Metric.Exact}]
		if known && c.beyond(bias, perTest) {
			c.Warnings = append(c.Warnings, Warning{Code: ControlDiffers, Number: scaleOf(c.Metric, Margin{}).change(bias)})
			continue
		}
		c.Verdict, c.Reason = Inconclusive, &Reason{Code: ControlFired}
	}
}

// A biasKey is a machine and a scale of differences: points, or the logarithm of a ratio.
type biasKey struct {
	machine  int
	inPoints bool
	exact    bool
}

// biases is the largest difference, in either direction, that the null controls of a machine
// leave possible on a scale: the far ends of their simultaneous intervals. A scale without
// a control of that machine is not among them.
func (r *Result) biases() map[biasKey]float64 {
	perTest := newJudge(r.Policy, inFamily(r.Controls)).perTest
	biases := make(map[biasKey]float64)
	for _, c := range r.Controls {
		if c.P == nil {
			continue
		}
		k := biasKey{r.machines[c.Cell], c.Metric.InPoints(), c.Metric.Exact}
		iv := c.effect.Interval(1 - 2*c.analysis.level(perTest))
		biases[k] = max(biases[k], math.Abs(iv.Low), math.Abs(iv.High))
	}
	return biases
}

// beyond reports whether the finding holds for a margin that is wider by bias, at the level
// of the first comparison of its family.
func (c *Comparison) beyond(bias, perTest float64) bool {
	p := c.effect.PBelow(-c.effect.lambda - bias)
	if c.Verdict == Improvement {
		p = c.effect.PAbove(c.effect.lambda + bias)
	}
	return c.analysis.pValue(p) <= perTest
}

// inFamily counts the comparisons that are judged together.
func inFamily(cs []Comparison) int {
	n := 0
	for _, c := range cs {
		if c.P != nil {
			n++
		}
	}
	return n
}
