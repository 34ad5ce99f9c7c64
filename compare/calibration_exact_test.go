package compare_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/compare"
)

// counting draws sessions of an exact metric: trials of an arm vary by sd, and each
// arm is off by its own shift, which its trials do not show.
type counting struct {
	shape  shape
	sd     float64
	shift  float64
	trials int
	change float64 // log of head's true ratio to base
}

func (c counting) session(rng *rand.Rand) *record.Run {
	metric := record.Test{Prompt: 64}.InstructionsMetric()
	run := emptySession(1, metric)
	off := [2]float64{c.shift * rng.NormFloat64(), c.change + c.shift*rng.NormFloat64()}
	for b := range c.trials {
		for a, arm := range run.Arms {
			value := 3.2e6 * math.Exp(off[a]+c.sd*c.shape.draw(rng))
			addTrial(run, arm.Name, run.Cells[0], b, record.Measurement{Metric: metric.Name, Values: []float64{value}})
		}
	}
	return run
}

// exactMetrics, CE: counts of instructions, which hardly vary, are judged from two
// trials an arm on. The same build is never called; a change just beyond the margin
// always is.
func exactMetrics(t *testing.T, b *book) {
	edge := defaults.Margins[record.Instructions].Lambda()
	sds, shifts, sizes := []float64{1e-6, 1e-5, 1e-4, 3e-4}, []float64{0, 1e-4}, []int{2, 3, 6}
	if b.width < inFull.width {
		sds, shifts, sizes = []float64{1e-6, 3e-4}, []float64{1e-4}, []int{2, 6}
	}
	for _, shape := range []shape{shapes[0], shapes[2], shapes[3]} { // normal, t4, spikes
		for _, sd := range sds {
			for _, shift := range shifts {
				for _, trials := range sizes {
					c := counting{shape: shape, sd: sd, shift: shift, trials: trials}
					noise := fmt.Sprintf("%s, trials vary by %g, arms by %g, %d trials", shape.name, sd, shift, trials)
					share := func(name string, change float64, limit float64, atLeast, nominal bool, happens func(compare.Comparison) bool) {
						c.change = change
						hits := count("CE "+name+noise, b.cells, func(rng *rand.Rand) bool { return happens(judgeOne(c.session(rng), defaults)) })
						b.hold(t, finding{gate: "CE", name: name + noise, hits: hits, draws: b.cells, limit: limit, atLeast: atLeast, nominal: nominal})
					}
					is := func(v compare.Verdict) func(compare.Comparison) bool {
						return func(c compare.Comparison) bool { return c.Verdict == v }
					}
					share("no change: ", 0, 0.001, false, false, changed)
					share("edge of the margin: ", edge, defaults.Alpha/2, false, true, is(compare.Regression))
					if sd > 1e-5 {
						continue // more may be shown not to be deterministic
					}
					share("no change, equivalent: ", 0, 0.99, true, false, is(compare.Equivalent))
					share("0.2 % beyond the margin: ", edge+0.002, 0.99, true, false, is(compare.Regression))
					share("0.2 % beyond the margin, better: ", -edge-0.002, 0.99, true, false, is(compare.Improvement))
				}
			}
		}
		for _, trials := range sizes { // no metric of this kind at all
			c := counting{shape: shape, sd: 0.003, trials: trials}
			name := fmt.Sprintf("not deterministic: %s, trials vary by 0.3 %%, %d trials", shape.name, trials)
			hits := count("CE "+name, b.cells, func(rng *rand.Rand) bool { return changed(judgeOne(c.session(rng), defaults)) })
			b.hold(t, finding{gate: "CE", name: name, hits: hits, draws: b.cells, limit: 0.001})
		}
	}
}
