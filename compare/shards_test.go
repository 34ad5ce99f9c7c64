package compare

import (
	"testing"

	"github.com/llama-regress/llama-regress/ci/record"
)

// In a record merged from shards a control that fires forbids the verdicts of
// its own machine. The other machine's stand, as they would alone.
func TestControlForbidsOnItsMachine(t *testing.T) {
	run := session{arms: []string{"base", "head", "control"}, blocks: 8, noise: 0.01, cells: 2, seed: 5, change: map[string]float64{"head": -0.10}}.run()
	for i := range run.Trials {
		if tr := &run.Trials[i]; tr.Arm == "control" && tr.Cell == run.Cells[1].Key {
			multiply(tr.Measurements[0].Values, 1.1)
		}
	}
	res := Run(run, DefaultPolicy()) // one machine
	checkVerdict(t, res.Comparisons[0], Inconclusive, ControlFired)
	checkVerdict(t, res.Comparisons[1], Inconclusive, ControlFired)

	run.Parts = []record.Part{
		{Shard: record.Shard{Index: 1, Of: 2}, Cells: []string{run.Cells[0].Key}},
		{Shard: record.Shard{Index: 2, Of: 2}, Cells: []string{run.Cells[1].Key}},
	}
	res = Run(run, DefaultPolicy())
	checkVerdict(t, res.Comparisons[0], Regression, "")
	checkVerdict(t, res.Comparisons[1], Inconclusive, ControlFired)
	if !res.ControlFired {
		t.Error("a control fired, and nothing says so")
	}
}
