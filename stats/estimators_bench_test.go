package stats

import (
	"math"
	"testing"
)

// benchSamples returns two samples of n without ties, about 3 % apart.
func benchSamples(n int) (base, head []float64) {
	for i := range n {
		base = append(base, 100+10*math.Sin(float64(i*i+1)))
		head = append(head, 97+10*math.Cos(float64(3*i*i+2)))
	}
	return base, head
}

// The budgets beside the names are for one core.

func BenchmarkBoschloo200v200(b *testing.B) { // 200 ms
	for b.Loop() {
		Boschloo(Count{190, 200}, Count{180, 200})
	}
}

func BenchmarkSignedRank20(b *testing.B) { // 1 ms: one cell of 20 blocks
	base, head := benchSamples(20)
	for i := range base {
		head[i] -= base[i]
	}
	for b.Loop() {
		SignedRank(head, .9)
	}
}

func BenchmarkHarrellDavis1000(b *testing.B) { // 5 ms: the requests of one serve trial
	xs, _ := benchSamples(1000)
	for b.Loop() {
		HarrellDavis(xs, .95)
	}
}
