package stats

import "math"

const (
	// Tables whose probabilities or statistics differ by no more than rounding
	// are equally extreme.
	sameTable = 1e-9

	mostConditional = 1e6 // largest N of a test that goes through one margin
	mostEnumerated  = 1e4 // largest N of a test that goes through all tables
)

// Fisher tests whether head's rate differs from base's by Fisher's (1935) exact
// test, given both totals. Two-sided adds up the tables that are no more
// probable than the observed one, as R's fisher.test does. The statistic is
// head.K.
//
// It is conservative: Boschloo has more power. All requests must be
// independent. It panics unless both counts are whole, 0 <= K <= N and
// 0 < N <= 1e6.
func Fisher(base, head Count) Test {
	checkWholeCount("Fisher", base, mostConditional)
	checkWholeCount("Fisher", head, mostConditional)
	return conditionalTest(base, head)
}

// conditionalTest is Fisher without its checks.
func conditionalTest(base, head Count) Test {
	p, first := hypergeometric(base.N, head.N, base.K+head.K)
	at := int(head.K) - first
	observed := p[at]
	t := Test{Statistic: head.K, Exact: true}
	for i, pi := range p {
		if i <= at {
			t.Less += pi
		}
		if i >= at {
			t.Greater += pi
		}
		if pi <= observed*(1+sameTable) {
			t.TwoSided += pi
		}
	}
	t.Less, t.Greater, t.TwoSided = min(t.Less, 1), min(t.Greater, 1), min(t.TwoSided, 1)
	return t
}

// hypergeometric returns the distribution of head's successes given that k of
// the n1+n2 succeeded, n2 of them head's: p[i] = P(first + i). Ratios of
// neighbours from the mode outwards keep full relative precision in the tails.
func hypergeometric(n1, n2, k float64) (p []float64, first int) {
	low, high := max(0, k-n1), min(n2, k)
	mode := min(max(math.Floor((n2+1)*(k+1)/(n1+n2+2)), low), high)
	p = make([]float64, int(high-low)+1)
	at := int(mode - low)
	p[at] = 1
	total := 1.0
	for i := at + 1; i < len(p); i++ {
		x := low + float64(i)
		p[i] = p[i-1] * (n2 - x + 1) / x * (k - x + 1) / (n1 - k + x)
		total += p[i]
	}
	for i := at - 1; i >= 0; i-- {
		x := low + float64(i)
		p[i] = p[i+1] * (x + 1) / (n2 - x) * (n1 - k + x + 1) / (k - x)
		total += p[i]
	}
	for i := range p {
		p[i] /= total
	}
	return p, int(low)
}
