package stats

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// Every order statistic of the averages, against the averages written down and
// sorted.
func TestAveragesAgainstAllOfThem(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 1))
	for range 300 {
		d := make([]float64, 1+rng.IntN(12))
		for i := range d {
			switch rng.IntN(8) {
			case 0:
				d[i] = 0
			case 1:
				d[i] = math.Copysign(0, -1)
			case 2:
				d[i] = rng.NormFloat64() * 1e149
			case 3:
				d[i] = rng.NormFloat64() * 1e-300
			default:
				d[i] = float64(rng.IntN(9) - 4) // ties
			}
		}
		var all []float64
		for i, x := range d {
			for _, y := range d[i:] {
				all = append(all, (x+y)/2)
			}
		}
		slices.Sort(all)
		few := averages(sortedCopy(d))
		if few.n() != len(all) {
			t.Fatalf("%v: %d averages, want %d", d, few.n(), len(all))
		}
		for k, want := range all {
			if got := few.smallest(k + 1); got != want {
				t.Fatalf("%v: number %d is %v, want %v", d, k+1, got, want)
			}
		}
		if got, want := few.median(), Median(all); got != want {
			t.Fatalf("%v: the median is %v, want %v", d, got, want)
		}
	}
}

// A large sample costs no more memory than a few copies of itself.
func TestLargeSignedRankIsSmall(t *testing.T) {
	d := make([]float64, 60_000)
	for i := range d {
		d[i] = float64(i%997) - 400
	}
	d[0] = 1e9
	spent := testing.Benchmark(func(b *testing.B) {
		b.ReportAllocs()
		for range b.N {
			SignedRank(d, 0.95)
		}
	}).AllocedBytesPerOp()
	if spent > 8<<20 {
		t.Errorf("%d MiB for 60 000 differences, want at most 8", spent>>20)
	}
}
