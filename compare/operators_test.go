package compare_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/compare"
)

// operators is a session of test-backend-ops: each process of one arm in one block
// times all cases, which share a part of its noise. slow is by how much the first
// case of head is slower.
func operators(rng *rand.Rand, blocks, cases int, shared, own, slow float64) *record.Run {
	params := map[string]string{record.OpsParam: "MUL_MAT"}
	cell := record.Cell{Key: record.CellKey(record.OpsWorkload, "CPU", params), Workload: record.OpsWorkload, Model: "CPU", Params: params}
	run := &record.Run{Schema: record.Schema, ID: "ops", Baseline: "base", Arms: []record.Arm{{Name: "base"}, {Name: "head"}}, Cells: []record.Cell{cell}}
	for b := range blocks {
		for i, arm := range []string{"base", "head"} {
			t := record.Trial{ID: fmt.Sprintf("%d.%s", b, arm), Arm: arm, Cell: cell.Key, Block: b, Order: 2*b + i, Outcome: record.OK, Start: time.Unix(int64(60*(2*b+i)), 0).UTC()}
			process := shared * rng.NormFloat64()
			for k := range cases {
				seconds := 1e-3 * math.Exp(process+own*rng.NormFloat64())
				if k == 0 && arm == "head" {
					seconds *= 1 + slow
				}
				t.Measurements = append(t.Measurements, record.OpCase{Op: "MUL_MAT", Params: fmt.Sprintf("n=%d", k), Seconds: seconds}.Measurements()...)
			}
			run.Discover(&t)
			run.Trials = append(run.Trials, t)
		}
	}
	return run
}

// A family of operators of one process keeps its promise, although much of their noise
// is that of the process: a session without a change calls no regression in 19 of 20,
// and a loss of 10 % in one of them is found. 40 sessions of 300 operators called none.
func TestFamilyOfOperators(t *testing.T) {
	const cases, shared = 100, 0.01
	rng := rand.New(rand.NewPCG(20, 7))
	wrong, found := 0, 0
	for range 4 {
		if compare.Run(operators(rng, 10, cases, shared, 0.01, 0), compare.DefaultPolicy()).Count(compare.Regression) > 0 {
			wrong++
		}
	}
	for range 3 {
		for _, c := range compare.Run(operators(rng, 10, cases, shared, 0.01, 0.10), compare.DefaultPolicy()).Comparisons {
			if c.Metric.Name == "MUL_MAT(n=0)" && c.Verdict == compare.Regression {
				found++
			}
		}
	}
	if wrong > 2 || found < 2 { // the first is 1 in 2 000 where the truth is 5 %
		t.Errorf("%d of 4 sessions without a change call a regression, and a loss of 10%% is found in %d of 3", wrong, found)
	}
}
