package compare_test

import (
	"fmt"
	"math/rand/v2"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/compare"
)

// measured is a run of two arms, of which head is slower by loss; differences of
// blocks vary by 1 %.
func measured(id string, blocks int, loss float64) *record.Run {
	rng := rand.New(rand.NewPCG(1, uint64(blocks)))
	metric := record.Test{Prompt: 512}.Metric()
	key := record.CellKey(record.BenchWorkload, "tiny", nil)
	run := &record.Run{
		Schema: record.Schema, ID: id, Baseline: "base",
		Arms:  []record.Arm{{Name: "base"}, {Name: "head"}},
		Cells: []record.Cell{{Key: key, Workload: record.BenchWorkload, Model: "tiny", Metrics: []record.Metric{metric}}},
	}
	for block := range blocks {
		for _, arm := range run.Arms {
			value := 800 * (1 + 0.007*rng.NormFloat64())
			if arm.Name == "head" {
				value *= 1 - loss
			}
			run.Trials = append(run.Trials, record.Trial{
				ID: fmt.Sprint(block, arm.Name), Arm: arm.Name, Cell: key, Block: block, Outcome: record.OK,
				Measurements: []record.Measurement{{Metric: metric.Name, Values: []float64{value}}},
			})
		}
	}
	return run
}

// A run of two builds, judged by the default policy.
func ExampleRun() {
	result := compare.Run(measured("s1", 10, 0.10), compare.DefaultPolicy())
	for _, c := range result.Comparisons {
		fmt.Printf("%s %s: %s, %.1f %% (%.1f to %.1f)\n", c.Cell, c.Metric.Name, c.Verdict, 100**c.Change, 100*c.Interval.Low, 100*c.Interval.High)
	}
	fmt.Println(result.Outcome())
	// Output:
	// bench/tiny pp512: regression, -9.5 % (-10.1 to -8.9)
	// regression
}

// What is not shown is inconclusive, and says why.
func ExampleReason() {
	c := compare.Run(measured("s1", 3, 0.05), compare.DefaultPolicy()).Comparisons[0]
	fmt.Println(c.Verdict, c.Reason.Code, c.Reason.Have)
	// Output:
	// inconclusive too_few_trials 3
}

// Two sessions show a change and decide nothing.
func ExampleBetween() {
	a, b := measured("s1", 8, 0), measured("s2", 8, 0)
	r := compare.Between(compare.Selection{Run: a, Arm: "base"}, compare.Selection{Run: b, Arm: "head"}, compare.DefaultPolicy())
	fmt.Println(r.Comparisons[0].Verdict, r.Comparisons[0].Reason.Code)
	// Output:
	// inconclusive baseline_too_young
}

// A margin of one's own, for one metric.
func ExamplePolicy_Margin() {
	policy := compare.DefaultPolicy()
	policy.Margins["pp512"] = compare.Margin{Value: 0.01}
	m, judged := policy.Margin(record.Test{Prompt: 512}.Metric())
	fmt.Println(m.Value, judged)
	// Output:
	// 0.01 true
}
