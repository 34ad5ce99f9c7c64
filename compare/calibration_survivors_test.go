package compare_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/compare"
)

var outputTPS = record.Metric{Name: record.OutputTPS, Kind: record.Throughput, Unit: "tok/s", Better: record.Higher}

// withThroughput adds to a session of success counts what was measured of the
// requests that were answered: head's differs by change.
func withThroughput(run *record.Run, rng *rand.Rand, change float64) *record.Run {
	run.Cells[0].Metrics = append(run.Cells[0].Metrics, outputTPS)
	for i := range run.Trials {
		trial := &run.Trials[i]
		speed := within * rng.NormFloat64()
		if trial.Arm == "head" {
			speed += change
		}
		trial.Measurements = append(trial.Measurements, record.Measurement{Metric: outputTPS.Name, Values: []float64{100 * math.Exp(speed)}})
	}
	return run
}

// survivors, CS: a candidate that fails a tenth of its requests, and is the
// faster for it with the rest, is not said to be faster or as fast, in 95 % of
// sessions; that it is slower is still seen.
func survivors(t *testing.T, b *book) {
	tab := table{title: "What survivors prove", text: "10 trials of 50 requests, of which 1 % of the baseline's fail. Share of sessions in which the throughput of the answered requests is said to be " +
		"equivalent or better although more requests fail, and in which it is said to be worse where it is, by 10 %.",
		head: []string{"requests that fail more", "correlation", "as fast: called so", "10 % faster: called so", "10 % slower: called so"}}
	for _, more := range []float64{0, 0.05, 0.10, 0.20} {
		for _, correlation := range []float64{0, 0.05, 0.2} {
			s := service{base: 0.99, head: 0.99 - more, correlation: correlation, trials: 10, requests: 50}
			name := fmt.Sprintf("%g %% fail more, correlation %g", 100*more, correlation)
			said := func(change float64, verdicts ...compare.Verdict) int {
				return count(fmt.Sprint("CS ", name, change), b.matrices, func(rng *rand.Rand) bool {
					return slices.Contains(verdicts, compare.Run(withThroughput(s.session(rng), rng, change), defaults).Comparisons[1].Verdict)
				})
			}
			same, faster := said(0, compare.Equivalent, compare.Improvement), said(0.1, compare.Equivalent, compare.Improvement)
			slower := said(loss(-0.1), compare.Regression)
			if more >= 0.10 {
				b.hold(t, finding{gate: "CS", name: "as fast: " + name, hits: same, draws: b.matrices, limit: 0.05, nominal: true})
				b.hold(t, finding{gate: "CS", name: "faster: " + name, hits: faster, draws: b.matrices, limit: 0.05, nominal: true})
			}
			b.hold(t, finding{gate: "CS", name: "slower: " + name, hits: slower, draws: b.matrices, limit: 0.80, atLeast: true})
			tab.rows = append(tab.rows, []string{fmt.Sprintf("%g %%", 100*more), fmt.Sprint(correlation), share(same, b.matrices), share(faster, b.matrices), share(slower, b.matrices)})
		}
	}
	b.tables = append(b.tables, tab)
}
