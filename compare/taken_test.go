package compare_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/compare"
)

// What a trial takes is judged where a margin is set, and shown everywhere else.
func TestTaken(t *testing.T) {
	find := func(name string) record.Metric {
		all := record.ResourceMetrics()
		return all[slices.IndexFunc(all, func(m record.Metric) bool { return m.Name == name })]
	}
	load, memory := find(record.LoadTime), find(record.PeakMemory)
	cell := record.Cell{Workload: record.BenchWorkload, Model: "m", Metrics: []record.Metric{load, memory}}
	cell.Key = record.CellKey(cell.Workload, cell.Model, cell.Params)
	run := &record.Run{Baseline: "base", Arms: []record.Arm{{Name: "base"}, {Name: "head"}}, Cells: []record.Cell{cell}}
	r := rand.New(rand.NewPCG(1, 1))
	near := func(level float64) []float64 { return []float64{level * (1 + 0.02*r.NormFloat64())} }
	for block := range 6 {
		for i, arm := range run.Arms {
			run.Trials = append(run.Trials, record.Trial{
				ID: fmt.Sprintf("%d.%s", block, arm.Name), Arm: arm.Name, Cell: cell.Key, Block: block, Order: 2*block + i, Outcome: record.OK,
				Measurements: []record.Measurement{
					{Metric: load.Name, Values: near([]float64{0.3, 3}[i])},
					{Metric: memory.Name, Values: near([]float64{120 << 20, 240 << 20}[i])},
				},
			})
		}
	}
	for _, margins := range [][]string{nil, {load.Name}, {memory.Name}, {load.Name, memory.Name}} {
		policy := compare.DefaultPolicy()
		for _, name := range margins {
			policy.Margins[name] = compare.Margin{Value: 0.2}
		}
		for _, c := range compare.Run(run, policy).Comparisons {
			want := compare.Inconclusive
			if slices.Contains(margins, c.Metric.Name) {
				want = compare.Regression
			}
			if c.Verdict != want || want == compare.Inconclusive && (c.Reason == nil || c.Reason.Code != compare.NoMargin) || c.Change == nil || *c.Change < 0.9 {
				t.Errorf("margins of %v: %s is %s, %+v, %v", margins, c.Metric.Name, c.Verdict, c.Reason, c.Change)
			}
		}
	}
}
