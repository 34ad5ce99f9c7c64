package stats

import (
	"cmp"
	"math"
	"slices"
)

// RomanoWolf tests, for every cell c at once, the null "the true mean of d[c] is
// shift[c] or more" against "it is less", and returns p-values adjusted so that
// rejecting those at or below alpha keeps the chance of even one false rejection
// at alpha: the step-down maximum of Romano and Wolf (2005) over sign flips.
//
// d[c][b] is the difference between the arms in block b, in the unit of shift.
// One sign per block is shared by all cells, so that whatever the cells have in
// common within a block, such as a slow minute of the machine, is kept: cells
// that move together cost less than Holm's correction. All 2^blocks flips are
// used when they are at most 4096, else the identity and 4095 random ones from
// seed. No p is below 1/4096, or below 1/2^blocks. The null distribution is
// exact if the blocks are independent and symmetric about their mean.
//
// The statistic is Σx/√Σx², x = shift-d over the blocks a cell has: for a given
// number of blocks it grows with the t statistic, and under a flip its variance
// is 1 whatever that number is.
//
// A NaN in d marks a block that the cell lacks. A cell without blocks, or whose
// differences all equal the shift, has p = 1. The result has the order of d,
// which is not changed; empty gives empty. It panics unless shift has one finite
// value per cell, all rows are equally long, and no difference is infinite.
func RomanoWolf(d [][]float64, shift []float64, seed uint64) []float64 {
	checkCells(d, shift)
	if len(d) == 0 {
		return []float64{}
	}
	flips := newSignFlips(len(d[0]), seed)
	x, sums := make([]float64, len(d[0])), make([]float64, flips.count)

	observed := make([]float64, len(d))
	for c := range d {
		standardise(x, d[c], shift[c])
		observed[c] = flips.identity(x)
	}

	// From the least conspicuous cell upwards, maximum[f] is the largest
	// statistic under flip f among the cells no more conspicuous than this one.
	order := ascending(observed)
	maximum := make([]float64, flips.count)
	for f := range maximum {
		maximum[f] = math.Inf(-1)
	}
	p := make([]float64, len(d))
	for _, c := range order {
		standardise(x, d[c], shift[c])
		flips.sums(x, sums)
		p[c] = raiseAndCount(maximum, sums, observed[c]) / float64(flips.count)
	}
	// A cell is only rejected after all that are more conspicuous.
	worst := 0.0
	for _, c := range slices.Backward(order) {
		worst = max(worst, p[c])
		p[c] = worst
	}
	return p
}

// raiseAndCount raises each maximum to the sum beside it and returns how many
// then reach observed. The slack makes flips that are equal but for rounding
// count as ties.
func raiseAndCount(maximum, sums []float64, observed float64) float64 {
	const slack = 1e-10
	reached := 0
	sums = sums[:len(maximum)]
	for f, m := range maximum {
		if sums[f] > m {
			m = sums[f]
			maximum[f] = m
		}
		if m >= observed-slack {
			reached++
		}
	}
	return float64(reached)
}

// standardise sets x to shift-d, scaled to a sum of squares of 1, with 0 for
// missing blocks; to all zeros when every difference equals the shift.
func standardise(x, d []float64, shift float64) {
	largest := 0.0
	for b, v := range d {
		x[b] = 0
		if !math.IsNaN(v) {
			x[b] = shift/2 - v/2 // halved, so that it cannot overflow
			largest = max(largest, math.Abs(x[b]))
		}
	}
	if largest == 0 {
		return
	}
	squares := 0.0
	for b := range x {
		x[b] /= largest
		squares += x[b] * x[b]
	}
	norm := math.Sqrt(squares)
	for b := range x {
		x[b] /= norm
	}
}

func ascending(values []float64) []int {
	order := make([]int, len(values))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(values[a], values[b]) })
	return order
}

func checkCells(d [][]float64, shift []float64) {
	if len(shift) != len(d) {
		panic("stats: RomanoWolf: shift must have one value per cell")
	}
	for c, row := range d {
		if len(row) != len(d[0]) {
			panic("stats: RomanoWolf: every cell must have the same number of blocks, NaN where one is missing")
		}
		if math.IsNaN(shift[c]) || math.IsInf(shift[c], 0) {
			panic("stats: RomanoWolf: shift must be finite")
		}
		for _, v := range row {
			if math.IsInf(v, 0) {
				panic("stats: RomanoWolf: differences must not be infinite")
			}
		}
	}
}
