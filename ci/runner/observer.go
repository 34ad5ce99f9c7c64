package runner

import (
	"github.com/llama-regress/llama-regress/ci/plan"
	"github.com/llama-regress/llama-regress/ci/record"
)

// An Observer is told what happens during a run, from one goroutine, in order:
// Begin, then for each trial of the plan that had not run before either Skipped
// or Started and, unless the run ends in it, Finished, then End. Where a
// disturbed block is run again, each of its repetitions is Repeated, before its
// last trial is Finished. Between trials
// it is told of interim analyses, and after Begin of the ones before a pause. It should
// return at once: the next trial waits for it.
type Observer interface {
	Begin(p *plan.Plan, done []record.Trial) // done were measured before the run was resumed
	Started(t plan.Trial)                    // the trial is about to run
	Finished(t plan.Trial, r record.Trial)   // it ran, and the journal has it
	Repeated(t plan.Trial, r record.Trial)   // a trial that ran before ran once more, and the journal has it
	Skipped(t plan.Trial, why string)        // it will not run
	Analysed(interims []record.Interim)      // cells were analysed at, together
	End(run *record.Run, err error)          // what Run is about to return
}

type nobody struct{}

func (nobody) Begin(*plan.Plan, []record.Trial)  {}
func (nobody) Started(plan.Trial)                {}
func (nobody) Finished(plan.Trial, record.Trial) {}
func (nobody) Repeated(plan.Trial, record.Trial) {}
func (nobody) Skipped(plan.Trial, string)        {}
func (nobody) Analysed([]record.Interim)         {}
func (nobody) End(*record.Run, error)            {}
