package stats

// negligible is the share of the most probable value below which a value's
// probability is left out of a convolution, so that its work grows with the
// standard deviations and not with the counts; leastTail is well above what
// leaving them out can cost a tail.
const (
	negligible = 1e-40
	leastTail  = 1e-30
)

// StratifiedFisher tests whether head's rate differs from base's in the same
// direction over several strata, such as trials, by the exact test of a common
// odds ratio of 1 (Gart 1970; R's mantelhaen.test with exact = TRUE): given both
// totals of each stratum, head's successes are a sum of independent
// hypergeometric counts. One stratum is Fisher's test. Strata in which a side is
// empty, or nothing or everything succeeded, say nothing.
//
// The statistic is the sum of head.K. Two-sided adds up the sums that are no
// more probable than the observed one. P-values below 1e-30 are given as 1e-30.
//
// The counts of a stratum must be independent. base and head have one count a
// stratum, in the same order, and are not modified. It panics if their lengths
// differ or are 0, and unless all counts are whole, 0 <= K <= N <= 1e6.
func StratifiedFisher(base, head []Count) Test {
	if len(base) != len(head) || len(base) == 0 {
		panic("stats: StratifiedFisher: needs one count of each side in each stratum")
	}
	p, first, observed := []float64{1}, 0, 0
	for i := range base {
		for _, c := range []Count{base[i], head[i]} {
			if c != (Count{}) { // an empty side is no misuse here
				checkWholeCount("StratifiedFisher", c, mostConditional)
			}
		}
		observed += int(head[i].K)
		q, low := hypergeometric(base[i].N, head[i].N, base[i].K+head[i].K)
		p, first = convolve(p, q), first+low
		var cut int
		p, cut = trim(p)
		first += cut
	}
	return tails(p, first, observed)
}

// tails returns the p-values of an observed value when p[i] is the probability
// of first + i. A value that was left out lies beyond one of the ends.
func tails(p []float64, first, observed int) Test {
	t := Test{Statistic: float64(observed), Exact: true}
	own := 0.0
	if at := observed - first; at >= 0 && at < len(p) {
		own = p[at]
	}
	for i, pi := range p {
		if first+i <= observed {
			t.Less += pi
		}
		if first+i >= observed {
			t.Greater += pi
		}
		if pi <= own*(1+sameTable) {
			t.TwoSided += pi
		}
	}
	for _, p := range []*float64{&t.Less, &t.Greater, &t.TwoSided} {
		*p = min(1, max(*p, leastTail))
	}
	return t
}

// convolve returns the distribution of the sum of two independent counts.
func convolve(p, q []float64) []float64 {
	sum := make([]float64, len(p)+len(q)-1)
	for i, pi := range p {
		row := sum[i : i+len(q)]
		for j, qj := range q {
			row[j] += pi * qj
		}
	}
	return sum
}

// trim leaves out negligible values at both ends, cut of them at the lower one.
func trim(p []float64) (kept []float64, cut int) {
	most := 0.0
	for _, pi := range p {
		most = max(most, pi)
	}
	low, high := 0, len(p)
	for p[low] < negligible*most {
		low++
	}
	for p[high-1] < negligible*most {
		high--
	}
	return p[low:high], low
}
