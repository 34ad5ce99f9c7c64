package stats

import "math"

// Averages are the n(n+1)/2 averages (d[i]+d[j])/2, i <= j, of a sample in
// ascending order. They are never written down: to find the k-th is to ask how
// many lie at or below a value, so that time grows with n and memory not at all.
type averages []float64

func (d averages) n() int { return len(d) * (len(d) + 1) / 2 }

// atMost counts the averages that are at most v.
func (d averages) atMost(v float64) int {
	ordered, same := 0, 0
	j := len(d)
	for _, x := range d {
		for j > 0 && (x+d[j-1])/2 > v {
			j--
		}
		ordered += j
		if x <= v {
			same++
		}
	}
	return (ordered-same)/2 + same // each pair of two positions was met twice
}

// smallest returns the k-th smallest, k from 1. It halves the range of
// floating-point numbers, of which there are 2⁶⁴, until one is left.
func (d averages) smallest(k int) float64 {
	low, high := positionOf(d[0]), positionOf(d[len(d)-1])
	for low < high {
		middle := low + (high-low)/2
		if d.atMost(numberAt(middle)) >= k {
			high = middle
		} else {
			low = middle + 1
		}
	}
	return numberAt(low)
}

// median is the 0.5 quantile, as Median has it.
func (d averages) median() float64 {
	n := d.n()
	low := d.smallest((n + 1) / 2)
	if n%2 == 1 {
		return low
	}
	return sortedQuantile([]float64{low, d.smallest(n/2 + 1)}, 0.5)
}

// limits returns the cut-th smallest and the cut-th largest, or the whole line
// for cut 0.
func (d averages) limits(cut int) (low, high float64) {
	if cut == 0 {
		return math.Inf(-1), math.Inf(1)
	}
	return d.smallest(cut), d.smallest(d.n() - cut + 1)
}

// positionOf numbers the floating-point numbers in their order; both zeros are
// one.
func positionOf(v float64) uint64 {
	bits := math.Float64bits(v + 0) // -0 becomes 0
	if bits>>63 == 1 {
		return ^bits
	}
	return bits | 1<<63
}

func numberAt(position uint64) float64 {
	if position>>63 == 1 {
		return math.Float64frombits(position &^ (1 << 63))
	}
	return math.Float64frombits(^position)
}
