package pattern

import "slices"

// parts is into how many bins refine divides one on either side of an edge.
const parts = 16

// refine moves the edges of a span of bins to the values between which failures
// are set apart best: it divides the bins at the edges, selects again, and goes
// on until they are single values. The edges are an estimate; whether the factor
// matters at all is tested with the bins chosen without regard to failures.
func (t *table) refine(column int, bins []bin, at span) ([]bin, span) {
	values := t.values(column)
	slices.Sort(values)
	for {
		finer := divide(values, bins, at)
		if len(finer) == len(bins) {
			return bins, at
		}
		var spans []span
		for _, from := range near(finer, bins, at.from, 0) {
			for _, to := range near(finer, bins, at.to, len(finer)) {
				if from < to {
					spans = append(spans, span{from, to})
				}
			}
		}
		s := t.sample(column, finer, spans)
		best, _ := s.best(s.failures())
		bins, at = finer, spans[best]
	}
}

// divide splits the bins on both sides of each edge of a span.
func divide(values []float64, bins []bin, at span) []bin {
	var starts []float64
	for i, b := range bins {
		starts = append(starts, b.low)
		atEdge := at.from > 0 && (i == at.from-1 || i == at.from) || at.to < len(bins) && (i == at.to-1 || i == at.to)
		if !atEdge {
			continue
		}
		first, _ := slices.BinarySearch(values, b.low)
		last, _ := slices.BinarySearch(values, b.high)
		inside := slices.Compact(slices.Clone(values[first : last+1]))
		for part := range parts {
			starts = append(starts, inside[part*len(inside)/parts])
		}
	}
	return binsFrom(values, starts)
}

// near lists the edges among finer bins that lie between the edges before and
// after one of bins; end, an edge that is not between two bins, stays one.
func near(finer, bins []bin, edge, end int) []int {
	if edge == 0 || edge == len(bins) {
		return []int{end}
	}
	var edges []int
	for i, b := range finer {
		if b.low > bins[edge-1].low && b.low <= bins[edge].high {
			edges = append(edges, i)
		}
	}
	return edges
}
