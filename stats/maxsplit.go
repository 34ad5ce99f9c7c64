package stats

import (
	"math"
	"math/rand/v2"
)

// leastSegment is the fewest values on either side of a split.
const leastSegment = 3

// A splitSearch finds where a series is best cut in two. Its statistic is
// |S(k)|/√(k(n-k)), with S(k) the sum of the first k deviations from the mean:
// for one series, and for its permutations, it grows with the pooled two-sample
// |t| at k, and needs neither a division nor a variance.
type splitSearch struct {
	deviations []float64
	weights    []float64 // 1/√(k(n-k)) at index k
	sums       []float64 // scratch: sums[k] of the first k deviations
	low, high  []float64 // scratch: of blocks of them
}

func newSplitSearch(xs []float64) splitSearch {
	n := len(xs)
	s := splitSearch{deviations: make([]float64, n), weights: make([]float64, n), sums: make([]float64, n+1)}
	s.low, s.high = make([]float64, n/sumsBlock+1), make([]float64, n/sumsBlock+1)
	mean := carefulMean(xs)
	for i, x := range xs {
		s.deviations[i] = x - mean
	}
	for k := leastSegment; k <= n-leastSegment; k++ {
		s.weights[k] = 1 / math.Sqrt(float64(k)*float64(n-k))
	}
	return s
}

// best returns the first k at which the statistic is largest and its value;
// 0, 0 when the series is too short or constant.
func (s splitSearch) best() (at int, largest float64) {
	sum := 0.0
	for k := 1; k <= len(s.deviations)-leastSegment; k++ {
		sum += s.deviations[k-1]
		if v := math.Abs(sum) * s.weights[k]; v > largest {
			at, largest = k, v
		}
	}
	return at, largest
}

// reaches reports whether the statistic is at least bound somewhere.
func (s splitSearch) reaches(bound float64) bool {
	sum := 0.0
	for k, w := range s.weights[1 : len(s.weights)-leastSegment+1] {
		sum += s.deviations[k]
		if math.Abs(sum)*w >= bound {
			return true
		}
	}
	return false
}

// tOf is the |t| that belongs to a value of the statistic.
func (s splitSearch) tOf(statistic float64) float64 {
	e := s.explained(statistic)
	if e == 0 {
		return 0
	}
	return math.Sqrt(float64(len(s.deviations)-2) * e / (1 - e))
}

// explained is the share of the sum of squares that a split with that statistic
// explains, in [0, 1].
func (s splitSearch) explained(statistic float64) float64 {
	squares := 0.0
	for _, d := range s.deviations {
		squares += d * d
	}
	if squares == 0 {
		return 0
	}
	return min(statistic*statistic*float64(len(s.deviations))/squares, 1)
}

// reduced returns the statistic whose t is smaller by √((1-r)/(1+r)), as
// neighbours that resemble each other by r are worth so many fewer values (see
// EffectiveN). A split that explains everything stays as it is.
func (s splitSearch) reduced(statistic, r float64) float64 {
	e, worth := s.explained(statistic), (1-r)/(1+r)
	if e == 0 {
		return statistic
	}
	return statistic * math.Sqrt(worth/(1-e+e*worth))
}

// bestStretch returns the stretch [from, to), with at least 3 values before and
// after it, that differs most from the rest, and the statistic of that: the
// same as of a split with as many values on one side. Lengths are tried densely
// where they are short, then in steps of a fifth (after Kovács et al. 2023).
func (s splitSearch) bestStretch() (from, to int, largest float64) {
	n := len(s.deviations)
	for i, d := range s.deviations {
		s.sums[i+1] = s.sums[i] + d
	}
	for m := leastSegment; m <= n-2*leastSegment; m += max(1, m/5) {
		w := s.weights[m]
		for i, sum := range s.sums[leastSegment : n-leastSegment-m+1] {
			if v := math.Abs(s.sums[i+leastSegment+m]-sum) * w; v > largest {
				from, to, largest = i+leastSegment, i+leastSegment+m, v
			}
		}
	}
	return from, to, largest
}

// splitP is the p-value of the best split: its bound where that says enough,
// else by permutations.
func (s splitSearch) splitP(statistic, level float64, rng *rand.Rand) float64 {
	if p := s.clearP(statistic); p <= level {
		return max(p, math.SmallestNonzeroFloat64)
	}
	return s.permutationP(statistic, level, splitSearch.reaches, rng)
}

// stretchP is splitP of the best stretch.
func (s splitSearch) stretchP(statistic, level float64, rng *rand.Rand) float64 {
	if p := s.clearStretchP(statistic); p <= level {
		return max(p, math.SmallestNonzeroFloat64)
	}
	return s.permutationP(statistic, level, splitSearch.stretchReaches, rng)
}
