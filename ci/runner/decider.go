package runner

import (
	"fmt"
	"slices"

	"github.com/llama-regress/llama-regress/ci/plan"
	"github.com/llama-regress/llama-regress/ci/record"
)

// A Decider is asked between blocks which cells of a run need more of them.
type Decider interface {
	// Look judges the cells of due, of each of which so many blocks are over, by
	// the trials of run, and returns them in the same order with what was seen
	// and why they stop, if they do. It changes nothing of run. The same trials
	// must lead to the same looks, so that a resumed run decides as it would
	// have without the pause.
	Interim(run *record.Run, due []record.Interim) []record.Interim
}

// Cells is which cells of a plan still get blocks. It follows from the looks
// alone.
type cells struct {
	plan    *plan.Plan
	index   map[string]int // by key
	at      []int          // blocks at the last look, 0 before the first
	need    []int          // as the last look had it
	stopped []record.Stop
	open    int
	watch   int // the first cell with a null control, -1 without
}

func newCells(p *plan.Plan) *cells {
	n := len(p.Cells)
	c := &cells{plan: p, index: make(map[string]int, n), at: make([]int, n), need: make([]int, n), stopped: make([]record.Stop, n), open: n, watch: -1}
	for i, cell := range p.Cells {
		c.index[cell.Cell.Key] = i
	}
	for _, t := range p.Trials {
		if p.Arms[t.Arm].ControlOf != "" && (c.watch < 0 || t.Cell < c.watch) {
			c.watch = t.Cell
		}
	}
	return c
}

// take notes what came of looks.
func (c *cells) take(looks []record.Interim) {
	for _, l := range looks {
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
	watching := c.open > 0 && t.Cell == c.watch && (arm.ControlOf != "" || arm.Name == c.plan.Baseline)
	return !watching
}

// due says that t lies beyond the next look at its cell.
func (c *cells) due(t plan.Trial) bool {
	return c.plan.Stops() && c.stopped[t.Cell] == "" && t.Block >= c.plan.LookAfter(c.at[t.Cell])
}

// decided is how many cells stopped.
func (c *cells) decided() int { return len(c.stopped) - c.open }

// look asks the decider about every cell that has all its blocks up to the next
// look, and keeps the answer. It says whether there was any.
func (s *session) look() (bool, error) {
	if s.opts.Decider == nil || !s.plan.Stops() {
		return false, nil
	}
	missing := make([]bool, len(s.plan.Cells))
	for _, t := range s.plan.Trials {
		if !s.done[t.ID] && !s.streaks.over(t) && t.Block < s.plan.LookAfter(s.cells.at[t.Cell]) {
			missing[t.Cell] = true
		}
	}
	var due []record.Interim
	for i, cell := range s.plan.Cells {
		if !missing[i] && s.cells.stopped[i] == "" && s.cells.at[i] < s.plan.Blocks {
			due = append(due, record.Interim{Cell: cell.Cell.Key, Blocks: s.plan.LookAfter(s.cells.at[i])})
		}
	}
	if len(due) == 0 {
		return false, nil
	}
	looks := s.opts.Decider.Interim(s.run, slices.Clone(due))
	if len(looks) != len(due) {
		return false, fmt.Errorf("look at %d cells: the answer has %d", len(due), len(looks))
	}
	for i := range looks {
		looks[i].Cell, looks[i].Blocks = due[i].Cell, due[i].Blocks
		if looks[i].Stop == "" && looks[i].Blocks >= s.plan.Blocks {
			looks[i].Stop = record.StopLast
		}
	}
	if err := s.journal.append(entry{Looks: looks}); err != nil {
		return false, err
	}
	s.saw(looks)
	s.opts.Observer.Analysed(looks)
	s.fund()
	return true, nil
}

// saw counts looks, new ones or those of a journal.
func (s *session) saw(looks []record.Interim) {
	s.run.Interims = append(s.run.Interims, looks...)
	s.cells.take(looks)
}
