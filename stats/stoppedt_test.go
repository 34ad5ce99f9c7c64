package stats

import (
	"math"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/llama-regress/llama-regress/fixtures/effort"
	"gonum.org/v1/gonum/stat/distuv"
)

// With many values a t statistic is normal: the levels are then those of the
// published bounds of O'Brien-Fleming spending (gsDesign, rpact).
func TestInterimLevelsOfManyBlocks(t *testing.T) {
	for _, c := range []struct {
		blocks []int
		want   []float64 // z, of a one-sided error of 0.025
	}{
		{[]int{300, 500, 750, 1000}, []float64{3.9286, 2.9656, 2.3592, 2.0141}},
		{[]int{200, 400, 600, 800, 1000}, []float64{4.8769, 3.3570, 2.6803, 2.2898, 2.0310}},
		{[]int{1000}, []float64{1.95996}},
	} {
		a := NewInterimAnalyses(c.blocks)
		for k, want := range c.want {
			if z := -distuv.UnitNormal.Quantile(a.Level(k, 0.025)); math.Abs(z-want) > 2e-3 {
				t.Errorf("blocks %v, analysis %d: z %.5f, want %.4f", c.blocks, k, z, want)
			}
		}
	}
}

// wrong is the share of simulated samples without an effect in which a t-test
// rejects at one of the interim analyses.
func wrong(blocks []int, levels []float64, draws int) float64 {
	least := make([]float64, len(levels)) // t
	for k, level := range levels {
		least[k] = math.Inf(1)
		if level > 0 {
			least[k] = -studentT(blocks[k] - 1).Quantile(level)
		}
	}
	rng := rand.New(rand.NewPCG(6, 20))
	hits := 0
	for range draws {
		sum, squares, k := 0.0, 0.0, 0
		for i := 1; k < len(blocks); i++ {
			x := rng.NormFloat64()
			sum, squares = sum+x, squares+x*x
			if i < blocks[k] {
				continue
			}
			n := float64(i)
			if sum/math.Sqrt(n)/math.Sqrt((squares-sum*sum/n)/(n-1)) > least[k] {
				hits++
				break
			}
			k++
		}
	}
	return float64(hits) / float64(draws)
}

// Simulated samples reject as often as was promised. Normal bounds read as
// p-values of a t-test reject too often: the simulation must see that.
func TestInterimLevelsBySimulation(t *testing.T) {
	draws := effort.Draws(60_000, 20_000)
	if os.Getenv("LLAMA_REGRESS_LONG") != "" {
		draws = 4_000_000
	}
	for _, c := range []struct {
		blocks []int
		normal []float64 // levels by bounds of normal data; nil where the simulation need not see them
	}{
		{[]int{6, 10, 15, 20}, nil},
		{[]int{6, 7, 8}, []float64{0.023625, 0.029543, 0.038394}},
		{[]int{3, 5, 8, 12}, []float64{8.8575e-05, 0.0023639, 0.015605, 0.044941}},
		{[]int{2, 20}, nil},
		{[]int{4, 40}, nil},
	} {
		const alpha = 0.05
		a, sd := NewInterimAnalyses(c.blocks), math.Sqrt(alpha*(1-alpha)/float64(draws))
		var levels []float64
		for k := range c.blocks {
			levels = append(levels, a.Level(k, alpha))
		}
		if got := wrong(c.blocks, levels, draws); math.Abs(got-alpha) > 4*sd {
			t.Errorf("blocks %v: rejected %.5f, promised %g (sd %.5f)", c.blocks, got, alpha, sd)
		}
		if c.normal == nil {
			continue
		}
		if got := wrong(c.blocks, c.normal, draws); draws >= 60_000 && got < alpha+2*sd {
			t.Errorf("blocks %v: bounds of normal data reject %.5f, which is not seen to be too much", c.blocks, got)
		}
		if last := len(levels) - 1; levels[last] < 0.88*c.normal[last] {
			t.Errorf("blocks %v: the last level falls from %.4f to %.4f", c.blocks, c.normal[last], levels[last])
		}
	}
}

// The chance not to have been stopped is one over all samples less what was
// spent: the integral of it over the latitudes of the next analysis.
func TestStoppedChanceAddsUp(t *testing.T) {
	for _, n := range []int{7, 8, 10, 30, 200} {
		s := &stoppedT{n: 6, bound: math.Inf(1)}
		s.reject(0.03)
		s.advance(n)
		const points = 4_001
		sum, weights := 0.0, 0.0
		for i := range points {
			latitude := s.reach * (2*float64(i)/(points-1) - 1)
			w := math.Pow(math.Cos(latitude), float64(n-2))
			sum, weights = sum+w*s.alive(latitude), weights+w
		}
		if got := sum / weights; math.Abs(got-0.97) > 4e-4 {
			t.Errorf("from 6 to %d: %.6f go on, want 0.97", n, got)
		}
	}
}
