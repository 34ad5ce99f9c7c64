package compare

import (
	"math"
	"slices"

	"github.com/llama-regress/llama-regress/stats"
)

// A Correction keeps the chance of even one false regression among all
// comparisons of a run at Policy.Alpha.
type Correction string

const (
	// Holm needs nothing but the p-values. The zero value means it too.
	Holm Correction = "holm"
	// RomanoWolf flips the signs of whole blocks, so that what the cells of a
	// block have in common costs nothing: more power when cells move together.
	// It needs paired comparisons, and p-values are multiples of 1/2^blocks.
	RomanoWolf Correction = "romano_wolf"
)

// adjust sets the adjusted p-values of a family of comparisons. A family of one
// is doubled: a single cell is held to half of alpha, as the members of any
// larger family are at least (statistics reference 7.4).
func adjust(family []*Comparison, policy Policy, seed uint64) {
	regression, improvement := make([]float64, len(family)), make([]float64, len(family))
	for i, c := range family {
		regression[i], improvement[i] = c.P.Regression, c.P.Improvement
	}
	switch {
	case len(family) == 1:
		regression[0], improvement[0] = min(1, 2*regression[0]), min(1, 2*improvement[0])
	case policy.Correction == RomanoWolf && allPaired(family):
		regression = commonFlips(family, -1, seed)
		improvement = commonFlips(family, +1, seed)
	default:
		regression, improvement = stats.Holm(regression), stats.Holm(improvement)
	}
	for i, c := range family {
		c.P.AdjustedRegression, c.P.AdjustedImprovement = regression[i], improvement[i]
	}
}

func allPaired(family []*Comparison) bool {
	for _, c := range family {
		if len(c.effect.differences) == 0 || c.look != nil { // flips know nothing of looks
			return false
		}
	}
	return true
}

// commonFlips is Romano-Wolf against the margin on one side: −1 for losses,
// +1 for gains.
func commonFlips(family []*Comparison, side float64, seed uint64) []float64 {
	var all []int
	for _, c := range family {
		all = append(all, c.effect.blocks...)
	}
	slices.Sort(all)
	all = slices.Compact(all)
	d, shift := make([][]float64, len(family)), make([]float64, len(family))
	for i, c := range family {
		d[i] = make([]float64, len(all))
		for k := range d[i] {
			d[i][k] = math.NaN() // a block this cell lacks
		}
		for k, b := range c.effect.blocks {
			at, _ := slices.BinarySearch(all, b)
			d[i][at] = -side * c.effect.differences[k]
		}
		shift[i] = -c.effect.lambda
	}
	return stats.RomanoWolf(d, shift, seed)
}
