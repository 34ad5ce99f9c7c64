package report_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/compare"
	"github.com/llama-regress/llama-regress/report"
)

// A report says that its session is not what the verdicts ask for, what it means and what
// to do, and says nothing of the kind where all is well.
func TestDoubts(t *testing.T) {
	const blocks = 20
	metric := record.Test{Prompt: 512}.Metric()
	session := func(noise func(rng *rand.Rand, arm int, last float64) float64) *compare.Result {
		rng := rand.New(rand.NewPCG(1, 1))
		run := &record.Run{Schema: record.Schema, ID: "x", Baseline: "base", Arms: []record.Arm{{Name: "base"}, {Name: "head"}}}
		for c := range 12 {
			params := map[string]string{"threads": fmt.Sprint(c + 1)}
			cell := record.Cell{Key: record.CellKey("bench", "tiny", params), Workload: "bench", Model: "tiny", Params: params, Metrics: []record.Metric{metric}}
			run.Cells = append(run.Cells, cell)
			var last [2]float64
			for b := range blocks {
				for a, arm := range run.Arms {
					last[a] = noise(rng, a, last[a])
					order := len(run.Trials)
					run.Trials = append(run.Trials, record.Trial{ID: fmt.Sprint(order), Arm: arm.Name, Cell: cell.Key, Block: b, Order: order, Outcome: record.OK,
						Measurements: []record.Measurement{{Metric: metric.Name, Values: []float64{1000 * math.Exp(float64(c)+0.01*last[a])}}}})
				}
			}
		}
		return compare.Run(run, compare.DefaultPolicy())
	}
	spikes := func(in int) func(*rand.Rand, int, float64) float64 {
		return func(rng *rand.Rand, arm int, _ float64) float64 {
			x := rng.NormFloat64()
			if arm == in && rng.IntN(10) == 0 {
				x -= 10
			}
			return x
		}
	}
	for _, c := range []struct {
		name  string
		noise func(*rand.Rand, int, float64) float64
		want  string
	}{
		{"normal", func(rng *rand.Rand, _ int, _ float64) float64 { return rng.NormFloat64() }, ""},
		{"resembling", func(rng *rand.Rand, _ int, last float64) float64 { return 0.6*last + 0.8*rng.NormFloat64() },
			"Neighbouring blocks resemble each other in the differences of head to the baseline (autocorrelation 0."},
		{"baseline slow", spikes(0), "The baseline was slow now and then, and head was not"},
		{"candidate slow", spikes(1), "head was slow now and then, and the baseline was not"},
		{"modes", func(rng *rand.Rand, _ int, _ float64) float64 {
			return 5*float64(rng.IntN(2)) + 0.5*rng.NormFloat64()
		}, "The differences of head to the baseline lie in separate groups"},
	} {
		var doubts []string
		for _, p := range report.New(session(c.noise), report.Source{}).Patterns {
			if s := p.Terminal(); strings.Contains(s, "can be wrong more often than promised") {
				doubts = append(doubts, s)
			}
		}
		switch {
		case c.want == "" && len(doubts) > 0, c.want != "" && (len(doubts) != 1 || !strings.HasPrefix(doubts[0], c.want) || !strings.Contains(doubts[0], "12 cells together")):
			t.Errorf("%s: %q", c.name, doubts)
		}
	}
}
