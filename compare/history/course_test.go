package history

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/compare"
	"github.com/llama-regress/llama-regress/stats"
)

// smallSteps is a year of one trend with up to three steps of 1.5 to 2.5 %, either
// way, or all one way. Nights vary by 1 %.
func smallSteps(rng *rand.Rand, oneWay bool) (t *Trend, points []int, at []int) {
	t = &Trend{Metric: record.Metric{Name: "tg128", Kind: record.Throughput, Better: record.Higher}}
	level, next := math.Log(100), 0
	for range 1 + rng.IntN(3) {
		next += 30 + rng.IntN(90)
		at = append(at, next)
	}
	done := 0
	for n := range 365 {
		if done < len(at) && n == at[done] {
			by := 0.015 + 0.01*rng.Float64()
			if oneWay || rng.IntN(2) == 0 {
				by = -by
			}
			level, done = level+by, done+1
		}
		t.Points, points = append(t.Points, Point{Night: n, Value: math.Exp(level + 0.01*rng.NormFloat64())}), append(points, n)
	}
	return t, points, at
}

// tell counts what is told of 20 such years at a margin: steps, those of changes that
// went in small ones among them, that are true, steps that are none, and slopes.
func tell(seed uint64, margin float64, oneWay bool) (steps, found, falsely, slopes, stairs int) {
	rng := rand.New(rand.NewPCG(20, seed))
	for i := range uint64(20) {
		t, points, at := smallSteps(rng, oneWay)
		t.Margin = compare.Margin{Value: margin}
		sc := t.scale()
		rule := stats.ChangeRule{Alpha: 4. / 365 / 50, Margin: sc.lambda, Seed: i, Resemblance: stats.Resemblance{R: 0.02, Nights: 1000}}
		changes, _ := t.steps(sc, points, rule)
		steps += len(at)
		var told []int
		for _, c := range changes {
			switch {
			case len(c.Stairs) > 0:
				stairs++
				for _, s := range c.Stairs {
					told = append(told, s.At)
				}
			case c.Drift:
				slopes++
			default:
				told = append(told, c.At)
			}
		}
		for _, x := range told {
			hit := false
			for k, a := range at {
				if hit = max(x-a, a-x) <= 5; hit {
					at = append(at[:k:k], at[k+1:]...)
					break
				}
			}
			if hit {
				found++
			} else {
				falsely++
			}
		}
	}
	return steps, found, falsely, slopes, stairs
}

// Small steps are found where the margin lets them, hardly any that is none; where it
// does not, several that went the same way are told as such, and never as a slope.
func TestSmallSteps(t *testing.T) {
	steps, found, falsely, slopes, _ := tell(1, 0.01, false)
	if 93*found < 80*steps || falsely > 1 || slopes > 0 {
		t.Errorf("margin 1 %%: %d of %d steps, %d that are none, %d slopes", found, steps, falsely, slopes)
	}
	steps, found, falsely, slopes, stairs := tell(1, 0.03, true)
	if falsely > 0 || slopes > 0 || stairs < 4 || 2*found < steps {
		t.Errorf("margin 3 %%: %d of %d steps, %d changes in small steps, %d that are none, %d slopes", found, steps, stairs, falsely, slopes)
	}
}
