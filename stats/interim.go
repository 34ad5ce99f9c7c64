package stats

import (
	"fmt"
	"math"
	"sync"

	"gonum.org/v1/gonum/interp"
	"gonum.org/v1/gonum/stat/distuv"
)

// InterimAnalyses are the planned interim analyses of growing data, with
// O'Brien-Fleming spending. They say what a p-value at one of them is worth where
// measuring may be stopped at each.
type InterimAnalyses struct {
	fractions []float64
	spend     Spending
	tables    []analysisTable
}

// NewInterimAnalyses plans one analysis after each number of blocks. It panics
// unless the numbers increase and start at 1 or more; there must be one at least.
func NewInterimAnalyses(blocks []int) *InterimAnalyses {
	if len(blocks) == 0 {
		panic("stats: NewInterimAnalyses: no analysis")
	}
	return &InterimAnalyses{fractions: Fractions(blocks), spend: OBrienFlemingSpending, tables: make([]analysisTable, len(blocks))}
}

// Level returns the one-sided p-value that a test must not exceed at analysis k,
// from 0, for the error over all analyses to be alpha. It panics unless 0 < alpha < 0.5.
func (l *InterimAnalyses) Level(k int, alpha float64) float64 {
	return NominalP([]float64{l.bound(k, alpha)})[0]
}

// closeLooks are so near to one another that the recursion would need thousands
// of nodes: the later is then held to what may be spent since the earlier, as if
// the two were independent, which is less error than promised.
const closeLooks = 0.02

func (l *InterimAnalyses) bound(k int, alpha float64) float64 {
	if k > 0 && l.fractions[k]-l.fractions[k-1] < closeLooks {
		more := l.spend(l.fractions[k], alpha) - l.spend(l.fractions[k-1], alpha)
		if more <= 0 {
			return math.Inf(1)
		}
		return -distuv.UnitNormal.Quantile(more)
	}
	return SpendingBounds(l.fractions[:k+1], alpha, l.spend)[k]
}

// leastRepeated is the smallest repeated p-value told apart from 0.
const leastRepeated = 1e-12

// PValue returns the repeated p-value (Jennison and Turnbull 2000, section 9.2)
// at analysis k, from 0, of the one-sided p-value p found there: the least alpha at
// which analysis k would reject. Under a true null the smallest of all analyses is at
// or below x with a chance of x at most, so it may be handed to Holm's
// correction whatever made the measuring stop. It is never below 1e-12; above
// 0.5 it says nothing but that. NaN gives NaN.
func (l *InterimAnalyses) PValue(k int, p float64) float64 {
	t := &l.tables[k]
	t.once.Do(func() { t.fill(l, k) })
	z := -distuv.UnitNormal.Quantile(min(max(p, 0), 1))
	switch {
	case math.IsNaN(p):
		return p
	case t.curve == nil || z <= t.low:
		return max(0.5, min(p, 1))
	case z >= t.high:
		return max(t.least, leastRepeated)
	}
	return max(distuv.UnitNormal.CDF(-t.curve.Predict(z)), leastRepeated)
}

// An analysisTable turns the bound of one analysis back into the alpha it is for. On the
// scale of normal quantiles the one is nearly linear in the other.
type analysisTable struct {
	once      sync.Once
	curve     interp.Predictor // z of the bound to z of alpha; nil where no alpha has a bound
	low, high float64          // bounds of the largest and the smallest alpha
	least     float64          // the smallest alpha
}

func (t *analysisTable) fill(l *InterimAnalyses, k int) {
	const points = 48
	largest, smallest := 0.01, -distuv.UnitNormal.Quantile(leastRepeated) // z of alpha
	var bounds, alphas []float64
	for i := range points {
		z := largest + (smallest-largest)*float64(i)/(points-1)
		bound := l.bound(k, distuv.UnitNormal.CDF(-z))
		if math.IsInf(bound, 1) {
			break
		}
		bounds, alphas = append(bounds, bound), append(alphas, z)
	}
	if len(bounds) < 3 {
		return
	}
	var curve interp.FritschButland
	if err := curve.Fit(bounds, alphas); err != nil {
		panic(fmt.Sprintf("stats: InterimAnalyses: %v", err))
	}
	t.curve, t.low, t.high = &curve, bounds[0], bounds[len(bounds)-1]
	t.least = distuv.UnitNormal.CDF(-alphas[len(alphas)-1])
}
