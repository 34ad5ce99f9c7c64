package runner

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/llama-regress/llama-regress/ci/internal/proc"
	"github.com/llama-regress/llama-regress/ci/plan"
)

// shareBudget decides which cells get the time that is left, when the budget does not
// last until the next interim analysis of all of them: those closest to a verdict, by
// what the last interim analysis expected them to need. The closest gets it even if it cannot
// get there.
func (s *session) shareBudget() {
	s.postponed = make([]bool, len(s.plan.Cells))
	if s.opts.Budget <= 0 || !s.plan.Stops() {
		return
	}
	order, cost := s.byDistance()
	left := s.remaining()
	for i, c := range order {
		if left -= cost[c]; left < 0 && i > 0 {
			for _, late := range order[i:] {
				s.postponed[late] = true
			}
			return
		}
	}
}

// byDistance lists the open cells that had an interim analysis. The order is by the
// expected seconds to their verdict, going by what the last analysis expected them to
// need. cost is the seconds to the next interim analysis, by cell.
func (s *session) byDistance() (order []int, cost []float64) {
	cost = make([]float64, len(s.plan.Cells))
	blocks := make([]map[int]bool, len(s.plan.Cells))
	for _, t := range s.plan.Trials {
		if s.over(t) || t.Block >= s.plan.NextInterim(s.cells.at[t.Cell]) {
			continue
		}
		cost[t.Cell] += s.durations.of(t)
		if blocks[t.Cell] == nil {
			blocks[t.Cell] = make(map[int]bool)
		}
		blocks[t.Cell][t.Block] = true
	}
	distance := make([]float64, len(cost))
	for c := range cost {
		if s.cells.stopped[c] != "" || s.cells.at[c] == 0 || s.dropped[c] { // before its first interim analysis none is closer than another
			continue
		}
		order = append(order, c)
		const unknown = 1e6 // blocks
		left := float64(unknown)
		if need := s.cells.need[c]; need > 0 {
			left = float64(max(1, need-s.cells.at[c]))
		}
		distance[c] = left * cost[c] / float64(max(1, len(blocks[c])))
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(distance[a], distance[b]) })
	return order, cost
}

// remaining is how many seconds of the budget are left.
func (s *session) remaining() float64 {
	return s.opts.Budget.Seconds() - s.opts.Now().Sub(s.begun).Seconds()
}

// dropFarthest leaves out for good one of the cells that the round of t is for, the
// farthest from a verdict, because the budget has no room for the round. It says
// whether anything may be left to run then.
func (s *session) dropFarthest(t plan.Trial) bool {
	if s.opts.Decider == nil || !s.plan.Stops() || s.cells.at[t.Cell] == 0 {
		return false
	}
	order, _ := s.byDistance()
	for _, c := range slices.Backward(order) {
		if s.plan.SameRound(plan.Trial{Cell: c, Block: t.Block}, t) && !s.withoutBudget(c) {
			s.dropped[c] = true
			return len(order) > 1
		}
	}
	return false
}

// budgetNote names what a spent budget left open.
func (s *session) budgetNote() string {
	var open []string
	for c, cell := range s.plan.Cells {
		short := s.cells.stopped[c] == ""
		if !s.plan.Stops() {
			short = slices.ContainsFunc(s.plan.Trials, func(t plan.Trial) bool { return t.Cell == c && !s.over(t) && !s.failures.over(t) })
		}
		if short {
			open = append(open, cell.Cell.Key)
		}
	}
	what := "did not get all their blocks"
	if s.plan.Stops() {
		what = "were left undecided"
	}
	note := fmt.Sprintf("the time budget of %v was spent: %d of %d cells %s: %s", s.opts.Budget, len(open), len(s.plan.Cells), what, proc.List(open, 10))
	return printable(note)
}
