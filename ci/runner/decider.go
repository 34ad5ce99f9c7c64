package runner

import (
	"fmt"
	"slices"

	"github.com/llama-regress/llama-regress/ci/plan"
	"github.com/llama-regress/llama-regress/ci/record"
)

// A Decider is asked between blocks which cells of a run need more of them.
type Decider interface {
	// Interim judges the cells of due by the trials of run. Each cell has as many
	// complete blocks as its Blocks says. The answer has the same cells in the
	// same order, with what was seen and, for a cell that stops, why. run is not
	// changed. The same trials must give the same answer, so that a resumed run
	// decides as it would have without the pause.
	Interim(run *record.Run, due []record.Interim) []record.Interim
}

// cells tracks which cells of a plan still get blocks. It is rebuilt from the
// recorded interim analyses, so that a resumed run reaches the same state.
type cells struct {
	plan      *plan.Plan
	index     map[string]int // by key
	at        []int          // blocks at the last interim analysis, 0 before the first
	need      []int          // as the last interim analysis had it
	stopped   []record.Stop
	open      int
	monitored int // the first cell with a null control, -1 without
}

func newCells(p *plan.Plan) *cells {
	n := len(p.Cells)
	c := &cells{plan: p, index: make(map[string]int, n), at: make([]int, n), need: make([]int, n), stopped: make([]record.Stop, n), open: n, monitored: -1}
	for i, cell := range p.Cells {
		c.index[cell.Cell.Key] = i
	}
	for _, t := range p.Trials {
		if p.Arms[t.Arm].ControlOf != "" && (c.monitored < 0 || t.Cell < c.monitored) {
			c.monitored = t.Cell
		}
	}
	return c
}

// take notes what came of interim analyses.
func (c *cells) take(interims []record.Interim) {
	for _, l := range interims {
		i, ok := c.index[l.Cell]
		if !ok || l.Blocks <= c.at[i] {
			continue
		}
		c.at[i], c.need[i] = l.Blocks, l.Need
		if c.stopped[i] == "" && l.Stop != "" {
			c.stopped[i] = l.Stop
			c.open--
		}
	}
}

// over says that t will not run because its cell stopped. Of the first cell
// with a null control the control and its baseline go on as long as any cell
// does: the machine is watched as long as it is measured.
func (c *cells) over(t plan.Trial) bool {
	if c.stopped[t.Cell] == "" {
		return false
	}
	arm := c.plan.Arms[t.Arm]
	watching := c.open > 0 && t.Cell == c.monitored && (arm.ControlOf != "" || arm.Name == c.plan.Baseline)
	return !watching
}

// due says that t lies beyond the next interim analysis of its cell.
func (c *cells) due(t plan.Trial) bool {
	return c.plan.Stops() && c.stopped[t.Cell] == "" && t.Block >= c.plan.NextInterim(c.at[t.Cell])
}

// decided is how many cells stopped.
func (c *cells) decided() int { return len(c.stopped) - c.open }

// analyse asks the decider about every cell that has all its blocks up to the next
// interim analysis, and keeps the answer. It says whether there was any.
func (s *session) analyse() (bool, error) {
	if s.opts.Decider == nil || !s.plan.Stops() {
		return false, nil
	}
	missing := make([]bool, len(s.plan.Cells))
	for _, t := range s.plan.Trials {
		if !s.done[t.ID] && !s.failures.over(t) && t.Block < s.plan.NextInterim(s.cells.at[t.Cell]) {
			missing[t.Cell] = true
		}
	}
	var due []record.Interim
	for i, cell := range s.plan.Cells {
		if !missing[i] && s.cells.stopped[i] == "" && s.cells.at[i] < s.plan.Blocks {
			due = append(due, record.Interim{Cell: cell.Cell.Key, Blocks: s.plan.NextInterim(s.cells.at[i])})
		}
	}
	if len(due) == 0 {
		return false, nil
	}
	interims := s.opts.Decider.Interim(s.run, slices.Clone(due))
	if len(interims) != len(due) {
		return false, fmt.Errorf("interim analysis of %d cells: the answer has %d", len(due), len(interims))
	}
	for i := range interims {
		interims[i].Cell, interims[i].Blocks = due[i].Cell, due[i].Blocks
		if interims[i].Stop == "" && interims[i].Blocks >= s.plan.Blocks {
			interims[i].Stop = record.StopLast
		}
	}
	if err := s.journal.append(entry{Interims: interims}); err != nil {
		return false, err
	}
	s.addInterims(interims)
	s.opts.Observer.Analysed(interims)
	s.shareBudget()
	return true, nil
}

// addInterims counts interim analyses, new ones or those of a journal.
func (s *session) addInterims(interims []record.Interim) {
	s.run.Interims = append(s.run.Interims, interims...)
	s.cells.take(interims)
}
