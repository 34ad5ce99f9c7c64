package runner

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/llama-regress/llama-regress/ci/plan"
	"github.com/llama-regress/llama-regress/ci/record"
)

// giveUpAfter is how many trials of an arm in a cell may measure nothing before
// the rest are left out, while none has measured anything: a build that cannot load the model
// would otherwise cost a night, and two failures are still chance.
const giveUpAfter = 3

// failures are the failures of each cell and arm that has never measured anything. They
// follow from the trials alone, so a resumed run gives up where an
// uninterrupted one would.
type failures map[[2]int]*failureCount

type failureCount struct {
	measured bool
	failures int
	last     record.Failure
}

func (f failures) add(t plan.Trial, r record.Trial) {
	pair := [2]int{t.Cell, t.Arm}
	if f[pair] == nil {
		f[pair] = new(failureCount)
	}
	if r.Counts() {
		f[pair].measured = true
		return
	}
	f[pair].failures++
	f[pair].last = *r.Failure
}

// over says whether t will not run.
func (f failures) over(t plan.Trial) bool {
	k := f[[2]int{t.Cell, t.Arm}]
	return k != nil && !k.measured && k.failures >= giveUpAfter
}

// why says why t will not run, when it is over.
func (f failures) why(t plan.Trial) string {
	k := f[[2]int{t.Cell, t.Arm}]
	return fmt.Sprintf("each of its first %d trials failed, the last with %s: %s", k.failures, k.last.Class, printable(k.last.Message))
}

// notes names what was given up, by cell and arm in the plan's order.
func (f failures) notes(p *plan.Plan) []string {
	var notes []string
	byCell := func(a, b [2]int) int { return cmp.Or(cmp.Compare(a[0], b[0]), cmp.Compare(a[1], b[1])) }
	for _, pair := range slices.SortedFunc(maps.Keys(f), byCell) {
		some := plan.Trial{Cell: pair[0], Arm: pair[1]}
		if !f.over(some) {
			continue
		}
		left := -f[pair].failures
		for _, t := range p.Trials {
			if t.Cell == pair[0] && t.Arm == pair[1] {
				left++
			}
		}
		if left > 0 {
			notes = append(notes, fmt.Sprintf("%s was not measured for arm %s: %s; its other %d trials were left out",
				p.Cells[pair[0]].Cell.Key, p.Arms[pair[1]].Name, f.why(some), left))
		}
	}
	return notes
}
