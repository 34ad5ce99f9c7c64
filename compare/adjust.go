package compare

import "github.com/llama-regress/llama-regress/stats"

// adjust sets the adjusted p-values of a family of comparisons: Holm's, which
// keep the chance of even one false regression at Policy.Alpha however the cells
// depend on one another. A family of one is doubled: a single cell is held to
// half of alpha, as the members of any larger family are at least (statistics
// reference 7.4).
func adjust(family []*Comparison) {
	regression, improvement := make([]float64, len(family)), make([]float64, len(family))
	for i, c := range family {
		regression[i], improvement[i] = c.P.Regression, c.P.Improvement
	}
	if len(family) == 1 {
		regression[0], improvement[0] = min(1, 2*regression[0]), min(1, 2*improvement[0])
	} else {
		regression, improvement = stats.Holm(regression), stats.Holm(improvement)
	}
	for i, c := range family {
		c.P.AdjustedRegression, c.P.AdjustedImprovement = regression[i], improvement[i]
	}
}
