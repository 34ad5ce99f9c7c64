package stats

import (
	"math"
	"math/rand/v2"
	"testing"
)

// With that margin just as many blocks are needed as there are, and simulated
// blocks are shown to be equal as often as was asked for.
func TestSmallestMargin(t *testing.T) {
	const sd, alpha, power = 0.02, 0.05, 0.80
	rng := rand.New(rand.NewPCG(3, 1))
	for _, blocks := range []int{3, 6, 12, 40} {
		margin := SmallestMargin(alpha, power, sd, blocks)
		target := Target{Margin: margin * (1 + 1e-6), Alpha: alpha, Power: power}
		if n, ok := BlocksForEquivalence(target, sd, 0); !ok || n != blocks {
			t.Errorf("%d blocks: margin %.5f needs %d", blocks, margin, n)
		}
		const draws = 4000
		shown := 0
		for range draws {
			d := make([]float64, blocks)
			for i := range d {
				d[i] = sd * rng.NormFloat64()
			}
			e := PairedT(d)
			if iv := e.Interval(1 - 2*alpha); iv.Low > -margin && iv.High < margin {
				shown++
			}
		}
		if got := float64(shown) / draws; math.Abs(got-power) > 0.03 { // 4.7 standard errors
			t.Errorf("%d blocks: shown in %.3f of draws, want %.2f", blocks, got, power)
		}
	}
	if got := SmallestMargin(alpha, power, sd, 1); !math.IsInf(got, 1) {
		t.Errorf("one block shows a margin of %v", got)
	}
	if got := SmallestMargin(alpha, power, 0, 6); got != 0 {
		t.Errorf("without spread the margin is %v", got)
	}
}
