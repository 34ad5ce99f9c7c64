package stats

import "math"

// KolmogorovSmirnov tests whether two samples come from one distribution. d is
// the largest distance between their empirical distribution functions, in
// [0, 1]; p is exact, two-sided, over every way to divide the pooled values
// between the samples, ties included (Schröer and Trenkler 1995; R's psmirnov).
//
// Only the order counts: ±Inf are allowed. The samples are not modified. Time
// grows with the product of their sizes. KolmogorovSmirnov panics if a side is
// empty or holds a NaN.
func KolmogorovSmirnov(base, head []float64) (d, p float64) {
	checkSample("KolmogorovSmirnov", base)
	checkSample("KolmogorovSmirnov", head)
	n, m := len(base), len(head)
	groups := rankGroups(base, head)
	// A division of the values is a path from (0, 0) to (n, m); the distance can
	// only be read where a group of ties ends. In units of 1/(nm) it is whole.
	distance := func(i, j int) int { return max(i*m-j*n, j*n-i*m) }
	ends := make([]bool, n+m+1)
	farthest, i, j := 0, 0, 0
	for _, g := range groups {
		i, j = i+g.base, j+g.head
		ends[i+j] = true
		farthest = max(farthest, distance(i, j))
	}
	// alive[i] is the probability of a path to (i, j) that has stayed nearer
	// than the data's; a path that does not is counted once and stopped, so
	// that a small p is a sum of small terms.
	alive := make([]float64, n+1)
	for j := range m + 1 {
		for i := range n + 1 {
			left := float64(n + m - i - j + 1) // values left before this step
			reach := 0.0
			switch {
			case i == 0 && j == 0:
				reach = 1
			case j > 0:
				reach = alive[i] * float64(m-j+1) / left
			}
			if i > 0 {
				reach += alive[i-1] * float64(n-i+1) / left
			}
			if ends[i+j] && distance(i, j) >= farthest {
				p += reach
				reach = 0
			}
			alive[i] = reach
		}
	}
	return float64(farthest) / (float64(n) * float64(m)), math.Min(p, 1)
}
