package stats

import (
	"fmt"
	"math"
	"sync"

	"gonum.org/v1/gonum/interp"
	"gonum.org/v1/gonum/stat/distuv"
)

// InterimAnalyses are the planned interim analyses of one growing sample by a
// one-sample t-test, paired differences for one, with O'Brien-Fleming spending.
// They say what a p-value at one of them is worth where measuring may be stopped
// at each. The levels are exact for normal data: they come from the joint law of
// the t statistics. The usual normal bounds, read as p-values of a t-test, let
// 5.4 % through where 5 % are promised after 6, 10, 15 and 20 values.
type InterimAnalyses struct {
	blocks []int
	once   sync.Once
	tables []analysisTable // one an analysis; filled on first use
}

// NewInterimAnalyses plans one analysis after each number of blocks. It panics
// unless the numbers increase and start at 1 or more; there must be one at least.
// One block has no t statistic, so that an analysis of it never rejects.
func NewInterimAnalyses(blocks []int) *InterimAnalyses {
	if len(blocks) == 0 {
		panic("stats: NewInterimAnalyses: no analysis")
	}
	last := 0
	for _, n := range blocks {
		if n <= last {
			panic("stats: NewInterimAnalyses: blocks must be positive and increasing")
		}
		last = n
	}
	return &InterimAnalyses{blocks: blocks}
}

// spending is how much of alpha may have been spent when the given fraction, in
// (0, 1], of the planned blocks is in (Lan and DeMets 1983): 2·(1 -
// Φ(z(1-alpha/2)/√fraction)). It spends hardly anything early, so that the last
// analysis costs little against a fixed plan.
func spending(fraction, alpha float64) float64 {
	return math.Erfc(-distuv.UnitNormal.Quantile(alpha/2) / math.Sqrt(2*fraction))
}

// Level returns the one-sided p-value that a t-test must not exceed at analysis k,
// from 0, for the error over all analyses to be alpha; 0 where nothing may be
// rejected. It panics unless 0 < alpha < 0.5.
func (a *InterimAnalyses) Level(k int, alpha float64) float64 {
	if !(alpha > 0 && alpha < 0.5) {
		panic("stats: InterimAnalyses.Level: alpha must lie between 0 and 0.5")
	}
	return a.levels(alpha, k+1)[k]
}

// levels returns Level at each of the first analyses.
func (a *InterimAnalyses) levels(alpha float64, first int) []float64 {
	levels := make([]float64, first)
	var s stoppedT
	spent := 0.0
	for k, n := range a.blocks[:first] {
		s.advance(n)
		total := spending(float64(n)/float64(a.blocks[len(a.blocks)-1]), alpha)
		if levels[k] = s.reject(total - spent); levels[k] > 0 {
			spent = total
		}
	}
	return levels
}

// leastRepeated is the smallest repeated p-value told apart from 0.
const leastRepeated = 1e-12

// PValue returns the repeated p-value (Jennison and Turnbull 2000, section 9.2)
// at analysis k, from 0, of the one-sided p-value p found there: the least alpha at
// which analysis k would reject. Under a true null the smallest of all analyses is at
// or below x with a chance of x at most, so it may be handed to Holm's
// correction whatever made the measuring stop. It is never below 1e-12; above
// 0.5 it says nothing but that. NaN gives NaN.
func (a *InterimAnalyses) PValue(k int, p float64) float64 {
	a.once.Do(a.fill)
	t := &a.tables[k]
	z := -distuv.UnitNormal.Quantile(min(max(p, 0), 1))
	switch {
	case math.IsNaN(p):
		return p
	case t.curve == nil || z <= t.low:
		return max(0.5, min(p, 1))
	case z >= t.high:
		return max(t.least, leastRepeated)
	}
	return max(distuv.UnitNormal.CDF(-t.curve.Predict(z)), p, leastRepeated)
}

// An analysisTable turns the level of one analysis back into the alpha it is
// for. On the scale of normal quantiles the one is nearly linear in the other.
type analysisTable struct {
	curve     *interp.FritschButland // z of the level to z of alpha; nil where no alpha has a level
	low, high float64                // z of the levels of the largest and the smallest alpha
	least     float64                // the smallest alpha
}

func (a *InterimAnalyses) fill() {
	const points = 32
	largest, smallest := 0.01, -distuv.UnitNormal.Quantile(leastRepeated) // z of alpha
	at, alphas := make([][]float64, len(a.blocks)), make([]float64, points)
	for i := range alphas {
		alphas[i] = largest + (smallest-largest)*float64(i)/(points-1)
		for k, level := range a.levels(distuv.UnitNormal.CDF(-alphas[i]), len(a.blocks)) {
			if z := -distuv.UnitNormal.Quantile(level); level > 1e-300 && len(at[k]) == i {
				at[k] = append(at[k], z)
			}
		}
	}
	a.tables = make([]analysisTable, len(a.blocks))
	for k, levels := range at {
		if len(levels) < 3 {
			continue
		}
		var curve interp.FritschButland
		if err := curve.Fit(levels, alphas[:len(levels)]); err != nil {
			panic(fmt.Sprintf("stats: InterimAnalyses: %v", err))
		}
		a.tables[k] = analysisTable{curve: &curve, low: levels[0], high: levels[len(levels)-1], least: distuv.UnitNormal.CDF(-alphas[len(levels)-1])}
	}
}
