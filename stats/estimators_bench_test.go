package stats

import (
	"math"
	"slices"
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

func BenchmarkMannWhitney50v50(b *testing.B) { // 10 ms
	base, head := benchSamples(50)
	for b.Loop() {
		MannWhitney(base, head)
	}
}

func BenchmarkMannWhitneyTied50v50(b *testing.B) { // 10 ms
	base, head := benchSamples(50)
	for i := range base {
		base[i], head[i] = math.Round(base[i]), math.Round(head[i])
	}
	for b.Loop() {
		MannWhitney(base, head)
	}
}

func BenchmarkBoschloo200v200(b *testing.B) { // 200 ms
	for b.Loop() {
		Boschloo(Count{190, 200}, Count{180, 200})
	}
}

func BenchmarkBootstrapBCaMean10000x100(b *testing.B) { // 50 ms
	xs, _ := benchSamples(100)
	b.ReportAllocs()
	for b.Loop() {
		BootstrapBCa(xs, plainMean, 10000, .95)
	}
}

func BenchmarkBootstrapBCaMedian10000x100(b *testing.B) { // 50 ms
	xs, _ := benchSamples(100)
	b.ReportAllocs()
	for b.Loop() {
		BootstrapBCa(xs, sortedMedian, 10000, .95)
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

func BenchmarkMiettinenNurminen(b *testing.B) { // 1 ms
	for b.Loop() {
		MiettinenNurminen(Count{190, 200}, Count{180, 200}, .95)
	}
}

func BenchmarkPermutation10v10(b *testing.B) { // 50 ms: all 184 756 divisions
	base, head := benchSamples(10)
	for b.Loop() {
		Permutation(base, head)
	}
}

func BenchmarkSignFlip20(b *testing.B) { // 50 ms: all 2²⁰ signs
	base, head := benchSamples(20)
	for i := range base {
		head[i] -= base[i]
	}
	for b.Loop() {
		SignFlip(head)
	}
}

// Inner loops must not allocate: the number of allocations of a call may not
// grow with the work it does.
func TestInnerLoopsDoNotAllocate(t *testing.T) {
	xs, ys := benchSamples(40)
	small, _ := benchSamples(12)
	signs := slices.Clone(small)
	for name, f := range map[string]struct{ few, many func() }{
		"BootstrapBCa": {
			func() { BootstrapBCa(xs, plainMean, 10, .9) },
			func() { BootstrapBCa(xs, plainMean, 1000, .9) },
		},
		"BootstrapHierarchical": {
			func() {
				BootstrapHierarchical([][]float64{xs, ys}, func(c [][]float64) float64 { return c[0][0] }, 10, .9)
			},
			func() {
				BootstrapHierarchical([][]float64{xs, ys}, func(c [][]float64) float64 { return c[0][0] }, 1000, .9)
			},
		},
		"MannWhitney": {
			func() { MannWhitney(xs[:5], ys[:5]) },
			func() { MannWhitney(xs, ys) },
		},
		"SignFlip": {
			func() { SignFlip(signs[:3]) },
			func() { SignFlip(signs) },
		},
		"Permutation": {
			func() { Permutation(xs[:3], ys[:3]) },
			func() { Permutation(xs[:7], ys[:7]) },
		},
		"Boschloo": {
			func() { BarnardPooled(Count{5, 10}, Count{3, 10}) },
			func() { BarnardPooled(Count{20, 40}, Count{15, 40}) },
		},
	} {
		if few, many := testing.AllocsPerRun(5, f.few), testing.AllocsPerRun(5, f.many); many > few+2 { // small buffers may live on the stack
			t.Errorf("%s: %g allocations for little work, %g for much", name, few, many)
		}
	}
}
