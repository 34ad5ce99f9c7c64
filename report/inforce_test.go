package report

import (
	"testing"

	"github.com/llama-regress/llama-regress/ci/record"
)

// The report repeats what the kernel said of its schedulers.
func TestInForce(t *testing.T) {
	trial := func(asked, ops string, before, after int, ejected string) record.Trial {
		return record.Trial{Scheduler: &record.Scheduler{Asked: asked, Ops: ops, SeqBefore: before, SeqAfter: after, Ejected: ejected}}
	}
	run := &record.Run{Trials: []record.Trial{
		trial("default", "", 0, 0, ""),
		trial("scx_simple", "simple", 1, 1, ""),
		trial("scx_qmap", "qmap", 2, 2, "runnable task stall"),
		trial("scx_simple", "simple", 3, 3, ""),
		trial("default", "", 3, 3, ""),
		trial("scx_flatcg", "flatcg", 4, 4, ""),
		trial("scx_flatcg", "flatcg", 5, 5, "sysrq"),
		{}, // of a cell that asks for none
	}}
	const want = "default (the kernel's own) in 2 trials; scx_simple (to the kernel simple, loads 1 to 3) in 2 trials; " +
		"scx_qmap did not stay in force in 1 trial; scx_flatcg (to the kernel flatcg, load 4) in 1 trial, and did not stay so in 1 more"
	if got := inForce(run).joined(); got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	if got := inForce(&record.Run{Trials: []record.Trial{{}}}); got != nil {
		t.Errorf("%v of a run that asked for none", got)
	}
}
