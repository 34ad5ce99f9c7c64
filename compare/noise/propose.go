package noise

import (
	"math"
	"slices"

	"github.com/llama-regress/llama-regress/stats"
)

// propose finds the repetitions, one number for all cells as a configuration
// has it, that make the intervals narrowest in the time there is: those with
// the smallest product of all half widths, so that no metric counts for more
// because it is noisier. Kalibera and Jones's rule gives the same for one cell
// and many blocks; here blocks are few and cells share them.
func (r *Result) propose(o Options) {
	p := Proposal{Budget: o.Budget, Candidates: o.Candidates}
	best := math.Inf(1)
	for repetitions := 1; repetitions <= mostRepeats; repetitions++ {
		block := r.blockSeconds(repetitions, o.Candidates)
		blocks := min(int(min(o.Budget/block, mostBlocks)), mostBlocks)
		if blocks -= blocks % 2; blocks < leastBlocks { // an even number gives every arm the same place
			if repetitions > 1 {
				break
			}
			blocks = leastBlocks
		}
		width := 0.0
		for i := range r.Series {
			e := stats.Estimate{SE: r.Series[i].sd(repetitions) / math.Sqrt(float64(blocks)), DF: float64(blocks - 1)}
			width += math.Log(max(e.Interval(1-2*alpha).High, 1e-12))
		}
		if width < best-1e-9 {
			best = width
			p.Repetitions, p.Blocks, p.Seconds = repetitions, blocks, float64(blocks)*block
		}
	}
	p.Fits = p.Seconds <= p.Budget
	p.Margins = r.margins(p)
	r.Proposal = p
}

// blockSeconds is what a block of all cells and arms takes, the null control's
// trial of the first cell with them.
func (r *Result) blockSeconds(repetitions, candidates int) float64 {
	sum := 0.0
	seen := make(map[string]bool)
	for _, s := range r.Series {
		if seen[s.Cell] {
			continue // all metrics of a cell come from the same trials
		}
		arms := 1 + candidates
		if len(seen) == 0 {
			arms++
		}
		seen[s.Cell] = true
		sum += float64(arms) * (s.Start + float64(repetitions)*s.Pass)
	}
	return sum
}

// sd of one block's difference between two arms with so many repetitions.
func (s *Series) sd(repetitions int) float64 {
	if s.Pass == 0 { // a served trial, which has none to choose
		return math.Sqrt(2 * (s.planned + s.Repetition*s.Repetition/s.repetitions))
	}
	return math.Sqrt(2 * (s.planned + s.Repetition*s.Repetition/float64(repetitions)))
}

// margins lists each metric once, with its noisiest cell.
func (r *Result) margins(p Proposal) []Margin {
	target := stats.Target{Alpha: alpha / float64(max(2, len(r.Series)*p.Candidates)), Power: power}
	var all []Margin
	for i := range r.Series {
		s := &r.Series[i]
		sd := s.sd(p.Repetitions)
		m := Margin{Metric: s.Metric.Name, Cell: s.Cell, lambda: stats.SmallestMargin(alpha, power, sd, p.Blocks)}
		if margin := math.Ceil(math.Expm1(m.lambda)/roundTo-1e-9) * roundTo; margin < mostMargin {
			m.Margin = max(margin, roundTo)
			target.Margin = math.Log1p(m.Margin)
			m.Finds = -math.Expm1(-stats.MDE(target, sd, p.Blocks))
		}
		at := slices.IndexFunc(all, func(other Margin) bool { return other.Metric == m.Metric })
		switch {
		case at < 0:
			all = append(all, m)
		case m.lambda > all[at].lambda:
			all[at] = m
		}
	}
	return all
}
