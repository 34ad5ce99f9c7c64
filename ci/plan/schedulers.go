package plan

import (
	"cmp"
	"slices"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/ci/sched"
)

// Scheduler is which scheduler the kernel runs during a trial: what its arm
// asks for, else its cell. Where some trial of the plan asks for one, those that
// do not are run under the kernel's own; else it is "" and nobody looks.
func (p *Plan) Scheduler(t Trial) string { return p.schedulerOf(t.Cell, t.Arm) }

func (p *Plan) schedulerOf(cell, arm int) string {
	if p.Schedulers == nil {
		return ""
	}
	return cmp.Or(p.Arms[arm].Params[record.SchedulerParam], p.Cells[cell].Cell.Params[record.SchedulerParam], sched.Default)
}

// AllSchedulers lists those that the trials ask for, each once.
func (p *Plan) AllSchedulers() []string {
	var all []string
	for _, t := range p.Trials {
		if s := p.Scheduler(t); s != "" && !slices.Contains(all, s) {
			all = append(all, s)
		}
	}
	return all
}

func (p *Plan) asksForSchedulers() bool {
	return slices.ContainsFunc(p.Arms, func(a record.Arm) bool { return a.Params[record.SchedulerParam] != "" }) ||
		slices.ContainsFunc(p.Cells, func(c Cell) bool { return c.Cell.Params[record.SchedulerParam] != "" })
}

// SameRound says whether two trials belong to one round that is worth nothing
// when it is cut: every arm's turn in a cell of a block or, where schedulers
// change, all of the block.
func (p *Plan) SameRound(a, b Trial) bool {
	return a.Block == b.Block && (a.Cell == b.Cell || p.Schedulers != nil)
}

// A rota is the order in which schedulers take turns: drawn once and reversed
// from block to block, like the arms of a cell, so that the last of a block
// stays loaded as the first of the next.
type rota []string

func (p *Plan) rota(arms [][]int, shuffle func(n int, swap func(i, j int))) rota {
	var r rota
	for c := range arms {
		for _, a := range arms[c] {
			if s := p.schedulerOf(c, a); !slices.Contains(r, s) {
				r = append(r, s)
			}
		}
	}
	if len(r) > 1 { // one takes no draw: plans without schedulers keep their order
		shuffle(len(r), func(i, j int) { r[i], r[j] = r[j], r[i] })
	}
	return r
}
