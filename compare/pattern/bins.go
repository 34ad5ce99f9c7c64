package pattern

import "slices"

const (
	mostDistinct = 64  // values that each get a bin
	mostSlots    = 256 // values of which each is a condition
	windowBins   = 16
)

// A bin is the values from low to high, both of which occur.
type bin struct{ low, high float64 }

// newBins divides values, without regard to what failed. With many distinct
// ones the cuts lie densest at both ends, because a cause that makes few
// requests fail is found where few are on one side of a cut. values is sorted
// in place; nil means that they are too many kinds to be told apart.
func newBins(values []float64, kind ranges) []bin {
	slices.Sort(values)
	distinct := slices.Compact(slices.Clone(values))
	starts := distinct
	switch {
	case kind == each && len(distinct) > mostSlots:
		return nil
	case kind == stretch && len(distinct) > windowBins:
		starts = starts[:0:0]
		for i := range windowBins {
			starts = append(starts, values[i*len(values)/windowBins])
		}
	case (kind == upper || kind == either) && len(distinct) > mostDistinct:
		n := len(values)
		starts = []float64{values[0]}
		for rank := 1; rank <= n/2; rank = max(rank+1, rank*6/5) {
			starts = append(starts, values[rank], values[n-rank])
		}
	}
	return binsFrom(values, starts)
}

// binsFrom makes bins of sorted values; starts, in any order and with
// repetitions, has the lowest of them and values that occur.
func binsFrom(values, starts []float64) []bin {
	starts = slices.Clone(starts)
	slices.Sort(starts)
	starts = slices.Compact(starts)
	bins := make([]bin, len(starts))
	for i, start := range starts {
		high := values[len(values)-1]
		if i+1 < len(starts) {
			at, _ := slices.BinarySearch(values, starts[i+1])
			high = values[at-1]
		}
		bins[i] = bin{start, high}
	}
	return bins
}

// binOf returns the bin that v is in.
func binOf(bins []bin, v float64) int {
	i, exact := slices.BinarySearchFunc(bins, v, func(b bin, v float64) int {
		switch {
		case b.low < v:
			return -1
		case b.low > v:
			return 1
		}
		return 0
	})
	if !exact {
		i--
	}
	return i
}

// A span is the bins from from, to to without it.
type span struct{ from, to int }

// spans lists the ranges of n bins that can be conditions.
func (kind ranges) spans(n int) []span {
	var all []span
	switch kind {
	case upper, either:
		for i := 1; i < n; i++ {
			all = append(all, span{i, n})
			if kind == either {
				all = append(all, span{0, i})
			}
		}
	case each:
		for i := 0; i < n && n > 1; i++ {
			all = append(all, span{i, i + 1})
		}
	case stretch:
		for from := 1; from < n-1; from++ {
			for to := from + 1; to < n; to++ {
				all = append(all, span{from, to})
			}
		}
	}
	return all
}

// condition words a span of bins in values.
func (kind ranges) condition(bins []bin, s span) Condition {
	switch {
	case kind == each:
		return Condition{Op: Is, Value: bins[s.from].low}
	case kind == stretch:
		return Condition{Op: Between, Value: bins[s.from].low, To: bins[s.to-1].high}
	case s.from == 0:
		return Condition{Op: AtMost, Value: bins[s.to-1].high}
	}
	return Condition{Op: AtLeast, Value: bins[s.from].low}
}
