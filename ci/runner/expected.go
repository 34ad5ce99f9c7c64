package runner

import (
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/llama-regress/llama-regress/ci/plan"
	"github.com/llama-regress/llama-regress/ci/record"
)

// Expected is how long the trials of a plan will take together, going by a run before
// it: by the mean of each cell and arm, else of the cell. It is false where that run has
// no trial of some cell, so that nothing is known. A plan whose cells may stop early
// takes at most that long.
func Expected(p *plan.Plan, before *record.Run) (time.Duration, bool) {
	cells := make(map[string]int)
	for i, c := range p.Cells {
		cells[c.Cell.Key] = i
	}
	var d durations
	for _, t := range before.Trials {
		cell, ok := cells[t.Cell]
		if !ok || t.Outcome != record.OK || !(t.Seconds > 0) {
			continue
		}
		arm := slices.IndexFunc(p.Arms, func(a record.Arm) bool { return a.Name == t.Arm }) // -1: of the cell all the same
		d.add(plan.Trial{Cell: cell, Arm: arm}, t.Seconds)
	}
	for i := range p.Cells {
		if d.cell[i].n == 0 {
			return 0, false
		}
	}
	sum := 0.0
	for _, t := range p.Trials {
		sum += d.of(t)
	}
	return time.Duration(sum * float64(time.Second)), sum > 0
}

// HowLong says how long a plan will take, going by the run that a folder holds: "about
// 12m30s, going by the run in DIR". It is false where there is none and no budget, so that
// the text tells no time.
func HowLong(p *plan.Plan, dir string, budget time.Duration) (text string, known bool) {
	text = "not known before the first trial has ended"
	if before, err := ReadFolder(dir); err == nil {
		if d, ok := Expected(p, before); ok {
			about := "about"
			if p.Stops() {
				about = "at most"
			}
			known, text = true, fmt.Sprintf("%s %s, going by the run in %s", about, brief(d), printable(filepath.Clean(dir)))
		}
	}
	if budget > 0 {
		known, text = true, text+fmt.Sprintf("; at most %s, the budget", brief(budget))
	}
	return text, known
}
