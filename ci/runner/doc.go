// Package runner runs a plan: it measures every trial once, in the plan's order,
// writes each finished one to a journal, goes on with a journal that it finds, and
// returns the run record.
//
// Begin with run.go (Run, the whole of it) and session.go (runPlan, its loop):
//
//	for each trial that is still needed:
//		analyse()        decider.go    an interim analysis, where one is due: which cells stop
//		overruns()       session.go    does the budget last for this block? (budget.go, durations.go)
//		runTrial()       disturbed.go  measure; all of a block again where something disturbed it
//		  measure()      session.go    cool.go waits for the processor, pinnedfiles.go checks the model,
//		                               a Bench measures (bench.go, workloads.go), usable.go checks its answer
//		  count()        session.go    failures.go gives up what never measures anything
//		  journal.append journal.go    from here on the trial survives a kill
//
// Before the loop: folder.go and lock_machine.go (who else is here), missing.go and
// identify.go (what is measured), readjournal.go, resume.go and resumecheck.go (what an
// earlier process left). Beside it: observer.go, liveline.go and plainlines.go (what
// people see). After it: merge.go makes one record of the shards of several machines.
package runner
