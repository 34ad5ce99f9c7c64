package stats

import (
	"math"
	"math/rand/v2"
	"slices"
)

// permutationP returns (1 + permutations that reach the statistic)/(1 +
// permutations made). It makes enough of them to place ten at or below level,
// but stops as soon as so many reach it that at a p-value of level they would do so
// in less than one case of a million; what it then returns is above level. It also
// stops where none has when three should have at the level: that raises the chance of a
// p-value of at most level by a hundredth of it.
func (s splitSearch) permutationP(statistic, level float64, reaches func(s splitSearch, bound float64) bool, rng *rand.Rand) float64 {
	if statistic == 0 {
		return 1
	}
	// Permutations that only differ by rounding, or not at all, are ties.
	bound := statistic * (1 - 1e-9)
	permutations, enough := math.Ceil(10/level), math.Ceil(3/level)
	reached := 0.0
	s.deviations = slices.Clone(s.deviations)
	for made := 1.0; made <= permutations; made++ {
		shuffle(s.deviations, rng)
		switch {
		case reaches(s, bound):
			if reached++; reached+1 > level*(permutations+1) || tooMany(reached, made*level) {
				return (reached + 1) / (made + 1)
			}
		case reached == 0 && made == enough:
			return 1 / (made + 1)
		}
	}
	return (reached + 1) / (permutations + 1)
}

// expectedAtMost is, by the number of permutations that reached a statistic, how many
// may be expected for so many to be less likely than one in a million (Poisson).
var expectedAtMost = [...]float64{0, 0, 0.00141, 0.0182, 0.0709, 0.169, 0.313, 0.499, 0.725, 0.985}

// tooMany says whether reached are too many where so many are expected at the level.
func tooMany(reached, expected float64) bool {
	at := int(reached)
	return at < len(expectedAtMost) && expected <= expectedAtMost[at]
}

// shuffle puts xs into a random order. Two places come from each random number, of
// 32 bits each: with n values no order is more likely than another by more than
// n²/2³², and it takes a third of the time of rng.Shuffle.
func shuffle(xs []float64, rng *rand.Rand) {
	i := len(xs) - 1
	for ; i > 1; i -= 2 {
		r := rng.Uint64()
		j := (r >> 32) * uint64(i+1) >> 32
		xs[i], xs[j] = xs[j], xs[i]
		j = (r & 0xffffffff) * uint64(i) >> 32
		xs[i-1], xs[j] = xs[j], xs[i-1]
	}
	if i == 1 && rng.Uint64()>>63 == 0 {
		xs[0], xs[1] = xs[1], xs[0]
	}
}

// Sums are looked at in blocks of so many, and lengths below so much one by one.
const (
	sumsBlock   = 16
	shortLength = 10
)

// stretchReaches reports whether the statistic of some stretch is at least bound,
// as bestStretch finds it. Stretches of one length that begin in the same block of
// sums are passed over together where the largest and the smallest of the sums keep
// all of them below the bound.
func (s splitSearch) stretchReaches(bound float64) bool {
	n := len(s.deviations)
	least, most, sum := 0.0, 0.0, 0.0
	for i, d := range s.deviations {
		sum += d
		s.sums[i+1] = sum
		if sum < least {
			least = sum
		} else if sum > most {
			most = sum
		}
	}
	low, high := s.blocks()
	for m := leastSegment; m <= n-2*leastSegment; m += max(1, m/5) {
		w := s.weights[m]
		apart := bound / w * (1 - 1e-12) // what sums must differ by, but for rounding
		switch {
		case most-least < apart:
			continue
		case m < shortLength:
			if reachesWithin(s.sums[leastSegment:n-leastSegment+1], m, w, bound) {
				return true
			}
			continue
		}
		for from := 0; from <= n-leastSegment-m; from += sumsBlock {
			b, e := from/sumsBlock, (from+m)/sumsBlock
			endLow, endHigh := low[e], high[e]
			if e+1 < len(low) {
				if low[e+1] < endLow {
					endLow = low[e+1]
				}
				if high[e+1] > endHigh {
					endHigh = high[e+1]
				}
			}
			if endHigh-low[b] < apart && high[b]-endLow < apart {
				continue
			}
			first, last := max(from, leastSegment), min(from+sumsBlock-1, n-leastSegment-m)
			if first <= last && reachesWithin(s.sums[first:last+m+1], m, w, bound) {
				return true
			}
		}
	}
	return false
}

// blocks are the least and the largest sum of each block.
func (s splitSearch) blocks() (low, high []float64) {
	n := len(s.sums)
	blocks := (n + sumsBlock - 1) / sumsBlock
	low, high = s.low[:blocks], s.high[:blocks]
	for b := range low {
		part := s.sums[b*sumsBlock : min((b+1)*sumsBlock, n)]
		least, most := part[0], part[0]
		for _, x := range part[1:] {
			if x < least {
				least = x
			} else if x > most {
				most = x
			}
		}
		low[b], high[b] = least, most
	}
	return low, high
}

// reachesWithin says whether two sums that lie m apart reach the bound.
func reachesWithin(sums []float64, m int, w, bound float64) bool {
	if len(sums) <= m {
		return false
	}
	ends := sums[m:]
	for i, sum := range sums[:len(ends)] {
		if math.Abs(ends[i]-sum)*w >= bound {
			return true
		}
	}
	return false
}
